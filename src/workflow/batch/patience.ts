/** How long is waited between two looks at a batch, and how many faults in a row are borne. */
import type { Random } from "../../kernel/clock.ts";
import type { ErrorKind } from "../../kernel/error-kind.ts";
import { isRetryable } from "../../kernel/error-kind.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { SessionId } from "../../kernel/ids.ts";

export interface Pace {
  /** The first wait, doubled up to the last. Milliseconds. */
  readonly first_ms: number;
  readonly last_ms: number;
}

export const PACE_DEFAULT: Pace = { first_ms: 5_000, last_ms: 60_000 };

/** A provider that fails for so long is given up for now; the batch goes on there. Milliseconds. */
export const FAULTS_MS_MAX = 1_800_000;
/**
 * A submission of which it is not known whether it arrived is waited for as long as a batch can take: nothing is sent a second
 * time before. Milliseconds.
 */
export const UNDECIDED_MS_MAX = 90_000_000;

export interface Patience {
  /** Something came of it: the next wait is the first again. */
  progress(): void;
  /** The next wait, with jitter: up to a quarter less. */
  wait(): number;
  /** As `wait`, after a fault; what the provider asked for is a floor. @throws HarnessError of its kind when it is of no use to wait */
  waitAfter(fault: Fault): number;
}

export interface Fault {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly retry_after_ms: number | null;
}

export function patience(pace: Pace, random: Random, session: SessionId): Patience {
  let next = pace.first_ms;
  let faults_ms = 0;
  const wait = (): number => {
    const jittered = Math.round(next * (1 - random() / 4));
    next = Math.min(pace.last_ms, next * 2);
    return jittered;
  };
  return {
    progress: () => {
      next = pace.first_ms;
      faults_ms = 0;
    },
    wait,
    waitAfter: ({ kind, message, retry_after_ms }) => {
      const ms = Math.max(wait(), retry_after_ms ?? 0);
      faults_ms += ms;
      if (isRetryable(kind) && faults_ms <= FAULTS_MS_MAX) return ms;
      throw new HarnessError(
        kind,
        `Batch ${session} cannot go on: ${message}`,
        `What was submitted goes on at the provider; \`belay batch resume ${session}\` goes on here.`,
      );
    },
  };
}
