/** Time is handed in, so that a test can stand still and a replay can repeat. */
export interface Clock {
  /** Milliseconds since the epoch. May jump; never used to measure a duration that enforces a limit. */
  now(): number;
  /** Milliseconds from an arbitrary start. Never goes back. Limits are measured with this. */
  monotonic(): number;
  /** Resolves after `ms`, or at once when `signal` aborts (it does not reject: look at the signal). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A number in [0, 1). Handed in for jitter. */
export type Random = () => number;
