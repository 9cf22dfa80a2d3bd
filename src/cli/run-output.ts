/** What a run prints, in each of the three modes. stdout holds nothing but what the mode promises. */
import type { Standing } from "../engine/report.ts";
import type { Delta } from "../kernel/delta.ts";
import type { Event } from "../kernel/events/index.ts";
import type { SessionState } from "../kernel/state.ts";
import { dollarsOf } from "../kernel/money.ts";
import { totalTokens } from "../kernel/usage.ts";
import { CiLog, SILENCE_LOOK_MS, SILENCE_MAX_MS } from "./ci-log.ts";
import { createCiReport } from "./ci-report.ts";
import type { Face } from "./face.ts";
import type { Failure } from "./failure.ts";
import { EXIT_TABLE, exitCodeOfError } from "../kernel/outcome.ts";
import type { OutputMode } from "./settings.ts";
import { systemClock } from "../host/system-clock.ts";
import { type Closing, closingLines } from "./view/closing.ts";
import { LiveView } from "./view/live-view.ts";
import { LogSink } from "./view/log-sink.ts";
import { jsonWithoutCommands } from "./view/log-text.ts";
import { type Paint, paintFor } from "./view/paint.ts";
import { reviewLines } from "./view/review-view.ts";
import { Screen } from "./view/screen.ts";

/** How often the live line is drawn anew, in milliseconds. */
const TICK_MS = 120;

export interface RunOutput {
  /** Before the first event of a session that was resumed. */
  resume(state: SessionState): void;
  events(events: readonly Event[]): void;
  delta(delta: Delta): void;
  /** How the session stands, after events that changed it. `window`: tokens that its context may have; null: not known. */
  standing(standing: Standing, window: number | null): void;
  /** A line of belay's own, for people. */
  note(text: string): void;
  /** While a person is asked. */
  pause(paused: boolean): void;
  end(closing: Closing): void;
  /** The run could not be started; the error itself is printed by whoever started it. */
  failed(failure: Failure): void;
}

export function createRunOutput(mode: OutputMode, face: Face): RunOutput {
  const { ci } = face.environment;
  if (ci === null || (mode === "text" && face.out.isTerminal)) return ordinaryOutput(mode, face);
  // stdout keeps its promise to the program that reads it: what is for the log goes to stderr.
  const log = mode === "text" ? face.out : face.err;
  const sink = new LogSink({
    write: (text) => log.write(text),
    colors: log.colors,
    columns: () => log.columns(),
    monotonic: () => systemClock.monotonic(),
  });
  const output = mode === "text" ? ciTextOutput(face, sink, ci.github) : spoken(ordinaryOutput(mode, face), mode, sink);
  if (!ci.github) return output;
  const report = createCiReport({ environment: face.environment.all, command: (line) => sink.command(line) });
  return {
    ...output,
    events: (events) => {
      report.events(events);
      output.events(events);
    },
    end: (closing) => {
      output.end(closing);
      report.end(closing);
    },
    failed: (failure) => {
      output.failed(failure);
      report.failed(failure, exitCodeOfKind(failure.kind));
    },
  };
}

function ordinaryOutput(mode: OutputMode, face: Face): RunOutput {
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
    standing: (standing, window) => {
      view.standing(standing, window);
    },
    note: (text) => {
      view.note(text);
    },
    pause: (paused) => {
      view.pause(paused);
    },
    end: (closing) => {
      stop();
      for (const line of [...reviewed(closing, paint), ...closingLines(closing, paint)]) out.line(line);
    },
    failed: stop,
  };
}

/** A log of continuous integration: see `ci-log.ts`. */
function ciTextOutput({ out }: Face, sink: LogSink, folds: boolean): RunOutput {
  const paint = paintFor(out.colors);
  const log = new CiLog({ sink, paint, folds, monotonic: () => systemClock.monotonic() });
  const quiet = everySoOften(() => {
    log.look();
  });
  const stop = (): void => {
    quiet();
    log.close();
  };
  return {
    resume: (state) => {
      log.resume(state);
    },
    events: (events) => {
      for (const event of events) log.event(event);
    },
    delta: (delta) => {
      if (!out.behind) log.delta(delta);
    },
    standing: (standing, window) => {
      log.standing(standing, window);
    },
    note: (text) => {
      log.note(text);
    },
    pause: () => undefined,
    end: (closing) => {
      stop();
      for (const line of [...reviewed(closing, paint), ...closingLines(closing, paint)]) sink.write(`${line}\n`);
    },
    failed: stop,
  };
}

