/**
 * Drives a batch: what is journaled says what comes next (`kernel/batch-step.ts`), and each step journals what came of it. One process at a
 * time does so; what it stops at, another one goes on with.
 */
import { type BatchState, isOpen } from "../../kernel/batch-state.ts";
import { batchOutcome, type BatchStep, nextBatchStep } from "../../kernel/batch-step.ts";
import type { Budget } from "../../kernel/budget.ts";
import type { Draft, Event } from "../../kernel/events/index.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { SessionId } from "../../kernel/ids.ts";
import { canonicalJson } from "../../kernel/json.ts";
import { EXIT_TABLE, exitCodeOf, type Outcome } from "../../kernel/outcome.ts";
import type { SessionState } from "../../kernel/state.ts";
import type { Host } from "../../engine/host.ts";
import { keepLease } from "../../engine/lease-keeper.ts";
import { ownership } from "../../engine/ownership.ts";
import { claimSession, openForWriting } from "../../engine/session.ts";
import type { BatchFault, BatchModels, BatchStatus } from "../../model/batch/batch.ts";
import type { Journal } from "../../store/journal.ts";
import { batchOf, type BatchRun } from "./batch-run.ts";
import { collectPart, keepUnanswered } from "./collect.ts";
import { batchFiles } from "./files.ts";
import { type Fault, type Pace, PACE_DEFAULT, patience, type Patience, UNDECIDED_MS_MAX } from "./patience.ts";
import { indexJobs } from "./source.ts";
import { findPart, submitPart } from "./submit.ts";

export interface DriveRequest {
  readonly session: SessionId;
  /** `ended`: until every job has its result. `idle`: until there is nothing to do but to wait. */
  readonly until: "ended" | "idle";
  /** Stops watching; the provider goes on. */
  readonly signal: AbortSignal;
  /** Whether the signal was a SIGTERM or a closed terminal: another exit code. */
  readonly terminated?: () => boolean;
  /** Caps from here on; absent: as they were. */
  readonly budget?: (present: Budget) => Budget;
  readonly pace?: Pace;
  /** Nobody wants it any more: it is canceled at the provider. */
  readonly cancel?: boolean;
  readonly onEvents?: (events: readonly Event[], state: SessionState) => void;
  readonly onWait?: (reason: string | null) => void;
}

export interface BatchReport {
  readonly session: SessionId;
  /** Whether every job has its result. */
  readonly ended: boolean;
  readonly outcome: Outcome | null;
  readonly exit_code: number;
  readonly state: SessionState;
  readonly error: HarnessError | null;
}

/** @throws `session_not_found`, `lease_held`, `usage` (no batch), `config_invalid` (no batches there), `store_corrupt` */
export async function driveBatch(host: Host, batches: BatchModels, request: DriveRequest): Promise<BatchReport> {
  const lease = await claimSession(host, request.session);
  const row = await host.store.getSession(lease.tenant, lease.session);
  const { journal } = await openForWriting(host, lease, row?.place ?? { cwd: "", source: "", directory: "" });
  const stop = new AbortController();
  let lost: HarnessError | null = null;
  let cancel = request.cancel === true;
  const keeper = keepLease(
    { store: host.store, lease, ownership: ownership(journal, host.clock, lease.asked), clock: host.clock },
    {
      onCancelRequested: () => {
        cancel = true;
      },
      onLost: (error) => {
        lost = error;
        stop.abort();
      },
    },
  );
  journal.onAppend((events) => request.onEvents?.(events, journal.state));
  try {
    const files = batchFiles(row?.place.directory ?? "");
    const state = batchOf(journal.state);
    if (state.ended) return reportOf(journal, null, request);
    const provider = await batches.of(state.provider);
    if (provider === null) throw noBatches(state.provider);
    const index = await indexJobs(files, state, request.session);
    try {
      const signal = AbortSignal.any([request.signal, stop.signal]);
      const onWait = request.onWait ?? ((): void => undefined);
      const run: BatchRun = { host, provider, journal, files, index, signal, onWait };
      return await oneRun(run, request, { lost: () => lost, wantsCancel: () => cancel });
    } finally {
      await index.close();
    }
  } finally {
    await keeper.stop();
    await journal.close();
  }
}

interface Watched {
  readonly lost: () => HarnessError | null;
  readonly wantsCancel: () => boolean;
}

