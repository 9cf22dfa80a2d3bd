/** What stops a run from outside the loop: a person, a signal, or the end of its time. The wish is journaled, then acted on. */
import { HarnessError } from "../kernel/harness-error.ts";
import type { Drive } from "./run.ts";

export type CancelBy = "user" | "sigint" | "sigterm" | "sighup";

/** Runs whose stop is on its way into the journal: a slow store must not make ten wishes of one. */
const asked = new WeakSet<Drive>();

/** Journals the wish first, then stops what is under way. */
export async function requestStop(run: Drive, by: CancelBy, reason: string): Promise<void> {
  if (run.state().run === null || run.state().run?.cancel || run.signal.aborted || asked.has(run)) return;
  asked.add(run);
  try {
    await run.record([{ kind: "CancelRequested", actor: "user", data: { by, reason } }]);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    run.failedWith(error);
  }
  run.abort("canceled");
}

/** Stops the run when its time is used up. Measured with the monotonic clock. */
export function watchTime(run: Drive): AbortController {
  const over = new AbortController();
  const { limits, budget } = run.config();
  const session = Math.max(0, limits.active_ms - run.state().active_ms);
  const ofRun = budget.caps.find((cap) => cap.scope === "run")?.active_ms ?? Number.POSITIVE_INFINITY;
  const [left, max] = ofRun < session ? [ofRun, ofRun] : [session, limits.active_ms];
  void run.host.clock.sleep(left, over.signal).then(async () => {
    if (over.signal.aborted || run.signal.aborted) return;
    try {
      await run.record([{ kind: "LimitReached", data: { limit: "active_ms", value: max, max } }]);
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      run.failedWith(error);
    }
    run.abort("limit");
  });
  return over;
}
