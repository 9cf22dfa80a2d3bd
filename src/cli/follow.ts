/** Drives a session in front of a person or a program: output, signals, the end, and what to do with the work. */
import type { LiveSession } from "../engine/session.ts";
import { waitingCalls } from "../engine/ask.ts";
import type { Host } from "../engine/host.ts";
import { changesOfSession } from "../engine/operations.ts";
import { systemClock } from "../host/system-clock.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { type RunReport, standingOf, surelyUnchanged } from "../engine/report.ts";
import type { EventKind } from "../kernel/events/index.ts";
import { modelInUse } from "../kernel/model-in-use.ts";
import type { SessionState } from "../kernel/state.ts";
import type { ReviewReport } from "../observe/review/report.ts";
import type { Face } from "./face.ts";
import { failureText } from "./failure.ts";
import { offerWork } from "./offer.ts";
import type { RunOutput } from "./run-output.ts";
import type { Signals } from "./signals.ts";
import type { Change } from "./view/closing.ts";

/** How long a run that was stopped looks at what it has changed, in milliseconds. */
const CANCELED_LOOK_LIMIT_MS = 500;

export interface Followed {
  readonly face: Face;
  readonly host: Host;
  readonly live: LiveSession;
  readonly output: RunOutput;
  readonly signals: Signals;
  readonly debug: boolean;
  /** Whether a person is there who can be asked what to do with the work. */
  readonly person: boolean;
}

/** @returns the exit code of the run */
export async function follow(followed: Followed): Promise<number> {
  const { face, host, live, output, signals, debug } = followed;
  if (live.state().runs > 1) output.resume(live.state());
  const standings = showStandings(followed);
  live.onEvents((events) => {
    output.events(events);
    if (events.some(({ kind }) => STANDING_CHANGES.includes(kind))) standings.show();
  });
  live.onDelta((delta) => {
    output.delta(delta);
  });
  signals.stops({ cancel: live.cancel, note: output.note });
  // Nobody reads any more: a run that nobody sees must not go on spending.
  face.out.onGone(() => {
    signals.stop("sighup", "the reader of the output is gone");
  });
  try {
    const report = await live.done;
    standings.end();
    const mode = live.state().config?.workspace.mode ?? null;
    const changes = await changesOf(host, live, report);
    const waiting = report.outcome === "needs_approval" ? waitingCalls(live.state()) : [];
    const review = report.outcome === "needs_review" ? await reviewOf(live, changes) : null;
    output.end({ report, changes, mode, waiting, review });
    // From here on Ctrl+C is about the question or the terminal, not about a run.
    signals.quiet();
    if (debug && live.failure() !== null) face.err.line(failureText(live.failure(), true));
    const work = changes !== null && changes.length > 0 && mode !== null && mode !== "in_place";
    if (followed.person && work && report.outcome !== "canceled") await offerWork(face, host, report.session, mode);
    return report.exit_code;
  } finally {
    signals.quiet();
  }
}

async function reviewOf(live: LiveSession, changes: readonly Change[] | null): Promise<ReviewReport> {
  const { reviewReport } = await import("../observe/review/report.ts");
  return reviewReport(live.state(), changes);
}

/** After these a session stands otherwise: what was spent, under which caps, with which model. */
const STANDING_CHANGES: readonly EventKind[] = [
  "SessionConfigured",
  "SettingsChanged",
  "RunStarted",
  "BudgetSettled",
  "ModelSwitched",
  "PhaseEntered",
];

/** The size of a model's context is asked for once, and shown when it is there. */
function showStandings({ host, live, output }: Followed): { readonly show: () => void; readonly end: () => void } {
  const windows = new Map<string, number | null>();
  let ended = false;
  const show = (): void => {
    const state = live.state();
    const name = modelName(state);
    output.standing(standingOf(state), windows.get(name) ?? null);
    if (windows.has(name)) return;
    windows.set(name, null);
    const { provider, model } = modelInUse(state);
    void host.prices.contextWindow(provider, model).then((window) => {
      windows.set(name, window);
      if (!ended && window !== null)
        output.standing(standingOf(live.state()), windows.get(modelName(live.state())) ?? null);
    });
  };
  return { show, end: () => (ended = true) };
}

function modelName(state: SessionState): string {
  const { provider, model } = modelInUse(state);
  return `${provider}/${model}`;
}

async function nothingAfter(limit_ms: number): Promise<null> {
  await systemClock.sleep(limit_ms);
  return null;
}

/** Null when there is no workspace to look at, or it cannot be looked at: the run's own end is what counts. */
async function changesOf(host: Host, live: LiveSession, report: RunReport): Promise<readonly Change[] | null> {
  if (report.workspace === null) return null;
  if (surelyUnchanged(live.state(), host.tools)) return [];
  const looked = changesOfSession(host, report.session);
  looked.catch(() => undefined); // awaited below, unless the time is over first
  try {
    // Whoever stopped the run kills soon: what changed can be looked at later.
    if (report.outcome === "canceled") return await Promise.race([looked, nothingAfter(CANCELED_LOOK_LIMIT_MS)]);
    return await looked;
  } catch (error) {
    if (error instanceof HarnessError) return null;
    throw error;
  }
}