async function oneRun(run: BatchRun, request: DriveRequest, watched: Watched): Promise<BatchReport> {
  const { journal, host } = run;
  const started = host.clock.monotonic();
  const { config, runs } = journal.state;
  const budget = config && (request.budget?.(config.budget) ?? config.budget);
  if (config !== null && budget !== null && canonicalJson(budget) !== canonicalJson(config.budget)) {
    const data = { config: { ...config, budget }, changed: ["budget"] };
    await journal.append([{ kind: "SettingsChanged", actor: "user", data }]);
  }
  const begin: Draft = {
    kind: "RunStarted",
    data: { run: host.ids.run(), number: runs + 1, reason: runs === 0 ? "start" : "resume", pid: host.owner().pid },
  };
  // A look is no run, unless it is the last one.
  const looks = request.until === "idle";
  if (!looks) await journal.append([begin]);
  let error: HarnessError | null = null;
  try {
    await steps(run, request, watched);
  } catch (thrown) {
    if (!(thrown instanceof HarnessError)) throw thrown;
    error = watched.lost() ?? thrown;
    if (error.kind === "fenced" || error.kind === "store_io") throw error;
  }
  const report = reportOf(journal, error, request);
  if (looks && !report.ended) return report;
  await journal.append([
    ...(looks ? [begin] : []),
    {
      kind: "RunEnded",
      data: {
        outcome: report.outcome ?? "canceled",
        verification: "not_applicable",
        exit_code: report.exit_code,
        error: error === null ? null : { kind: error.kind, message: error.message },
        active_ms: Math.round(host.clock.monotonic() - started),
      },
    },
  ]);
  return { ...report, state: journal.state };
}

function reportOf(journal: Journal, error: HarnessError | null, request: DriveRequest): BatchReport {
  const { state } = journal;
  const batch = batchOf(state);
  const outcome = outcomeOf(batch, error);
  const code =
    outcome === null
      ? request.signal.aborted
        ? exitCodeOf("canceled", request.terminated?.() === true ? "terminated" : null)
        : EXIT_TABLE.completed.code
      : exitCodeOf(outcome, error?.kind ?? null);
  return { session: state.session, ended: batch.ended, outcome, exit_code: code, state, error };
}

/** Null: it was left before it ended. */
function outcomeOf(batch: BatchState, error: HarnessError | null): Outcome | null {
  if (error !== null)
    return error.kind === "budget_exceeded" || error.kind === "budget_held" ? "budget_exhausted" : "failed";
  return batchOutcome(batch);
}

async function steps(
  run: BatchRun,
  { until, signal, pace = PACE_DEFAULT }: DriveRequest,
  watched: Watched,
): Promise<void> {
  const { journal, host } = run;
  const waits = patience(pace, host.random, journal.state.session);
  let held = false;
  // What happened meanwhile is asked first; only then is anything waited for.
  let wait_ms = 0;
  while (!run.signal.aborted) {
    if (watched.wantsCancel() && !batchOf(journal.state).canceling)
      await journal.append([{ kind: "BatchCancelRequested", actor: "user", data: { reason: "asked by a person" } }]);
    const step = nextBatchStep(batchOf(journal.state), held);
    if (step.kind === "done") return;
    if (step.kind === "poll" && wait_ms > 0) {
      if (until === "idle") return;
      await pauseFor(run, wait_ms, null, watched);
      if (signal.aborted) return;
    }
    const came = await perform(run, step, waits);
    held = came === "held" || (held && step.kind !== "collect");
    if (came === "progress") waits.progress();
    wait_ms = came === "nothing" ? waits.wait() : 0;
    if (typeof came === "object") {
      if (run.signal.aborted) break;
      const ms = "kind" in came ? waits.waitAfter(came) : waits.wait();
      if (until === "idle") return;
      await pauseFor(run, ms, came.message, watched);
    }
  }
  const lost = watched.lost();
  if (lost !== null) throw lost;
}

/** Until the time is over, the run is stopped, or somebody wants no more of the batch. */
async function pauseFor(run: BatchRun, ms: number, reason: string | null, watched: Watched): Promise<void> {
  const { clock } = run.host;
  const until = clock.monotonic() + ms;
  if (reason !== null) run.onWait(reason);
  for (let left = ms; left > 0 && !run.signal.aborted; left = until - clock.monotonic()) {
    if (watched.wantsCancel() && !batchOf(run.journal.state).canceling) break;
    await clock.sleep(Math.min(left, LOOK_MS), run.signal);
  }
  if (reason !== null) run.onWait(null);
}

