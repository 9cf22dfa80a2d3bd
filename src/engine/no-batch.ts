/** What is done with a session and not with a batch. */
import { HarnessError } from "../kernel/harness-error.ts";
import type { SessionState } from "../kernel/state.ts";

/**
 * @param why a sentence's end: what a batch lacks for it, or is not
 * @throws HarnessError `usage` for a batch
 */
export function requireNoBatch({ session, jobs }: Pick<SessionState, "session" | "jobs">, why: string): void {
  if (jobs === null) return;
  throw new HarnessError(
    "usage",
    `${session} is a batch: ${why}.`,
    `\`belay batch resume ${session}\` goes on with it, \`belay batch results ${session}\` prints its answers.`,
  );
}
