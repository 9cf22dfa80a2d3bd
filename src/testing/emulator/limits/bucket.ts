/**
 * A token bucket: it holds what may be used at once, and refills continuously.
 *
 * K1: in any stretch of time no more is taken by `take` after a `waitMs` of 0 than the capacity and the refill of that time.
 * K2: all amounts are whole numbers of `1/60,000`: a limit per minute refills a whole number of them each millisecond, so
 *     that who waits as long as it was told is never one rounding too early.
 */
const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;

/** How long the refill takes that a bucket holds, where nobody says otherwise: the limit of a minute. Seconds. */
export const BURST_S_DEFAULT = 60;

export interface Bucket {
  /** Per minute. */
  readonly limit: number;
  /** What it holds when it is full. */
  readonly capacity: number;
  /** What is there, rounded down; below 0 where more was taken than there was. */
  left(now: number): number;
  /** Milliseconds until so much is there; until it is full where that is more than it holds. */
  waitMs(amount: number, now: number): number;
  /** Milliseconds until it is full. */
  fullMs(now: number): number;
  /** Takes it, also where it is not there; a negative amount is put back. */
  take(amount: number, now: number): void;
}

/** @param limit per minute, whole and above 0. Times are in milliseconds of a clock that only goes on. */
export function createBucket(limit: number, burstS = BURST_S_DEFAULT): Bucket {
  // One at least: an empty bucket would never let anything through.
  const full = Math.max(MINUTE_MS, Math.floor(limit * burstS * SECOND_MS));
  let held = full;
  let last: number | null = null;
  const refilled = (now: number): number => {
    const at = Math.floor(now);
    if (last === null || at > last) {
      held = Math.min(full, held + (at - (last ?? at)) * limit);
      last = at;
    }
    return held;
  };
  const until = (wanted: number, now: number): number => Math.ceil(Math.max(0, wanted - refilled(now)) / limit);
  return {
    limit,
    capacity: Math.floor(full / MINUTE_MS),
    left: (now) => Math.floor(refilled(now) / MINUTE_MS),
    waitMs: (amount, now) => until(Math.min(full, amount * MINUTE_MS), now),
    fullMs: (now) => until(full, now),
    take: (amount, now) => {
      held = Math.min(full, refilled(now) - amount * MINUTE_MS);
    },
  };
}