/** How often a wait looks up, in milliseconds. */
const LOOK_MS = 1_000;

type Came =
  | "progress"
  | "nothing"
  | "held"
  | Fault
  /** Nobody knows yet: it is asked again, without end. */
  | { readonly message: string };

async function perform(run: BatchRun, step: BatchStep, waits: Patience): Promise<Came> {
  switch (step.kind) {
    case "find":
      return find(run, step.part);
    case "collect":
      return (await collectPart(run, step.part)) ?? "progress";
    case "cancel":
      return news(run, step.part.number, await run.provider.cancel(step.part.batch ?? "", run.signal), true);
    case "submit":
      return submit(run, step);
    case "poll":
      return poll(run, step.parts);
    case "retry":
      await retry(run, step.jobs);
      waits.progress();
      return "progress";
    case "end":
      return end(run);
    case "done":
      return "progress";
  }
}

async function submit(run: BatchRun, step: Extract<BatchStep, { readonly kind: "submit" }>): Promise<Came> {
  try {
    const submitted = await submitPart(run, step);
    if (submitted.state === "held") return "held";
    return submitted.state === "submitted" ? "progress" : submitted.fault;
  } catch (error) {
    // Others hold what is left of a shared cap: they settle within minutes.
    if (!(error instanceof HarnessError) || error.kind !== "budget_held") throw error;
    return { kind: error.kind, message: error.happened, retry_after_ms: null };
  }
}

/** Meanwhile the other parts are looked after. */
async function find(run: BatchRun, part: BatchState["parts"][number]): Promise<Came> {
  const found = await findPart(run, part);
  if (found === "settled") return "progress";
  if (found !== "undecided") return found;
  if ((await run.host.store.now()) - part.at > UNDECIDED_MS_MAX) throw undecided(run, part.number);
  const came = await poll(run, batchOf(run.journal.state).parts.filter(isOpen));
  return typeof came === "object" ? came : { message: `whether part ${part.number} arrived is not known yet` };
}

async function poll(run: BatchRun, parts: BatchState["parts"]): Promise<Came> {
  let came: Came = "nothing";
  for (const { number, batch } of parts) {
    if (batch === null) continue;
    const said = await news(run, number, await run.provider.poll(batch, run.signal), false);
    if (typeof said === "object") return said;
    if (said === "progress") came = said;
  }
  return came;
}

/** Journals what is new about a part. */
async function news(run: BatchRun, number: number, status: BatchStatus | BatchFault, canceled: boolean): Promise<Came> {
  if (!status.ok) return status;
  const { journal } = run;
  const part = batchOf(journal.state).parts.find((one) => one.number === number);
  const { counts, message, expires_at } = status;
  const canceling = canceled && status.state === "in_progress" ? "canceling" : status.state;
  const known = part?.done === counts.done + counts.failed && (part.canceling || canceling !== "canceling");
  if (known && canceling !== "ended" && canceling !== "failed") return "nothing";
  await journal.append([
    { kind: "BatchPartPolled", data: { part: number, state: canceling, ...counts, message, expires_at } },
  ]);
  return "progress";
}

async function retry({ journal }: BatchRun, jobs: number): Promise<void> {
  const { round, results } = batchOf(journal.state);
  await journal.append([
    { kind: "BatchJobsRetried", data: { round: round.number + 1, jobs, results_bytes: results.bytes } },
  ]);
}

async function end(run: BatchRun): Promise<Came> {
  await keepUnanswered(run);
  const { answered, failed } = batchOf(run.journal.state).results;
  await run.journal.append([{ kind: "BatchEnded", data: { answered, failed } }]);
  return "progress";
}

function noBatches(provider: string): HarnessError {
  return new HarnessError(
    "config_invalid",
    `The provider ${provider} has no batches.`,
    "Choose a model of one that has: anthropic or openai.",
  );
}

function undecided(run: BatchRun, part: number): HarnessError {
  const { session } = run.journal.state;
  return new HarnessError(
    "unknown",
    `Whether part ${part} of batch ${session} arrived at the provider could not be found out within a day.`,
    `Look at the provider's list of batches, then go on with \`belay batch resume ${session}\`: it asks again.`,
  );
}