/** A program reads stdout, and nobody says anything to the log: this says now and then that the run goes on. */
function spoken(output: RunOutput, mode: OutputMode, sink: LogSink): RunOutput {
  const quiet = everySoOften(() => {
    if (mode === "json" && sink.silentFor() >= SILENCE_MAX_MS) sink.write("… still at work\n");
  });
  return {
    ...output,
    end: (closing) => {
      quiet();
      output.end(closing);
    },
    failed: (failure) => {
      quiet();
      output.failed(failure);
    },
  };
}

function everySoOften(look: () => void): () => void {
  const ticking = setInterval(look, SILENCE_LOOK_MS);
  ticking.unref();
  return () => {
    clearInterval(ticking);
  };
}

/** JSON on one line, in which a log of continuous integration finds no command. */
function lineOf(environment: Face["environment"]): (value: unknown) => string {
  if (environment.ci === null) return JSON.stringify;
  return (value) => jsonWithoutCommands(JSON.stringify(value));
}

function jsonOutput({ out, err, environment }: Face): RunOutput {
  const line = lineOf(environment);
  return {
    resume: () => undefined,
    events: () => undefined,
    delta: () => undefined,
    standing: () => undefined,
    note: (text) => {
      err.line(text);
    },
    pause: () => undefined,
    end: (closing) => {
      out.line(line(reportObject(closing)));
    },
    failed: (failure) => {
      out.line(line(failedObject(failure)));
    },
  };
}

function eventsOutput({ out, err, environment }: Face): RunOutput {
  const line = lineOf(environment);
  return {
    resume: () => undefined,
    events: (events) => {
      for (const event of events) out.line(line({ type: "event", event }));
    },
    delta: (delta) => {
      if (!out.behind) out.line(line({ type: "delta", delta }));
    },
    standing: (standing, window) => {
      if (!out.behind) out.line(line({ type: "standing", standing: standingObject(standing, window) }));
    },
    note: (text) => {
      err.line(text);
    },
    pause: () => undefined,
    end: (closing) => {
      out.line(line({ type: "report", report: reportObject(closing) }));
    },
    failed: (failure) => {
      out.line(line({ type: "report", report: failedObject(failure) }));
    },
  };
}

function reviewed({ review = null }: Closing, paint: Paint): readonly string[] {
  return review === null ? [] : reviewLines(review, paint);
}

function exitCodeOfKind(kind: Failure["kind"]): number {
  return kind === "internal" ? EXIT_TABLE.failed.code : exitCodeOfError(kind);
}

/** Money in dollars, as in a report. */
function standingObject(standing: Standing, window: number | null): Record<string, unknown> {
  const { cost, unknown_cost, left, cache_read_share, context_tokens } = standing;
  return {
    cost_usd: cost === null ? null : dollarsOf(cost),
    unknown_cost_usd: dollarsOf(unknown_cost),
    budget_left: left === null ? null : { scope: left.scope, usd: dollarsOf(left.cost) },
    cache_read_share,
    context: { tokens: context_tokens, window },
  };
}

/** A report, and what a person has to look at where one has to. */
function reportObject({ report, review = null }: Closing): Record<string, unknown> {
  return { ...report, review };
}

/** The members of a report, for a run that never began. */
export function failedObject({ kind, happened, todo }: Failure): Record<string, unknown> {
  return {
    session: null,
    run: null,
    outcome: "failed",
    verification: "not_applicable",
    exit_code: exitCodeOfKind(kind),
    turns: 0,
    usage: null,
    cost_usd: 0,
    unknown_cost_usd: 0,
    budget_left: null,
    cache_read_share: null,
    context: null,
    model_switches: [],
    waits: { rate_ms: 0, retry_ms: 0 },
    duration_ms: 0,
    workspace: null,
    branch: null,
    checkpoints: [],
    error: { kind, message: `${happened} ${todo}` },
    waiting: [],
    review: null,
  };
}
