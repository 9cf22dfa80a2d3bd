/** What a run prints, in each of the three modes. stdout holds nothing but what the mode promises. */
import type { Delta } from "../kernel/delta.ts";
import type { Event } from "../kernel/events/index.ts";
import type { SessionState } from "../kernel/state.ts";
import { totalTokens } from "../kernel/usage.ts";
import type { Face } from "./face.ts";
import type { Failure } from "./failure.ts";
import { EXIT_TABLE, exitCodeOfError } from "../kernel/outcome.ts";
import type { OutputMode } from "./settings.ts";
import { systemClock } from "../host/system-clock.ts";
import { type Closing, closingLines } from "./view/closing.ts";
import { LiveView } from "./view/live-view.ts";
import { paintFor } from "./view/paint.ts";
import { Screen } from "./view/screen.ts";

/** How often the live line is drawn anew, in milliseconds. */
const TICK_MS = 120;

export interface RunOutput {
  /** Before the first event of a session that was resumed. */
  resume(state: SessionState): void;
  events(events: readonly Event[]): void;
  delta(delta: Delta): void;
  /** A line of belay's own, for people. */
  note(text: string): void;
  /** While a person is asked. */
  pause(paused: boolean): void;
  end(closing: Closing): void;
  /** The run could not be started; the error itself is printed by whoever started it. */
  failed(failure: Failure): void;
}

export function createRunOutput(mode: OutputMode, face: Face): RunOutput {
  switch (mode) {
    case "text":
      return textOutput(face);
    case "json":
      return jsonOutput(face);
    case "events":
      return eventsOutput(face);
  }
}

function textOutput({ out }: Face): RunOutput {
  const paint = paintFor(out.colors);
  const view = new LiveView({ screen: new Screen(out), paint, monotonic: () => systemClock.monotonic() });
  const ticking = out.isTerminal
    ? setInterval(() => {
        view.tick();
      }, TICK_MS)
    : null;
  ticking?.unref();
  const stop = (): void => {
    if (ticking !== null) clearInterval(ticking);
    view.close();
  };
  return {
    resume: ({ batch, turn, usage, cost }) => {
      const open = batch.filter((call) => call.result === null).map((call) => call.part);
      view.resume(open, { turn, tokens: totalTokens(usage), cost });
    },
    events: (events) => {
      view.events(events);
    },
    // The view shows with the event what a dropped delta did not.
    delta: (delta) => {
      if (!out.behind) view.delta(delta);
    },
    note: (text) => {
      view.note(text);
    },
    pause: (paused) => {
      view.pause(paused);
    },
    end: (closing) => {
      stop();
      for (const line of closingLines(closing, paint)) out.line(line);
    },
    failed: stop,
  };
}

function jsonOutput({ out, err }: Face): RunOutput {
  return {
    resume: () => undefined,
    events: () => undefined,
    delta: () => undefined,
    note: (text) => {
      err.line(text);
    },
    pause: () => undefined,
    end: ({ report }) => {
      out.line(JSON.stringify(report));
    },
    failed: (failure) => {
      out.line(JSON.stringify(failedObject(failure)));
    },
  };
}

function eventsOutput({ out, err }: Face): RunOutput {
  return {
    resume: () => undefined,
    events: (events) => {
      for (const event of events) out.line(JSON.stringify({ type: "event", event }));
    },
    delta: (delta) => {
      if (!out.behind) out.line(JSON.stringify({ type: "delta", delta }));
    },
    note: (text) => {
      err.line(text);
    },
    pause: () => undefined,
    end: ({ report }) => {
      out.line(JSON.stringify({ type: "report", report: report }));
    },
    failed: (failure) => {
      out.line(JSON.stringify({ type: "report", report: failedObject(failure) }));
    },
  };
}

/** The members of a report, for a run that never began. */
export function failedObject({ kind, happened, todo }: Failure): Record<string, unknown> {
  return {
    session: null,
    run: null,
    outcome: "failed",
    verification: "not_applicable",
    exit_code: kind === "internal" ? EXIT_TABLE.failed.code : exitCodeOfError(kind),
    turns: 0,
    usage: null,
    cost_usd: 0,
    duration_ms: 0,
    workspace: null,
    branch: null,
    checkpoints: [],
    error: { kind, message: `${happened} ${todo}` },
  };
}
