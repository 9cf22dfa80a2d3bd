/** Drives a session in front of a person or a program: output, signals, the end, and what to do with the work. */
import type { LiveSession } from "../engine/session.ts";
import type { Host } from "../engine/host.ts";
import { diffSession } from "../engine/operations.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { RunReport } from "../engine/report.ts";
import type { Face } from "./face.ts";
import { failureText } from "./failure.ts";
import { offerWork } from "./offer.ts";
import type { RunOutput } from "./run-output.ts";
import { stopOnSignals } from "./signals.ts";
import type { Change } from "./view/closing.ts";

export interface Followed {
  readonly face: Face;
  readonly host: Host;
  readonly live: LiveSession;
  readonly output: RunOutput;
  readonly debug: boolean;
  /** Whether a person is there who can be asked what to do with the work. */
  readonly person: boolean;
}

/** @returns the exit code of the run */
export async function follow(followed: Followed): Promise<number> {
  const { face, host, live, output, debug } = followed;
  if (live.state().runs > 1) output.resume(live.state());
  live.onEvents((events) => {
    output.events(events);
  });
  live.onDelta((delta) => {
    output.delta(delta);
  });
  const quiet = stopOnSignals({
    cancel: live.cancel,
    note: output.note,
    leave: (code) => {
      output.note(`left at once; \`belay resume ${live.session}\` goes on from the last event.`);
      process.exit(code);
    },
  });
  // Nobody reads any more: a run that nobody sees must not go on spending.
  face.out.onGone(() => {
    live.cancel("sighup", "the reader of the output is gone");
  });
  try {
    const report = await live.done;
    const mode = live.state().config?.workspace.mode ?? null;
    const changes = await changesOf(host, report);
    output.end({ report, changes, mode });
    // From here on Ctrl+C is about the question or the terminal, not about a run.
    quiet();
    if (debug && live.failure() !== null) face.err.line(failureText(live.failure(), true));
    const work = changes !== null && changes.length > 0 && mode !== null && mode !== "in_place";
    if (followed.person && work && report.outcome !== "canceled") await offerWork(face, host, report.session, mode);
    return report.exit_code;
  } finally {
    quiet();
  }
}

/** Null when there is no workspace to look at, or it cannot be looked at: the run's own end is what counts. */
async function changesOf(host: Host, report: RunReport): Promise<readonly Change[] | null> {
  if (report.workspace === null) return null;
  try {
    return (await diffSession(host, report.session)).changes;
  } catch (error) {
    if (error instanceof HarnessError) return null;
    throw error;
  }
}
