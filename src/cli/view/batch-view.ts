/** A batch as people see it: a live line at a terminal, lines in a log, and what it came to. */
import type { Clock } from "../../kernel/clock.ts";
import type { BatchState } from "../../kernel/batch-state.ts";
import { addKnownMoney, dollarsOf, formatMoney, NO_MONEY, type NanoDollars } from "../../kernel/money.ts";
import type { Event } from "../../kernel/events/index.ts";
import type { SessionState } from "../../kernel/state.ts";
import type { BatchReport } from "../../workflow/batch/drive.ts";
import { formatCount, formatDuration, plural } from "./format.ts";
import { noticeLines, noticeOf, words } from "./notice.ts";
import { paintFor } from "./paint.ts";
import { safeLine } from "./safe-text.ts";
import { Screen, type Sink } from "./screen.ts";

const BAR_COLUMNS = 24;
/** Where there is no terminal a line about progress comes at most so often. Milliseconds. */
const LOG_EVERY_MS = 10_000;

export interface BatchProgress {
  readonly events: (events: readonly Event[], state: SessionState) => void;
  readonly waiting: (reason: string | null) => void;
  readonly note: (text: string) => void;
  readonly end: () => void;
}

export function batchProgress(sink: Sink, clock: Clock): BatchProgress {
  const screen = new Screen(sink);
  const paint = paintFor(sink.colors);
  const started = clock.monotonic();
  let logged = -Infinity;
  let first: number | null = null;
  let line = "";
  const draw = (batch: BatchState, state: SessionState): void => {
    const done = doneOf(batch);
    first ??= done;
    line = progressText(batch, state, etaOf(batch.jobs - done, done - first, clock.monotonic() - started));
    if (screen.isTerminal) screen.live(line);
    else if (clock.monotonic() - logged >= LOG_EVERY_MS) {
      logged = clock.monotonic();
      screen.line(line);
    }
  };
  return {
    events: (events, state) => {
      for (const event of events) {
        const notice = noticeOf(event);
        if (notice !== null) for (const text of noticeLines(notice, paint)) screen.line(text);
      }
      if (state.jobs !== null && !state.jobs.ended) draw(state.jobs, state);
    },
    waiting: (reason) => {
      if (screen.isTerminal) screen.live(reason === null ? line : `${line} · ${safeLine(reason)}`);
      else if (reason !== null) screen.line(`… ${safeLine(reason)}`);
    },
    note: (text) => {
      screen.line(text);
    },
    end: () => {
      screen.live(null);
    },
  };
}

/** Results that are there, and what the provider has answered beyond them. */
function doneOf({ results, parts }: BatchState): number {
  const open = parts.filter(({ status }) => status === "submitted" || status === "answered");
  return results.answered + results.failed + open.reduce((sum, part) => sum + Math.max(0, part.done - part.kept), 0);
}

function etaOf(left: number, done: number, ms: number): number | null {
  return done <= 0 || left <= 0 ? null : (ms / done) * left;
}

/** `[#####·····] 4,210/10,000 jobs · part 2 of 3 · $0.42 · about 12 min left` */
function progressText(batch: BatchState, state: SessionState, eta_ms: number | null): string {
  const done = doneOf(batch);
  const filled = Math.floor((done / batch.jobs) * BAR_COLUMNS);
  const open = batch.parts.filter(({ status }) => status !== "collected").length;
  return [
    `[${"#".repeat(filled)}${"·".repeat(BAR_COLUMNS - filled)}] ${done.toLocaleString("en-US")}/${plural(batch.jobs, "job")}`,
    `${plural(batch.parts.length, "part")}, ${open} open`,
    formatMoney(costOf(state)),
    ...(eta_ms === null ? [] : [`about ${formatDuration(eta_ms)} left`]),
  ].join(" · ");
}

/** Settled, and of the parts that are not settled yet. */
export function costOf({ cost, jobs }: SessionState): NanoDollars | null {
  const open = jobs?.parts.filter(({ status }) => status !== "collected") ?? [];
  return open.reduce<NanoDollars | null>((sum, part) => addKnownMoney(sum, part.cost), cost ?? NO_MONEY);
}

export function reportLines({ session, ended, state, outcome }: BatchReport): readonly string[] {
  const { jobs: batch, usage } = state;
  if (batch === null) return [];
  const { answered, failed } = batch.results;
  const tokens = `${formatCount(usage.input_tokens + usage.cache_read_tokens + usage.cache_write_1h_tokens + usage.cache_write_5m_tokens)} tokens in, ${formatCount(usage.output_tokens)} out`;
  const how = ended ? words(outcome ?? "completed") : "under way";
  return [
    `Batch ${session}: ${how}. ${answered} of ${plural(batch.jobs, "job")} answered, ${failed} failed. ${tokens}, ${formatMoney(costOf(state))}.`,
    ended ? `Results: belay batch results ${session}` : `Go on: belay batch resume ${session}`,
  ];
}

export function reportJson({ session, ended, outcome, exit_code, state, error }: BatchReport): Record<string, unknown> {
  const cost = costOf(state);
  return {
    batch: session,
    ended,
    outcome,
    exit_code,
    jobs: state.jobs?.jobs ?? 0,
    answered: state.jobs?.results.answered ?? 0,
    failed: state.jobs?.results.failed ?? 0,
    parts: state.jobs?.parts.length ?? 0,
    usage: state.usage,
    cost_usd: cost === null ? null : dollarsOf(cost),
    error: error === null ? null : { kind: error.kind, message: error.message },
  };
}
