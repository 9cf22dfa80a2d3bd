/** `belay batch flush` and `belay batch watch`, and what `belay run --defer` does. */
import { safeText } from "../view/safe-text.ts";
import { systemClock } from "../../host/system-clock.ts";
import { plainText } from "../../kernel/content.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { SessionId } from "../../kernel/ids.ts";
import { batchOf } from "../../workflow/batch/batch-run.ts";
import { defer, FLUSH_RULE, type FlushRule, waitingIn } from "../../workflow/batch/deferred.ts";
import { driveBatch } from "../../workflow/batch/drive.ts";
import { allBatches } from "../../workflow/batch/find-batches.ts";
import { flushQueue } from "../../workflow/batch/flush.ts";
import { JOB_OUTPUT_TOKENS_DEFAULT } from "../../workflow/batch/job.ts";
import { PACE_DEFAULT } from "../../workflow/batch/patience.ts";
import { type BatchParts, withBatches } from "../batch-host.ts";
import { startBudget } from "../budget-settings.ts";
import type { Face } from "../face.ts";
import { chosenModel, requireProvider } from "../providers.ts";
import { listenForSignals } from "../signals.ts";
import { readTask } from "../task.ts";
import { plural } from "../view/format.ts";
import type { WatchOptions } from "./batch-run.ts";

export interface QueueOptions extends WatchOptions {
  readonly now?: true;
  readonly deferCount?: number;
  readonly deferDelay?: number;
}

/** Batches that one `watch` looks after. */
const WATCHED_MAX = 1_000;

function ruleOf({ now, deferCount, deferDelay }: QueueOptions): FlushRule | null {
  if (now === true) return null;
  return { count: deferCount ?? FLUSH_RULE.count, delay_ms: deferDelay ?? FLUSH_RULE.delay_ms };
}

export async function flushDeferred(options: QueueOptions, face: Face): Promise<number> {
  return withBatches(face, async (parts) => {
    const made = await flushed(parts, options);
    const { jobs } = await waitingIn(parts.queue);
    if (options.json === true) face.out.json(JSON.stringify({ batches: made, waiting: jobs }));
    else {
      for (const session of made) face.out.line(`Submitted batch ${session}.`);
      face.out.line(jobs === 0 ? "No job waits." : `${plural(jobs, "job")} ${jobs === 1 ? "waits" : "wait"}.`);
    }
    return 0;
  });
}

/** Makes batches of what is due, and hands them in. */
async function flushed(parts: BatchParts, options: QueueOptions): Promise<readonly SessionId[]> {
  const { host, batches, queue, sessions, settings } = parts;
  const budget = startBudget(options.budget === undefined ? {} : { budget: options.budget }, settings);
  const made = await flushQueue(host, { queue, rule: ruleOf(options), sessions, budget });
  for (const session of made) {
    const { error } = await driveBatch(host, batches, { session, until: "idle", signal: new AbortController().signal });
    if (error !== null) parts.face.err.line(`belay: ${safeText(error.message)}`);
  }
  return made;
}

/** Until no batch is under way and no job waits. */
export async function watchAll(options: QueueOptions, face: Face): Promise<number> {
  return withBatches(face, async (parts) => {
    const stop = new AbortController();
    const signals = listenForSignals({ monotonic: () => systemClock.monotonic(), leave: (code) => process.exit(code) });
    signals.stops({ cancel: () => stop.abort(), note: () => face.err.line("belay: the provider goes on.") });
    try {
      let shown = "";
      while (!stop.signal.aborted) {
        await flushed(parts, options);
        const { open, text } = await lookedAt(parts, stop.signal);
        if (text !== shown) face.out.line(text);
        shown = text;
        if (open === 0) return 0;
        await systemClock.sleep(options.pollMs ?? PACE_DEFAULT.last_ms, stop.signal);
      }
      return 130;
    } finally {
      signals.quiet();
    }
  });
}

async function lookedAt(
  { host, batches, store, queue, face }: BatchParts,
  signal: AbortSignal,
): Promise<{ readonly open: number; readonly text: string }> {
  let open = 0;
  let done = 0;
  let jobs = 0;
  for (const { row, state } of await allBatches(store, WATCHED_MAX)) {
    if (batchOf(state).ended || signal.aborted) continue;
    try {
      const report = await driveBatch(host, batches, { session: row.session, until: "idle", signal });
      if (report.error !== null) face.err.line(`belay: ${report.error.message}`);
      if (!report.ended && report.error === null) open += 1;
      const { results, jobs: all } = batchOf(report.state);
      done += results.answered + results.failed;
      jobs += all;
    } catch (error) {
      // Another process watches that one.
      if (!(error instanceof HarnessError) || error.kind !== "lease_held") throw error;
    }
  }
  const waiting = await waitingIn(queue);
  const text =
    `${plural(open, "batch")} under way, ${done} of ${plural(jobs, "job")} done, ${waiting.jobs} waiting`.replace(
      "batchs",
      "batches",
    );
  return { open: open + (waiting.jobs > 0 ? 1 : 0), text };
}

export interface DeferRequest {
  readonly words: readonly string[];
  readonly options: QueueOptions & { readonly model?: string };
  readonly face: Face;
}

/** Puts a one-shot job into the queue, and flushes the queue where it is time. */
export async function deferTask({ words, options, face }: DeferRequest): Promise<number> {
  const task = await readTask({ words, stdin: face.stdin, cwd: face.cwd });
  return withBatches(face, async (parts) => {
    const choice = chosenModel(options.model, face.environment.providers, parts.settings);
    requireProvider(choice.provider, face);
    const id = await defer(parts.queue, {
      prompt: task.parts.map((part) => plainText([part])).join("\n\n"),
      system: "",
      ...choice,
      max_tokens: JOB_OUTPUT_TOKENS_DEFAULT,
      cwd: face.cwd,
      title: task.title,
      at: systemClock.now(),
    });
    face.out.line(id);
    for (const session of await flushed(parts, options))
      face.err.line(`belay: submitted the waiting jobs as batch ${session}.`);
    return 0;
  });
}
