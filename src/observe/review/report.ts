/**
 * What a person looks at before a session goes on: short, and told from the journal alone. No model is asked, so it says the same
 * each time.
 */
import { clipped } from "../../kernel/clipped.ts";
import { callText } from "../../kernel/continuity.ts";
import { type Message, plainText } from "../../kernel/content.ts";
import { dollarsOf } from "../../kernel/money.ts";
import type { SessionState } from "../../kernel/state.ts";
import { totalTokens } from "../../kernel/usage.ts";

/** Steps that are named, the latest last. */
const STEPS_SHOWN_MAX = 8;
const INTENT_CHARS_MAX = 300;

export interface ReviewedFile {
  readonly path: string;
  readonly status: "added" | "modified" | "deleted";
  /** Null for a file that is no text. */
  readonly added: number | null;
  readonly removed: number | null;
}

export interface ReviewReport {
  readonly session: string;
  readonly phase: string | null;
  /** Turns of the session, and those since a person last looked. */
  readonly turns: number;
  readonly since_review: number;
  /** Since the session began; null where nobody could look. */
  readonly files: readonly ReviewedFile[] | null;
  readonly added: number;
  readonly removed: number;
  /** `not_run`: since the last change. */
  readonly gate: { readonly command: string | null; readonly status: "passed" | "failed" | "not_run" | "none" };
  /** Null where a price is unknown. */
  readonly cost_usd: number | null;
  readonly tokens: number;
  readonly steps: readonly { readonly what: string; readonly ok: boolean }[];
  /** What is left in the model's own list. */
  readonly queue: { readonly done: number; readonly left: number };
  /** What it says that it does next: in its list, or with its last words. */
  readonly next: { readonly from: "queue" | "model"; readonly text: string } | null;
}

export function reviewReport(state: SessionState, files: readonly ReviewedFile[] | null): ReviewReport {
  const { session, phase, turn, reviewed_turn, cost, usage, unknown_tokens, continuity } = state;
  const left = continuity.queue.filter(({ status }) => status !== "done").length;
  const sum = (of: "added" | "removed"): number => (files ?? []).reduce((all, file) => all + (file[of] ?? 0), 0);
  return {
    session,
    phase,
    turns: turn,
    since_review: turn - reviewed_turn,
    files,
    added: sum("added"),
    removed: sum("removed"),
    gate: gateOf(state),
    cost_usd: cost === null ? null : dollarsOf(cost),
    tokens: totalTokens(usage) + unknown_tokens,
    steps: stepsIn(state.messages).slice(-STEPS_SHOWN_MAX),
    queue: { done: continuity.done.length + continuity.queue.length - left, left },
    next: nextIntent(state),
  };
}

function gateOf({ config, verified }: SessionState): ReviewReport["gate"] {
  const command = config?.verify ?? null;
  if (command === null) return { command, status: "none" };
  return { command, status: verified === null ? "not_run" : verified.passed ? "passed" : "failed" };
}

/** Calls that have their results, in order. What was taken out of the conversation is not among them. */
function stepsIn(messages: readonly Message[]): ReviewReport["steps"] {
  const failed = new Set<string>();
  for (const { role, parts } of messages) {
    if (role !== "user") continue;
    for (const part of parts) if (part.type === "tool_result" && part.is_error) failed.add(part.call);
  }
  return messages.flatMap(({ role, parts }) =>
    role !== "assistant"
      ? []
      : parts.flatMap((part) =>
          part.type === "tool_use" ? [{ what: callText(part), ok: !failed.has(part.call) }] : [],
        ),
  );
}

function nextIntent({ continuity: { queue }, messages }: SessionState): ReviewReport["next"] {
  const item = queue.find(({ status }) => status === "active") ?? queue.find(({ status }) => status === "pending");
  if (item !== undefined) return { from: "queue", text: item.text };
  const said = messages.findLast(({ role, parts }) => role === "assistant" && parts.some(isSaid));
  const sentence = said === undefined ? null : lastSentence(plainText(said.parts.filter(isSaid)));
  return sentence === null ? null : { from: "model", text: sentence };
}

function isSaid(part: Message["parts"][number]): part is Extract<Message["parts"][number], { readonly type: "text" }> {
  return part.type === "text" && part.text.trim() !== "";
}

function lastSentence(text: string): string | null {
  const line = text.trim().split(/\n+/).at(-1)?.trim() ?? "";
  const sentence = line.split(/(?<=[.!?])\s+/).at(-1) ?? "";
  if (sentence === "") return null;
  return clipped(sentence, INTENT_CHARS_MAX);
}
