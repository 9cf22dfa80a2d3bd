/** What a batch does next: pure, from what is journaled. */
import { type BatchPart, type BatchState, isOpen, nextPosition } from "./batch-state.ts";
import type { Outcome } from "./outcome.ts";

/** Parts that a provider works on at the same time. */
export const PARTS_OPEN_MAX = 8;

export type BatchStep =
  /** Whether it arrived is not known: a crash or a fault came before the receipt. */
  | { readonly kind: "find"; readonly part: BatchPart }
  | { readonly kind: "collect"; readonly part: BatchPart }
  | { readonly kind: "cancel"; readonly part: BatchPart }
  /** `again`: known not to have arrived. Null: a new part, from this position on. */
  | { readonly kind: "submit"; readonly again: BatchPart | null; readonly from: number }
  | { readonly kind: "poll"; readonly parts: readonly BatchPart[] }
  | { readonly kind: "retry"; readonly jobs: number }
  /** Jobs that still have no result get one that says so. */
  | { readonly kind: "end" }
  | { readonly kind: "done" };

/** @param held what a cap leaves is reserved by the parts under way: nothing is submitted until one of them has ended */
export function nextBatchStep(batch: BatchState, held: boolean): BatchStep {
  const { parts, round, canceling, rounds } = batch;
  if (batch.ended) return { kind: "done" };
  const find = (status: BatchPart["status"]): BatchPart | undefined => parts.find((part) => part.status === status);
  const lost = find("submitting");
  if (lost) return { kind: "find", part: lost };
  const answered = find("answered");
  if (answered) return { kind: "collect", part: answered };
  const unwanted = parts.find((part) => part.status === "submitted" && !part.canceling);
  if (canceling && unwanted) return { kind: "cancel", part: unwanted };
  const open = parts.filter(isOpen);
  if (!canceling && open.length < PARTS_OPEN_MAX && !(held && open.length > 0)) {
    const again = find("withdrawn") ?? null;
    const from = again?.from ?? nextPosition(batch);
    if (again !== null || from < round.jobs) return { kind: "submit", again, from };
  }
  if (open.length > 0) return { kind: "poll", parts: open };
  const left = parts.reduce((sum, part) => (part.round === round.number ? sum + part.left : sum), 0);
  if (!canceling && left > 0 && round.number < rounds) return { kind: "retry", jobs: left };
  return { kind: "end" };
}

/** What a batch came to; null where it was left before it ended. */
export function batchOutcome({ ended, canceling, results }: BatchState): Outcome | null {
  if (!ended) return null;
  if (canceling) return "canceled";
  return results.failed === 0 ? "completed" : "failed";
}
