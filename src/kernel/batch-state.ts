/**
 * The work of a batch: many independent jobs that a provider answers within a day. The state grows with the parts that were
 * submitted, never with the jobs: which of them are answered is known from the file of results, up to `results.bytes`.
 *
 * A round gives a list of jobs to the provider: the first one all of them, each later one those without a result. The list is cut
 * into parts; a part is one batch of the provider.
 */
import type { ModelCallId } from "./ids.ts";
import type { NanoDollars } from "./money.ts";
import type { Usage } from "./usage.ts";

/** What titles of batches begin with: rows tell them from sessions by it, and the state has the last word. */
export const BATCH_TITLE = "batch: ";

export interface BatchState {
  readonly provider: string;
  /** Jobs in all. */
  readonly jobs: number;
  /** SHA-256, hex, of the file of jobs that was made when the batch was created. */
  readonly source: string;
  /** How often jobs are handed in at most: the first time, and again what failed for now or expired. */
  readonly rounds: number;
  readonly round: BatchRound;
  readonly parts: readonly BatchPart[];
  readonly results: {
    /** Of the file: what stands after it was not acknowledged and is cut off. */
    readonly bytes: number;
    readonly answered: number;
    readonly failed: number;
  };
  /** Somebody wants no more of it: what runs is canceled at the provider. */
  readonly canceling: boolean;
  readonly ended: boolean;
}

export interface BatchRound {
  readonly number: number;
  /** Jobs that it has. */
  readonly jobs: number;
  /** Length of the file of results when it began: the jobs without a result in it are the round's. */
  readonly results_bytes: number;
}

export interface BatchPart {
  /** From 1, over all rounds. */
  readonly number: number;
  readonly round: number;
  /** Positions in the round's list: `from` belongs to it, `to` does not. */
  readonly from: number;
  readonly to: number;
  /** How often it was about to be submitted. */
  readonly attempt: number;
  readonly marker: string;
  /** What its worst case is reserved under. */
  readonly call: ModelCallId;
  readonly reserved: NanoDollars | null;
  /** When it was journaled that it is about to be submitted, in milliseconds since the epoch. */
  readonly at: number;
  /**
   * `submitting`: whether it arrived is not known. `withdrawn`: it is known that it did not. `submitted`: the provider works on
   * it. `answered`: its results can be fetched, or it was refused whole. `collected`: they were.
   */
  readonly status: "submitting" | "withdrawn" | "submitted" | "answered" | "collected";
  /** The provider's id of it; null before the receipt. */
  readonly batch: string | null;
  /** As the provider said last. */
  readonly done: number;
  readonly canceling: boolean;
  /** Why the provider took none of it; null where it did. */
  readonly refused: string | null;
  /** Results of it that are in the file. */
  readonly kept: number;
  readonly usage: Usage;
  /** Null when a price is unknown. */
  readonly cost: NanoDollars | null;
  /** Jobs of it that got no result to keep. */
  readonly left: number;
}

/** Jobs of the round that are in no part yet begin here. */
export function nextPosition({ parts, round }: Pick<BatchState, "parts" | "round">): number {
  return parts.reduce((next, part) => (part.round === round.number ? Math.max(next, part.to) : next), 0);
}

export function isOpen({ status }: BatchPart): boolean {
  return status === "submitting" || status === "submitted" || status === "answered";
}
