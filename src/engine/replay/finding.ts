/** What a replay found to be otherwise than recorded. */
import { canonicalJson } from "../../kernel/json.ts";

/**
 * - `damaged`: the journal itself: a record is missing, changed, or does not follow the one before.
 * - `decision`: this version would have done something else there.
 * - `judgement`: it would judge a tool call otherwise.
 * - `request`: it would ask the model something else.
 * - `prompt`: its system prompt or tool schemas are others; requests are compared without them.
 * - `budget`: it would reserve or settle another amount.
 * - `price`: its price table says something else.
 * - `state`: it folds the events to another state than was kept.
 */
export type FindingKind = "damaged" | "decision" | "judgement" | "request" | "prompt" | "budget" | "price" | "state";

export interface Finding {
  readonly kind: FindingKind;
  readonly seq: number;
  /** One line each, canonical JSON where it is data. */
  readonly recorded: string;
  readonly now: string;
}

/** What of a value is shown. Characters. */
const SHOWN_CHARS_MAX = 400;

export function finding(kind: FindingKind, seq: number, recorded: unknown, now: unknown): Finding {
  return { kind, seq, recorded: shown(recorded), now: shown(now) };
}

/** Null when both are the same. */
export function compared(kind: FindingKind, seq: number, recorded: unknown, now: unknown): Finding | null {
  return canonicalJson(recorded) === canonicalJson(now) ? null : finding(kind, seq, recorded, now);
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : canonicalJson(value);
  return text.length <= SHOWN_CHARS_MAX ? text : `${text.slice(0, SHOWN_CHARS_MAX)}…`;
}
