/**
 * The file of results: one line for each job, in the order in which they came.
 *
 * B3: a job has at most one line, and exactly one when the batch has ended. What the journal does not know of is cut off before
 *     anything is added, and asked for again at the provider.
 */
import { HarnessError } from "../../kernel/harness-error.ts";
import { dollarsOf, type NanoDollars } from "../../kernel/money.ts";
import type { ErrorKind } from "../../kernel/error-kind.ts";
import type { SessionId } from "../../kernel/ids.ts";
import type { StopReason } from "../../kernel/state.ts";
import type { Usage } from "../../kernel/usage.ts";
import { isErrno } from "../../store/file-error.ts";
import { stat } from "node:fs/promises";
import { type JobSet, jobSet } from "./job-set.ts";
import { linesOf, piecesOf } from "./files.ts";

/** As it stands in the file; `n`, the job's place in the file of jobs, comes first. */
export type ResultLine = {
  readonly n: number;
  readonly id: string;
  readonly usage: Usage | null;
  /** Null without a known price. */
  readonly cost_usd: number | null;
} & (
  | {
      readonly ok: true;
      /** `json` where the job asked for it and the answer is JSON. */
      readonly answer: { readonly text: string } | { readonly json: unknown };
      readonly stop: StopReason;
      readonly model: string;
    }
  | {
      readonly ok: false;
      readonly error: { readonly kind: ErrorKind | "expired" | "canceled"; readonly message: string };
    }
);

export function resultText(result: ResultLine): string {
  const { n, id, ok, usage, cost_usd } = result;
  const said = result.ok ? { ...result.answer, stop: result.stop, model: result.model } : { error: result.error };
  return JSON.stringify({ n, id, ok, ...said, usage, cost_usd });
}

export function costUsd(cost: NanoDollars | null): number | null {
  return cost === null ? null : dollarsOf(cost);
}

/** The jobs that have a line in the first `bytes` of the file. @throws `store_corrupt` when it is shorter or no such file */
export async function doneIn(path: string, bytes: number, jobs: number, session: SessionId): Promise<JobSet> {
  const done = jobSet(jobs);
  if (bytes === 0) return done;
  if ((await sizeOf(path)) < bytes) throw damaged(session, path);
  for await (const { text } of linesOf(piecesOf(path, bytes))) {
    const n = /^\{"n":(\d+),/.exec(text ?? "")?.[1];
    if (n === undefined || !done.add(Number(n))) throw damaged(session, path);
  }
  return done;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isErrno(error) && error.code === "ENOENT") return 0;
    throw error;
  }
}

function damaged(session: SessionId, path: string): HarnessError {
  return new HarnessError(
    "store_corrupt",
    `The results of batch ${session} are not those that its journal speaks of.`,
    `Restore ${path} from a backup.`,
  );
}
