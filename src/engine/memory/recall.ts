/**
 * What a run begins with of what earlier ones learned: looked for with the words of its task, journaled by reference, at the end of
 * the task's message. What comes before it, the cached prefix, is not touched.
 *
 * A recall that fails is no reason not to work: the run goes on without, and its health says so.
 */
import type { SessionConfig } from "../../kernel/config.ts";
import { type PlainPart, textPart } from "../../kernel/content.ts";
import { QUEUE_TOOL } from "../../kernel/continuity.ts";
import type { Draft } from "../../kernel/events/index.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { MemoryId } from "../../kernel/ids.ts";
import { type Memory, type MemoryKind, memoryToken, RECALL_ORIGIN } from "../../kernel/memory.ts";
import type { SessionState } from "../../kernel/state.ts";
import { RECALL_HITS_MAX, type Recalled, recalled, recallQuery, successorsOf } from "../../memory/recall.ts";
import { presentExternal } from "../../policy/injection/external.ts";
import type { Memories, MemoryHit, MemoryView } from "../../store/memories.ts";
import type { Host } from "../host.ts";

/** How often what took a place may itself have been replaced before the end is not looked for any more. */
const SUCCESSIONS_MAX = 4;
/** Of what was superseded, the newest that are looked through. What is older is still found by its own words. */
const REPLACED_MAX = 300;

export interface RecallFor {
  readonly view: MemoryView;
  /** What the run is about. */
  readonly task: string;
  readonly known: ReadonlySet<MemoryId>;
  /** The session has taken in text of strangers. */
  readonly untrusted: boolean;
  readonly limit: number;
  readonly now: number;
}

/** What the store has for a task, the best first. Touches nothing. */
export async function recallFrom(store: Memories, wanted: RecallFor): Promise<readonly Recalled[]> {
  const query = recallQuery(wanted.task);
  if (query === "" || wanted.limit === 0) return [];
  const view: MemoryView = { ...wanted.view, states: ["active", "superseded"] };
  const hits = await store.searchMemories(view, query, RECALL_HITS_MAX);
  const others = await successors(store, view, hits);
  const first = recalled({ ...wanted, hits, others });
  if (first.length === 0) return [];
  // What they took the place of may have none of the task's words.
  const replaced = await store.listMemories({ ...view, states: ["superseded"] }, REPLACED_MAX);
  return recalled({ ...wanted, hits, others: [...others, ...replaced] });
}

async function successors(store: Memories, view: MemoryView, hits: readonly MemoryHit[]): Promise<readonly Memory[]> {
  const found = new Map<MemoryId, Memory>();
  let wanted = successorsOf(hits);
  for (let i = 0; i < SUCCESSIONS_MAX && wanted.length > 0; i++) {
    const next = await store.getMemories(view, wanted);
    for (const memory of next) found.set(memory.id, memory);
    wanted = next.flatMap(({ superseded_by }) => superseded_by ?? []).filter((id) => !found.has(id));
  }
  return [...found.values()];
}

/** The first events of a run, with what is recalled for it behind what the user said. */
export async function withRecall(
  drafts: readonly Draft[],
  host: Pick<Host, "store" | "ids">,
  state: SessionState,
): Promise<readonly Draft[]> {
  const config = configIn(drafts) ?? state.config;
  const said = drafts.flatMap((draft) => (draft.kind === "UserMessageAdded" ? draft.data.parts : []));
  const task = said.flatMap((part) => (part.type === "text" && isTask(part.origin) ? [part.text] : [])).join("\n");
  if (config === null || config.memory.recall === 0 || task === "") return drafts;
  const { tenant, principal, label } = state;
  const fresh = drafts.some((draft) => draft.kind === "ContextCompacted" && draft.data.layer === "fresh");
  const raised = drafts.some((draft) => draft.kind === "LabelRaised" && draft.data.label === "untrusted");
  try {
    const found = await recallFrom(host.store, {
      view: { tenant, principal, project: config.memory.project === "" ? null : config.memory.project },
      task,
      known: new Set(fresh ? [] : state.recalled),
      untrusted: raised || label.untrusted.length > 0,
      limit: config.memory.recall,
      now: await host.store.now(),
    });
    if (found.length === 0) return drafts;
    await host.store.changeMemories(state, { put: [], forget: [], used: found.map(({ memory }) => memory.id) });
    return [...drafts, recallDraft(found, () => host.ids.trace())];
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    const reason = `Nothing was recalled: ${error.message}`;
    return [...drafts, { kind: "HealthChanged", data: { subsystem: "memory", status: "degraded", reason } }];
  }
}

/** What the user says, and the item of the model's own list that they let it go on with. */
function isTask({ from, by }: PlainPart["origin"]): boolean {
  return from === "user" || (from === "model" && by === QUEUE_TOOL);
}

function configIn(drafts: readonly Draft[]): SessionConfig | null {
  const configs = drafts.flatMap((draft) =>
    draft.kind === "SessionConfigured" || draft.kind === "SettingsChanged" ? [draft.data.config] : [],
  );
  return configs.at(-1) ?? null;
}

/** @param nonce that nobody can guess, new each time */
export function recallDraft(found: readonly Recalled[], nonce: () => string): Draft {
  const [trusted, strangers] = [false, true].map((untrusted) =>
    found.filter(({ memory }) => memory.untrusted === untrusted),
  );
  return {
    kind: "MemoryRecalled",
    data: {
      recalled: found.map(({ memory, factors, tokens }) => ({
        memory: memory.id,
        tokens,
        ...factors,
      })),
      parts: [...ownParts(trusted ?? []), ...strangersParts(strangers ?? [], nonce)],
    },
  };
}

const HEAD = "Notes of earlier sessions, perhaps out of date. What the task and the files say counts more.";

function ownParts(found: readonly Recalled[]): readonly PlainPart[] {
  if (found.length === 0) return [];
  return [textPart(["<memory>", HEAD, ...found.map(line), "</memory>"].join("\n"), RECALL_ORIGIN)];
}

/** Between marks that nobody outside can write, as all that strangers wrote. */
function strangersParts(found: readonly Recalled[], nonce: () => string): readonly PlainPart[] {
  if (found.length === 0) return [];
  const part = textPart(found.map(line).join("\n"), { ...RECALL_ORIGIN, untrusted: true });
  return presentExternal({
    parts: [part],
    source: "notes of earlier sessions that had read text of strangers",
    nonce: nonce(),
  }).parts;
}

const SAID: { readonly [K in MemoryKind]: string } = {
  semantic: "fact",
  procedural: "what works",
  anti_pattern: "what failed",
};

function line({ memory, replaces }: Recalled): string {
  const { id, kind, text, resolves } = memory;
  const error = resolves === "" || text.includes(resolves) ? "" : ` (resolves: ${memoryToken(id, "resolves")})`;
  const before = replaces.map((one) => ` (replaces, of ${day(one)}: ${memoryToken(one.id)})`).join("");
  return `- ${SAID[kind]}, ${day(memory)}: ${memoryToken(id)}${error}${before}`;
}

function day({ created_at }: Memory): string {
  return new Date(created_at).toISOString().slice(0, "2026-01-31".length);
}
