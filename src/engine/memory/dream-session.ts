/**
 * Who asks a model for a dream: an ordinary session without tools, files and recall, each question one run of one turn. So every call has
 * its reservation, its receipt, its place under the shared rate and its journal, as any other has.
 *
 * X1: its journal has the memories by reference alone, as every journal has.
 * X2: the memories stand between marks that nobody can guess, also those that are trusted: they are there to be compared.
 */
import type { SessionConfig } from "../../kernel/config.ts";
import { type PlainPart, plainText, textPart } from "../../kernel/content.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { RECALL_ORIGIN } from "../../kernel/memory.ts";
import type { ChosenModel } from "../../kernel/model-policy.ts";
import { type Budget, NO_CAP } from "../../kernel/budget.ts";
import { DEFAULT_WORK } from "../../kernel/work-policy.ts";
import { DREAM_QUESTION } from "../../memory/model-answer.ts";
import { presentExternal } from "../../policy/injection/external.ts";
import type { Tool } from "../../tool/tool.ts";
import type { ContextFiles } from "../../context/context-files.ts";
import type { Host } from "../host.ts";
import type { RunReport } from "../report.ts";
import { type LiveSession, resumeSession, startSession, type StartRequest } from "../session.ts";
import { type Asker, CALLS_MAX, type Said, type Spent } from "./dream-model.ts";

/** All questions of one dream together, in milliseconds. A model that is slower is done without. */
const DREAM_MODEL_MS = 5 * 60_000;
/** Of all of them, read and written, cached ones included. */
const TOKENS_MAX = 500_000;
/** Of one answer: ids alone. */
const ANSWER_TOKENS_MAX = 2_048;

export interface DreamSession extends ChosenModel {
  readonly budget: Budget;
  /** `cwd` and `source`: a directory of the dream's own, which need not be there. */
  readonly place: StartRequest["place"];
  /** Default `DREAM_MODEL_MS`. */
  readonly active_ms?: number;
}

export function dreamAsker(host: Host, dream: DreamSession): Asker {
  const alone = withoutSurroundings(host);
  const { provider, model } = dream;
  let spent: Spent = { session: null, cost_usd: 0, unknown_cost_usd: 0 };
  const begin = (parts: readonly PlainPart[]): Promise<LiveSession> => {
    if (spent.session !== null)
      return resumeSession(alone, { session: spent.session, message: parts, change: null, review: null });
    return startSession(alone, {
      task: [textPart(DREAM_QUESTION, { from: "belay", by: "dream" }), ...parts],
      title: "belay dream: which memories say the same",
      config: configOf(dream),
      place: dream.place,
    });
  };
  return {
    model: { provider, model },
    spent: () => spent,
    ask: async (page, signal) => {
      const live = await begin(pageParts(page, host));
      const { session } = live;
      spent = { ...spent, session };
      const stop = (): void => {
        live.cancel("user", "the dream was stopped");
      };
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      try {
        const report = await live.done;
        spent = { session, cost_usd: report.cost_usd, unknown_cost_usd: report.unknown_cost_usd };
        return saidIn(report, live);
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
  };
}

const NO_TOOLS: readonly Tool[] = [];
const NO_FILES: ContextFiles = { read: () => ({ found: "nothing" }), list: () => ({ found: "nothing" }) };

/** Nothing of a project is put before the model, nothing can be called, and nobody is asked. */
function withoutSurroundings(host: Host): Host {
  const refuse = (): Promise<never> =>
    Promise.reject(new HarnessError("workspace_refused", "A dream works on no files.", "Start a session with a task."));
  return {
    ...host,
    tools: NO_TOOLS,
    prompter: null,
    contextFiles: () => NO_FILES,
    workspaces: { prepare: refuse, open: refuse },
  };
}

function configOf({ provider, model, budget, active_ms = DREAM_MODEL_MS }: DreamSession): StartRequest["config"] {
  const asked: Omit<SessionConfig, "versions" | "models" | "permissions" | "flow" | "confinement"> = {
    provider,
    model,
    max_tokens: ANSWER_TOKENS_MAX,
    thinking_tokens: null,
    // An answer that is none is not asked for again.
    budget: { ...budget, caps: [...budget.caps, { ...NO_CAP, scope: "run", turns: 1 }], alert_at: null },
    limits: { turns: CALLS_MAX, active_ms, tokens: TOKENS_MAX },
    sandbox: { mode: "none", network: false },
    workspace: { mode: "in_place", base: null },
    approval: "ask",
    permission_mode: "dontAsk",
    setup: null,
    verify: null,
    ...DEFAULT_WORK,
    allowed_tools: [],
    agents: { ...DEFAULT_WORK.agents, depth: 0, total: 0 },
    memory: { recall: 0, remember: false, project: "" },
  };
  return asked;
}

/** X1, X2. */
function pageParts(page: string, host: Host): readonly PlainPart[] {
  return presentExternal({
    parts: [textPart(page, RECALL_ORIGIN)],
    source: "memories of earlier sessions, to be compared",
    nonce: host.ids.trace(),
  }).parts;
}

function saidIn({ outcome, error }: RunReport, live: LiveSession): Said {
  const last = live.state().messages.at(-1);
  if (outcome === "completed" && last?.role === "assistant") return { ok: true, text: plainText(last.parts) };
  const why = error?.message ?? OTHERWISE[outcome] ?? `It ended as ${outcome}.`;
  return { ok: false, canceled: outcome === "canceled", why };
}

const OTHERWISE: { readonly [outcome: string]: string } = {
  canceled: "It was stopped.",
  limit_reached: "Its time, turns or tokens were used up.",
  budget_exhausted: "The budget is used up.",
  refused: "It refused to answer.",
};
