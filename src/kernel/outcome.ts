/** How a run ends, and what its exit code tells a scheduler. */
import { type ErrorKind, isRetryable } from "./error-kind.ts";

export type Outcome =
  | "completed"
  | "needs_review"
  | "needs_approval"
  | "verification_failed"
  | "budget_exhausted"
  | "limit_reached"
  | "loop_detected"
  | "refused"
  | "canceled"
  | "failed";

/**
 * How "done" was proven. `passed` has evidence (command, exit code, tree). `none_found`: nothing to prove it with was
 * given. `not_applicable`: the run did not get that far, or nothing was changed. `waived`: a person said so.
 */
export type Verification = "passed" | "failed" | "none_found" | "not_applicable" | "waived";

/** Whether running the same again can help. `later`: yes, with time. `after_change`: somebody has to decide or change something first. */
export type RetryHelps = "no" | "later" | "after_change";

export interface ExitCode {
  readonly code: number;
  readonly retry: RetryHelps;
  readonly meaning: string;
}

const EXIT_CODES = {
  completed: { code: 0, retry: "no", meaning: "The work is done; `verification` says how far that is proven." },
  failed: {
    code: 1,
    retry: "after_change",
    meaning: "The run failed; the error says what has to change before a resume.",
  },
  usage: { code: 2, retry: "after_change", meaning: "The command line or a setting is wrong; nothing was started." },
  verification_failed: { code: 3, retry: "after_change", meaning: "The work is there but its verification is red." },
  needs_approval: { code: 4, retry: "after_change", meaning: "A person has to approve something; then resume." },
  needs_review: { code: 5, retry: "after_change", meaning: "A person has to review the work; then resume." },
  budget_exhausted: { code: 6, retry: "after_change", meaning: "The money is used up; raise the budget and resume." },
  limit_reached: {
    code: 7,
    retry: "after_change",
    meaning: "A limit of turns, time or tokens was reached; raise it and resume.",
  },
  loop_detected: { code: 8, retry: "after_change", meaning: "The agent went in circles; change the task and resume." },
  refused: { code: 9, retry: "after_change", meaning: "The model refused the task." },
  replay_changed: {
    code: 10,
    retry: "no",
    meaning: "A replay came to the recorded state, and this version would decide otherwise somewhere.",
  },
  replay_damaged: { code: 11, retry: "no", meaning: "A replay found a journal that is damaged." },
  failed_for_now: {
    code: 75,
    retry: "later",
    meaning: "Something outside failed for now (provider, network, another process); resume later.",
  },
  canceled: { code: 130, retry: "after_change", meaning: "A person or a signal stopped the run; resume goes on." },
  terminated: { code: 143, retry: "later", meaning: "SIGTERM stopped the run in good order; resume goes on." },
} as const satisfies Record<string, ExitCode>;

export type ExitName = keyof typeof EXIT_CODES;

export const EXIT_TABLE: { readonly [Name in ExitName]: ExitCode } = EXIT_CODES;

/** Passing troubles: somebody else's process or database is in the way for now. */
const FOR_NOW: readonly ErrorKind[] = ["lease_held", "store_busy", "store_full", "quota_exhausted"];

/** @param cause the error of a failed run, `terminated` when a canceled run was ended by SIGTERM or SIGHUP. */
export function exitCodeOf(outcome: Outcome, cause?: ErrorKind | "terminated" | null): number {
  if (outcome === "canceled") return EXIT_TABLE[cause === "terminated" ? "terminated" : "canceled"].code;
  if (outcome === "failed" && cause && cause !== "terminated") return exitCodeOfError(cause);
  return EXIT_TABLE[outcome].code;
}

/** The exit code of a command that ended with an error of this kind. */
export function exitCodeOfError(kind: ErrorKind): number {
  if (kind === "usage" || kind === "config_invalid" || kind === "session_not_found") return EXIT_TABLE.usage.code;
  if (isRetryable(kind) || FOR_NOW.includes(kind)) return EXIT_TABLE.failed_for_now.code;
  return EXIT_TABLE.failed.code;
}
