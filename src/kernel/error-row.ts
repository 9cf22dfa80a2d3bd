/** What a row of the error table says, and the bounds that rows share. */

/**
 * - `retry`: send the same again, after an exponential, jittered, bounded wait.
 * - `repair`: change the request once (the row says how) and send again; a second time of the same kind ends the run.
 * - `compact`: make the conversation smaller and send again.
 * - `fall_back`: use the next model, where one is configured.
 * - `wait`: wait for as long as the other side said, within limits, and go on.
 * - `pause`: end the run resumable: a person or time has to change something first, and `belay resume` goes on.
 * - `escalate`: ask a person.
 * - `abort`: end the run: neither time nor a retry helps.
 * - `surface`: hand it on (to the model as a result, to the user as a message) and go on.
 */
export type Handling =
  "retry" | "repair" | "compact" | "fall_back" | "wait" | "pause" | "escalate" | "abort" | "surface";

export type Subsystem =
  | "provider"
  | "budget"
  | "store"
  | "git"
  | "workspace"
  | "snapshot"
  | "sandbox"
  | "process"
  | "tool"
  | "hook"
  | "mcp"
  | "oauth"
  | "configuration"
  | "internal";

/** Bounds of a series of attempts. `total_ms` is the sum of the waits. */
export interface RetryLimit {
  readonly attempts: number;
  readonly base_ms: number;
  readonly cap_ms: number;
  readonly total_ms: number;
}

export const TRANSIENT: RetryLimit = { attempts: 8, base_ms: 500, cap_ms: 30_000, total_ms: 300_000 };
export const RATE: RetryLimit = { attempts: 12, base_ms: 1_000, cap_ms: 60_000, total_ms: 900_000 };
/** Held by calls under way: most end within a minute. What a process held that died is freed when its session is resumed or removed. */
export const HELD: RetryLimit = { attempts: 60, base_ms: 200, cap_ms: 5_000, total_ms: 120_000 };
export const ONCE: RetryLimit = { attempts: 1, base_ms: 0, cap_ms: 0, total_ms: 0 };
export const AT_ONCE: RetryLimit = { attempts: 2, base_ms: 0, cap_ms: 0, total_ms: 0 };
export const BUSY: RetryLimit = { attempts: 20, base_ms: 20, cap_ms: 1_000, total_ms: 10_000 };

export interface ErrorRow {
  readonly subsystem: Subsystem;
  readonly handling: Handling;
  /** What it means, in one sentence. */
  readonly meaning: string;
  /** What belay does, or what the user can do, in one sentence. */
  readonly remedy: string;
  /** Present where the handling sends or tries again. */
  readonly limit?: RetryLimit;
  /** Hooks add tokens: after an error about tokens none runs. */
  readonly hooks: "run" | "skip";
}

export const row = (
  subsystem: Subsystem,
  handling: Handling,
  meaning: string,
  remedy: string,
  limit?: RetryLimit,
): ErrorRow => ({
  subsystem,
  handling,
  meaning,
  remedy,
  hooks: "run",
  ...(limit ? { limit } : {}),
});
export const tokens = (errorRow: ErrorRow): ErrorRow => ({ ...errorRow, hooks: "skip" });
