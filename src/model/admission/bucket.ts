/**
 * A token bucket: so much is there at most, and it fills continuously, a whole limit in one window. Pure; times are
 * milliseconds of the store's clock.
 *
 * Providers count four things. `tokens` are input and output together, where a provider counts them so.
 */

export const KINDS = ["requests", "tokens", "input_tokens", "output_tokens"] as const;
export type Kind = (typeof KINDS)[number];
export type Amounts = { readonly [Each in Kind]: number };

export const NO_AMOUNTS: Amounts = { requests: 0, tokens: 0, input_tokens: 0, output_tokens: 0 };

/** What limits are given for, unless a provider shows that its window is longer. */
export const MINUTE_MS = 60_000;
/** A bucket of a minute is full within one: a reset that is further away belongs to a longer window. */
const LONGER_THAN_A_MINUTE_MS = 90_000;
/** Who has used less than this says too little about the length of the window. Share of the limit. */
const TELLING_SHARE = 0.1;

export interface Bucket {
  readonly limit: number;
  /** What was there at `at`. Below zero when more was used than was there. */
  readonly level: number;
  readonly at: number;
  /** In which it fills from empty. Milliseconds. */
  readonly window_ms: number;
}

export function levelAt(bucket: Bucket, now: number): number {
  const { limit, level, at, window_ms } = bucket;
  return Math.min(limit, level + (Math.max(0, now - at) * limit) / window_ms);
}

/** What one call takes out: never more than there can be, or it would wait for ever. */
export function taken(bucket: Bucket, amount: number): number {
  return Math.min(amount, bucket.limit);
}

/** @param amount below zero gives back */
export function take(bucket: Bucket, amount: number, now: number): Bucket {
  return { ...bucket, level: Math.min(bucket.limit, levelAt(bucket, now) - amount), at: now };
}

/** How long until so much is there. Milliseconds; 0 when it is. */
export function waitFor(bucket: Bucket, amount: number, now: number): number {
  const missing = amount - levelAt(bucket, now);
  return missing <= 0 ? 0 : Math.ceil((missing * bucket.window_ms) / bucket.limit);
}

export function usedShare(bucket: Bucket, now: number): number {
  return Math.min(1, Math.max(0, 1 - levelAt(bucket, now) / bucket.limit));
}

/** What a provider said of one bucket, by the store's clock. */
export interface Said {
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly reset_at: number | null;
  /** When it said so. */
  readonly at: number;
}

/**
 * The bucket as the provider has it. What it said is as old as the answer that it came with, so what may have been taken
 * since is taken off: the provider's word is the most that is there (A1).
 *
 * @param since what was, or may have been, taken after `said.at`; null when that is not known any more
 */
export function corrected(bucket: Bucket | null, said: Said, since: number | null, now: number): Bucket | null {
  const limit = said.limit ?? bucket?.limit ?? null;
  if (limit === null || limit <= 0) return bucket;
  const window_ms = windowOf(said, limit, bucket);
  const known: Bucket = bucket === null ? { limit, level: limit, at: now, window_ms } : { ...bucket, limit, window_ms };
  if (said.remaining === null || since === null) return take(known, 0, now);
  const then: Bucket = { limit, level: said.remaining, at: said.at, window_ms };
  return take(then, since, now);
}

/** From how far away a reset is: it is when the bucket is full again. */
function windowOf({ remaining, reset_at, at }: Said, limit: number, before: Bucket | null): number {
  const kept = before?.limit === limit ? before.window_ms : MINUTE_MS;
  if (remaining === null || reset_at === null || remaining >= limit) return kept;
  const full_ms = (reset_at - at) * (limit / (limit - remaining));
  if (reset_at - at > LONGER_THAN_A_MINUTE_MS) return full_ms;
  return limit - remaining >= limit * TELLING_SHARE ? MINUTE_MS : kept;
}
