/** When a submission without a receipt is known not to have arrived. Shared by both adapters, so that they wait alike. */
import type { Timing } from "../exchange.ts";
import type { BatchFound, LostSubmission } from "./batch.ts";
import { SUBMIT_MS_MAX } from "./exchange.ts";

/** How long a provider may take from the last byte of a submission until its list shows the batch. Milliseconds. */
const LATE_MS = 10 * 60_000;
/**
 * From the journaled intent on, in milliseconds: until then a submission that is not listed may still be on its way, because the
 * process that sends it gives up after `SUBMIT_MS_MAX` at the latest.
 */
export const LOST_GRACE_MS: number = SUBMIT_MS_MAX + LATE_MS;
/** By how much the provider's clock may be behind ours. Milliseconds. */
const CLOCKS_APART_MS = 10 * 60_000;
/** Batches that are looked at in a list; more than an account makes in the time that is searched. */
export const LISTED_MAX = 10_000;
/** Of one page of a list: the most that both providers give. */
export const PAGE_BATCHES = 100;

/** Batches created before this, in milliseconds since the epoch, cannot be the lost one. */
export function searchedSince(at: number): number {
  return at - CLOCKS_APART_MS;
}

export const UNDECIDED: BatchFound = { ok: true, state: "undecided" };

export interface LostTiming extends Timing {
  /** Absent: `LOST_GRACE_MS`. */
  readonly lostGraceMs?: number | undefined;
}

/** What a submission is of which no trace was found. */
export function verdict({ at }: LostSubmission, { clock, lostGraceMs = LOST_GRACE_MS }: LostTiming): BatchFound {
  return clock.now() - at > lostGraceMs ? { ok: true, state: "absent" } : UNDECIDED;
}
