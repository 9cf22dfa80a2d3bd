/** Results of a part: from the provider's stream to the file, in groups that the journal knows of. */
import type { BatchPart } from "../../kernel/batch-state.ts";
import { type ErrorKind, isRetryable } from "../../kernel/error-kind.ts";
import { plainText } from "../../kernel/content.ts";
import { addKnownMoney, NO_MONEY, type NanoDollars } from "../../kernel/money.ts";
import { addUsage, NO_USAGE, type Usage } from "../../kernel/usage.ts";
import type { BatchFault, BatchResult } from "../../model/batch/batch.ts";
import type { ModelSuccess } from "../../model/model.ts";
import { batchOf, type BatchRun } from "./batch-run.ts";
import { type LineWriter, lineWriter } from "./files.ts";
import { type Job, jobNamed } from "./job.ts";
import type { JobSet } from "./job-set.ts";
import { costUsd, doneIn, type ResultLine, resultText } from "./results.ts";
import { settled } from "./submit.ts";
import { jobsIn } from "./source.ts";

/** Results that are synced and journaled together. */
const KEPT_TOGETHER = 500;

interface Group {
  readonly answered: number;
  readonly failed: number;
  readonly usage: Usage;
  readonly cost: NanoDollars | null;
}

const NO_GROUP: Group = { answered: 0, failed: 0, usage: NO_USAGE, cost: NO_MONEY };

/** Writes results to the file, and journals them by the group. */
interface Keeper {
  readonly done: JobSet;
  keep(result: ResultLine, cost: NanoDollars | null): Promise<void>;
  flush(): Promise<void>;
}

async function withKeeper<T>(run: BatchRun, part: number | null, work: (keeper: Keeper) => Promise<T>): Promise<T> {
  const { journal, files } = run;
  const { results, jobs } = batchOf(journal.state);
  const done = await doneIn(files.results, results.bytes, jobs, journal.state.session);
  const writer: LineWriter = await lineWriter(files.results, results.bytes);
  let group = NO_GROUP;
  const flush = async (): Promise<void> => {
    if (group.answered + group.failed === 0) return;
    await writer.sync();
    await journal.append([{ kind: "BatchResultsKept", data: { part, ...group, bytes: writer.bytes } }]);
    group = NO_GROUP;
  };
  try {
    return await work({
      done,
      flush,
      keep: async (result, cost) => {
        await writer.add(resultText(result));
        group = {
          answered: group.answered + (result.ok ? 1 : 0),
          failed: group.failed + (result.ok ? 0 : 1),
          usage: result.usage === null ? group.usage : addUsage(group.usage, result.usage),
          cost: addKnownMoney(group.cost, cost),
        };
        if (group.answered + group.failed >= KEPT_TOGETHER) await flush();
      },
    });
  } finally {
    await writer.close();
  }
}

/** @returns the fault that ended the stream early: what came before it is kept, and the part is collected again later */
export async function collectPart(run: BatchRun, part: BatchPart): Promise<BatchFault | null> {
  const { journal } = run;
  const { round, rounds, canceling } = batchOf(journal.state);
  const last = canceling || round.number >= rounds;
  const seen = { price: null as string | null };
  const fault = await withKeeper(run, part.number, async (keeper) => {
    if (part.refused !== null || part.batch === null) return null;
    for await (const result of run.provider.results(part.batch, run.signal)) {
      if (!result.ok) {
        await keeper.flush();
        return result;
      }
      await keepResult(run, keeper, { part, result, last, seen });
    }
    await keeper.flush();
    return null;
  });
  if (fault !== null) return fault;
  const now = batchOf(journal.state).parts.find(({ number }) => number === part.number) ?? part;
  await journal.append([
    { kind: "BatchPartEnded", data: { part: part.number, left: part.to - part.from - now.kept } },
    settled(now, now.cost, seen.price),
  ]);
  return null;
}

interface Arrived {
  readonly part: BatchPart;
  readonly result: BatchResult;
  /** There is no further round: a failure is a result, whatever it is. */
  readonly last: boolean;
  /** The entry of the price table that matched. */
  readonly seen: { price: string | null };
}

async function keepResult(run: BatchRun, keeper: Keeper, { part, result, last, seen }: Arrived): Promise<void> {
  const { host, provider, index, journal } = run;
  const n = jobNamed(part.marker, result.custom_id);
  if (n === null || n >= batchOf(journal.state).jobs || keeper.done.has(n)) return;
  const { answer } = result;
  const failure =
    typeof answer === "string" ? failureOf(answer) : answer.ok ? null : failureOf(answer.kind, answer.message);
  if (failure?.again === true && !last) return;
  const job = await index.job(n);
  const usage = typeof answer === "string" ? null : answer.usage;
  const priced = usage === null ? null : await host.prices.batchCostOf(provider.provider, job.model, usage);
  const cost = usage === null ? NO_MONEY : (priced?.cost ?? null);
  seen.price = priced?.price ?? seen.price;
  keeper.done.add(n);
  const common = { n, id: job.id, usage, cost_usd: costUsd(cost) };
  if (typeof answer !== "string" && answer.ok) {
    await keeper.keep(
      { ...common, ok: true, answer: answerOf(job, answer), stop: answer.stop, model: answer.model },
      cost,
    );
  } else if (failure !== null) {
    await keeper.keep({ ...common, ok: false, error: { kind: failure.kind, message: failure.message } }, cost);
  }
}

interface JobFailure {
  readonly kind: ErrorKind | "expired" | "canceled";
  readonly message: string;
  /** Handing the same in again can help. */
  readonly again: boolean;
}

function failureOf(kind: ErrorKind | "expired" | "canceled", message = ""): JobFailure {
  if (kind === "expired") return { kind, message: "The provider did not get to it in time.", again: true };
  if (kind === "canceled") return { kind, message: "It was canceled before it was answered.", again: false };
  return { kind, message, again: isRetryable(kind) };
}

function answerOf(job: Job, { parts }: ModelSuccess): { readonly text: string } | { readonly json: unknown } {
  const text = plainText(parts);
  if (!job.json) return { text };
  try {
    return { json: JSON.parse(text) as unknown };
  } catch (error) {
    if (error instanceof SyntaxError) return { text };
    throw error;
  }
}

/** Jobs that nobody answered, in no round: they have a result too. */
export async function keepUnanswered(run: BatchRun): Promise<void> {
  const { canceling, parts } = batchOf(run.journal.state);
  const refused = parts.findLast((part) => part.refused !== null)?.refused;
  const error = canceling
    ? { kind: "canceled" as const, message: "The batch was canceled before it was answered." }
    : { kind: "unknown" as const, message: refused ?? "The provider gave no result for it." };
  await withKeeper(run, null, async (keeper) => {
    for await (const { n, job } of jobsIn(run.files)) {
      if (!keeper.done.add(n)) continue;
      await keeper.keep({ n, id: job.id, ok: false, error, usage: null, cost_usd: 0 }, NO_MONEY);
    }
    await keeper.flush();
  });
}
