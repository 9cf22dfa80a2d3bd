/** What comes back of a sub-agent: its last answer, bounded, and one line of data about how it ended. */
import { type PlainPart, plainText, textPart } from "../../kernel/content.ts";
import type { SessionId } from "../../kernel/ids.ts";
import { canonicalJson, type Json, type JsonObject } from "../../kernel/json.ts";
import { dollarsOf } from "../../kernel/money.ts";
import type { Outcome } from "../../kernel/outcome.ts";
import type { SessionState } from "../../kernel/state.ts";
import type { AgentDefinition } from "../../kernel/work-policy.ts";
import type { AgentResult } from "../../tool/agent-starter.ts";
import { clipMiddle } from "../../tool/clip.ts";
import { waitingCalls } from "../ask.ts";
import { answerProblem } from "./answer-schema.ts";

/** What of an answer the parent reads; all of it stays in a blob. Characters. */
export const ANSWER_CHARS_MAX = 8_000;
/** Of an answer that is to be JSON. */
const JSON_CHARS_MAX = 100_000;
/** Paths that the line of data names. */
const FILES_NAMED_MAX = 50;

export type Answer =
  /** `data`: canonical JSON that fits the schema. */
  | { readonly is: "text" | "data"; readonly text: string }
  | { readonly is: "unfit"; readonly text: string; readonly problem: string };

/** The last text that it wrote: also of one that was stopped. */
export function answerOf(state: SessionState, schema: JsonObject | null): Answer {
  const last = state.messages.findLast(({ role, parts }) => role === "assistant" && plainText(parts).trim() !== "");
  const text = last === undefined ? "" : plainText(last.parts).trim();
  if (schema === null) return { is: "text", text };
  const parsed = parse(text);
  if (parsed === undefined) return { is: "unfit", text, problem: "it is no JSON object" };
  const problem = answerProblem(schema, parsed);
  return problem === null ? { is: "data", text: canonicalJson(parsed) } : { is: "unfit", text, problem };
}

/** Also inside the fence that models like to put around it. */
function parse(text: string): Json | undefined {
  if (text.length > JSON_CHARS_MAX) return undefined;
  const fenced = /^```(?:json)?\s*\n([\s\S]*?)\n?```$/.exec(text);
  try {
    return JSON.parse(fenced?.[1] ?? text) as Json; // what JSON.parse yields is JSON
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export interface Ended {
  readonly session: SessionId;
  readonly definition: AgentDefinition;
  readonly state: SessionState;
  readonly outcome: Outcome;
  readonly error: string | null;
  readonly answer: Answer;
  /** Paths that it changed. */
  readonly files: readonly string[];
  /** It works in files of its own. */
  readonly writes: boolean;
  /** They will be brought in. */
  readonly merging: boolean;
}

/** @param keep stores the whole of a long answer */
export async function resultOf(
  ended: Ended,
  keep: (text: string) => Promise<NonNullable<AgentResult["output"]>>,
): Promise<AgentResult> {
  const { answer, outcome, definition } = ended;
  const ok = outcome === "completed" && answer.is !== "unfit";
  const shown = definition.quarantined && answer.is !== "data" ? "" : answer.text;
  const { text, clipped } = clipMiddle(shown, ANSWER_CHARS_MAX, (lines) => `[… ${lines} lines left out …]`);
  return {
    status: ok ? "ok" : outcome === "canceled" ? "canceled" : "error",
    content: [
      ...(text === "" ? [] : [answerPart(text, ended)]),
      textPart(`${ownWords(ended)}\n${dataLine(ended)}`, { from: "belay" }),
    ],
    output: clipped ? await keep(shown) : null,
  };
}

/** Its words are those of a model that read what it read; a checked choice out of the parent's own list is nobody's words. */
function answerPart(text: string, { definition, answer, state: { label } }: Ended): PlainPart {
  if (definition.quarantined && answer.is === "data") return textPart(text, { from: "belay", by: definition.name });
  return textPart(text, {
    from: "model",
    by: definition.name,
    ...(label.untrusted.length > 0 ? { untrusted: true } : {}),
    ...(label.secret.length > 0 ? { secret: true } : {}),
  });
}

function ownWords(ended: Ended): string {
  const { session, definition, outcome, error, answer, merging, files } = ended;
  const said: string[] = [];
  if (outcome !== "completed") {
    const because = error === null || definition.quarantined ? "" : ` (${error.slice(0, 500)})`;
    said.push(`It did not finish: ${outcome.replaceAll("_", " ")}${because}. What is here is what it had.`);
  }
  if (answer.is === "unfit" && outcome === "completed")
    said.push(
      `Its answer does not fit the schema${definition.quarantined ? ", so it is not shown" : `: ${answer.problem}`}.`,
    );
  if (outcome === "needs_approval") said.push(approvalWords(ended));
  if (merging) said.push("Its files are brought in when the calls of this answer are done.");
  else if (files.length > 0) said.push(`Its files were not brought in: \`belay diff ${session}\` shows them.`);
  return said.join(" ");
}

/** One that works on its parent's files goes on only while its parent waits for it. */
function approvalWords({ session, state, writes }: Ended): string {
  if (!writes) return "What it wanted to do needs a person's yes beforehand: a rule that allows it, or `--grant`.";
  const calls = waitingCalls(state).map(({ call }) => `\`belay approve ${call}\``);
  return `It waits for a person: ${calls.join(", ")}, then \`belay resume ${session}\` and \`belay apply ${session}\`.`;
}

function dataLine({ session, outcome, state, files }: Ended): string {
  const named = files.slice(0, FILES_NAMED_MAX);
  return canonicalJson({
    session,
    outcome,
    turns: state.turn,
    cost_usd: state.cost === null ? null : dollarsOf(state.cost),
    files: named,
    ...(files.length > named.length ? { more_files: files.length - named.length } : {}),
  });
}
