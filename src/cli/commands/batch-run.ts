/** `belay batch run`, `resume` and `cancel`. */
import { rm } from "node:fs/promises";
import { systemClock } from "../../host/system-clock.ts";
import { isOwnerAlive } from "../../host/lease-owner.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT, parseSessionId, type SessionId } from "../../kernel/ids.ts";
import { formatMoney, type NanoDollars } from "../../kernel/money.ts";
import { loadSession } from "../../store/journal.ts";
import { batchDirectory, createBatch, ROUNDS_DEFAULT } from "../../workflow/batch/create.ts";
import { type BatchReport, driveBatch } from "../../workflow/batch/drive.ts";
import { estimateOf, worstCaseOfAll } from "../../workflow/batch/estimate.ts";
import { batchFiles, type BatchFiles } from "../../workflow/batch/files.ts";
import { JOB_OUTPUT_TOKENS_DEFAULT } from "../../workflow/batch/job.ts";
import { type Pace, PACE_DEFAULT } from "../../workflow/batch/patience.ts";
import { type JobsFile, jobsIn, makeJobsFile } from "../../workflow/batch/source.ts";
import { type BatchParts, withBatches } from "../batch-host.ts";
import { jobLines, type JobsFrom } from "../batch-jobs.ts";
import { changedBudget, startBudget } from "../budget-settings.ts";
import type { Face } from "../face.ts";
import { failureText } from "../failure.ts";
import { namedModel } from "../model-settings.ts";
import { chosenModel, requireProvider } from "../providers.ts";
import { listenForSignals } from "../signals.ts";
import { batchProgress, type BatchProgress, reportJson, reportLines } from "../view/batch-view.ts";
import { plural } from "../view/format.ts";

export interface JobOptions extends JobsFrom {
  readonly model?: string;
  readonly maxTokens?: number;
  readonly answerTokens?: number;
  readonly json?: true;
}

export interface WatchOptions {
  readonly budget?: NanoDollars;
  /** Milliseconds. */
  readonly pollMs?: number;
  readonly json?: true;
}

export interface BatchRunOptions extends JobOptions, WatchOptions {
  readonly skipBad?: true;
  readonly detach?: true;
  readonly resume?: string;
}

export async function runBatch(options: BatchRunOptions, face: Face): Promise<number> {
  return withBatches(face, async (parts) => {
    const { host, settings, sessions } = parts;
    const choice = chosenModel(options.model, face.environment.providers, settings);
    requireProvider(choice.provider, face);
    const session = host.ids.session();
    const files = batchFiles(batchDirectory(sessions, session));
    const budget = startBudget(options.budget === undefined ? {} : { budget: options.budget }, settings);
    try {
      const { title, source } = await sourceOf(parts, options, files);
      sayProblems(source, options, face);
      const cap = budget.caps.find(({ scope }) => scope === "session")?.cost ?? null;
      await requireWithin(parts, { files, source, options, provider: choice.provider, cap });
      const max_tokens = options.maxTokens ?? JOB_OUTPUT_TOKENS_DEFAULT;
      const place = { cwd: face.cwd, sessions };
      await createBatch(host, { session, place, title, ...choice, max_tokens, budget, rounds: ROUNDS_DEFAULT }, () =>
        Promise.resolve(source),
      );
    } catch (error) {
      // Nothing was begun: the journal does not name it.
      if ((await host.store.getSession(LOCAL_TENANT, session)) === null)
        await rm(files.directory, { recursive: true, force: true });
      throw error;
    }
    return watched(parts, session, options, options.detach === true ? "idle" : "ended");
  });
}

export async function resumeBatch(id: string, options: WatchOptions, face: Face): Promise<number> {
  return withBatches(face, (parts) => watched(parts, parseSessionId(id), options, "ended"));
}

/** Whoever watches it cancels it; where nobody does, this command looks after it until the provider has let go. */
export async function cancelBatch(id: string, face: Face): Promise<number> {
  return withBatches(face, async (parts) => {
    const { store } = parts;
    const session = parseSessionId(id);
    const { row, state } = await loadSession(store, LOCAL_TENANT, session);
    if (state.jobs === null || state.jobs.ended) {
      face.out.line(state.jobs === null ? `Session ${session} is no batch.` : `Batch ${session} has ended already.`);
      return state.jobs === null ? 2 : 0;
    }
    if (row.owner !== null && isOwnerAlive(row.owner) !== false) {
      await store.requestCancel(LOCAL_TENANT, session);
      face.out.line(`Asked process ${row.owner.pid} to cancel batch ${session}.`);
      return 0;
    }
    const report = await follow(parts, session, {}, "ended", true);
    for (const line of reportLines(report)) face.out.line(line);
    return report.error === null && report.ended ? 0 : codeOf(report, parts.face);
  });
}

