/**
 * How long to wait before another attempt. Pure.
 *
 * R1: a wait is never longer than what is left of `total_ms`, and the waits of a series never sum to more.
 * R2: what the provider asked for is a floor. Where the floor is beyond what is left, the series gives up: to send
 *     earlier than asked would only fail again.
 * R3: after `attempts` attempts the series gives up.
 */
import type { Random } from "../kernel/clock.ts";
import type { RetryLimit } from "../kernel/error-kind.ts";

/** Added to what the provider asked for, so that many clients do not come back in the same instant. Share of the floor. */
const FLOOR_JITTER = 0.1;
/** The most that is added to a floor. Milliseconds. */
const FLOOR_JITTER_MS_MAX = 2_000;

export interface RetryInput {
  readonly limit: RetryLimit;
  /** Attempts that failed so far, the first call included: 1 after the first failure. */
  readonly attempt: number;
  /** Sum of the waits so far. */
  readonly waited_ms: number;
  /** What the provider asked for; null when it did not. */
  readonly retry_after_ms: number | null;
  readonly random: Random;
}

export type RetryDelay = { readonly delay_ms: number } | { readonly give_up: "attempts" | "total" };

/** Exponential, fully jittered, capped. */
export function retryDelay(input: RetryInput): RetryDelay {
  const { limit, attempt, retry_after_ms, random } = input;
  if (attempt > limit.attempts) return { give_up: "attempts" };
  const left = limit.total_ms - input.waited_ms;
  if (left < 0 || (left === 0 && limit.total_ms > 0)) return { give_up: "total" };
  // 2^30 is far beyond every cap and keeps the product finite.
  const backoff = Math.min(limit.cap_ms, limit.base_ms * 2 ** Math.min(30, Math.max(0, attempt - 1)));
  const jittered = Math.floor(backoff * random());
  if (retry_after_ms === null) return { delay_ms: Math.min(jittered, left) };
  const floor = Math.ceil(Math.max(0, retry_after_ms));
  if (floor > left) return { give_up: "total" };
  const extra = Math.floor(Math.min(FLOOR_JITTER_MS_MAX, floor * FLOOR_JITTER) * random());
  return { delay_ms: Math.min(Math.max(floor + extra, jittered), left) };
}