/** The jobs as they were said, in a file of the batch's own. */
export async function sourceOf(
  { face, settings }: BatchParts,
  options: JobOptions,
  files: BatchFiles,
): Promise<{ readonly title: string; readonly source: JobsFile; readonly provider: string }> {
  const { provider, model } = chosenModel(options.model, face.environment.providers, settings);
  const { title, lines, system } = await jobLines(options, face);
  const source = await makeJobsFile(files, lines, {
    model,
    system,
    max_tokens: options.maxTokens ?? JOB_OUTPUT_TOKENS_DEFAULT,
    modelOf: (name) => {
      const named = namedModel(name, settings);
      return named?.provider === provider ? named.model : null;
    },
  });
  if (source.jobs === 0 && source.bad === 0)
    throw new HarnessError("usage", `${title} holds no jobs.`, "Write one job a line, or correct the pattern.");
  return { title, source, provider };
}

function sayProblems({ jobs, bad, problems }: JobsFile, { skipBad }: BatchRunOptions, face: Face): void {
  if (bad === 0) return;
  for (const { line, problem } of problems) face.err.line(`belay: line ${line}: ${problem}`);
  if (bad > problems.length) face.err.line(`belay: and ${bad - problems.length} more.`);
  if (skipBad === true && jobs > 0) {
    face.err.line(`belay: ${plural(bad, "line")} left out.`);
    return;
  }
  const todo = "Correct them, or leave them out with --skip-bad.";
  throw new HarnessError(
    "usage",
    `${plural(bad, "line")} of the file ${bad === 1 ? "is" : "are"} no job; nothing was started.`,
    todo,
  );
}

interface Asked {
  readonly files: BatchFiles;
  readonly source: JobsFile;
  readonly options: BatchRunOptions;
  readonly provider: string;
  readonly cap: NanoDollars | null;
}

/** Says what it is likely to cost, and refuses what nobody asked for: a worst case above the default cap. */
async function requireWithin(
  { host, face }: BatchParts,
  { files, source, options, provider, cap }: Asked,
): Promise<void> {
  const { prices } = host;
  const estimate = await estimateOf(prices, provider, source.models, options.answerTokens ?? null);
  const worst = await worstCaseOfAll(prices, provider, jobsIn(files));
  const likely = estimate.shared_tokens > 0 ? estimate.batch_cached : estimate.batch;
  face.err.line(
    `belay: ${plural(source.jobs, "job")}, likely ${formatMoney(likely)} (live ${formatMoney(estimate.live)}), at most ${formatMoney(worst.cost)}.`,
  );
  if (cap === null || worst.cost === null || worst.cost <= cap) return;
  if (options.budget !== undefined) {
    face.err.line(
      `belay: that is more than the cap of ${formatMoney(cap)}: parts are as small as it wants, one after the other.`,
    );
    return;
  }
  throw new HarnessError(
    "budget_exceeded",
    `These jobs may cost ${formatMoney(worst.cost)}, more than the cap of ${formatMoney(cap)}.`,
    "Say what they may cost with --budget, or lower --max-tokens.",
  );
}

async function watched(
  parts: BatchParts,
  session: SessionId,
  options: WatchOptions,
  until: "ended" | "idle",
): Promise<number> {
  const { out } = parts.face;
  const report = await follow(parts, session, options, until, false);
  if (options.json === true) out.json(JSON.stringify(reportJson(report)));
  else for (const line of reportLines(report)) out.line(line);
  return codeOf(report, parts.face);
}

/** @throws the error that ended it, where that says the exit code */
function codeOf({ error, outcome, exit_code }: BatchReport, face: Face): number {
  if (error !== null && outcome === "budget_exhausted") face.err.line(failureText(error, false));
  else if (error !== null && outcome !== "canceled") throw error;
  return exit_code;
}

/** Drives a batch in front of a person or in a log. */
export async function follow(
  parts: BatchParts,
  session: SessionId,
  options: WatchOptions,
  until: "ended" | "idle",
  cancel: boolean,
): Promise<BatchReport> {
  const { host, batches, face, settings } = parts;
  const progress: BatchProgress = batchProgress(options.json === true ? face.err : face.out, systemClock);
  const stop = new AbortController();
  const { budget } = options;
  let terminated = false;
  const signals = listenForSignals({ monotonic: () => systemClock.monotonic(), leave: (code) => process.exit(code) });
  signals.stops({
    cancel: (by) => {
      terminated = by !== "sigint";
      stop.abort();
    },
    note: () => {
      progress.note(`the provider goes on; \`belay batch resume ${session}\` goes on here.`);
    },
  });
  try {
    const report = await driveBatch(host, batches, {
      session,
      until,
      signal: stop.signal,
      terminated: () => terminated,
      pace: paceOf(options),
      cancel,
      // What the machine restricts holds also where nothing is said.
      budget: (present) => changedBudget(budget === undefined ? {} : { budget }, present, settings),
      onEvents: progress.events,
      onWait: progress.waiting,
    });
    return report;
  } finally {
    progress.end();
    signals.quiet();
  }
}

function paceOf({ pollMs }: WatchOptions): Pace {
  return pollMs === undefined ? PACE_DEFAULT : { first_ms: Math.ceil(pollMs / 8), last_ms: pollMs };
}
