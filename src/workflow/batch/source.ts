/** From the user's lines to the batch's own file of jobs, and reading that file again. */
import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { SessionId } from "../../kernel/ids.ts";
import { makePrivateDirectory, syncDirectory } from "../../store/private-directory.ts";
import {
  type BatchFiles,
  type FileLine,
  LINE_BYTES_MAX,
  type LineWriter,
  lineWriter,
  linesOf,
  piecesOf,
} from "./files.ts";
import { idSet } from "./id-set.ts";
import { isProblem, type Job, type JobDefaults, type JobProblem, parseJob } from "./job.ts";
import { bytesOf } from "./money.ts";

/** Jobs of one batch of ours; a provider's batches may have fewer. */
export const JOBS_MAX = 1_000_000;
/** Models of one batch: the jobs of each stand together. */
const MODELS_MAX = 16;
/** Bad lines that are named; the others are counted. */
const PROBLEMS_NAMED_MAX = 20;

/** What the jobs come to, by model: enough to estimate with. */
export interface ModelCensus {
  readonly model: string;
  readonly jobs: number;
  /** Sums of all its jobs, in bytes and in tokens. */
  readonly system_bytes: number;
  readonly message_bytes: number;
  readonly max_tokens: number;
  /** Bytes of the system prompt, where all its jobs have the same; else 0. */
  readonly shared_bytes: number;
}

export interface JobsFile {
  readonly jobs: number;
  readonly bytes: number;
  /** SHA-256, hex. */
  readonly sha256: string;
  readonly models: readonly ModelCensus[];
  /** The first bad lines, and how many there are. */
  readonly problems: readonly JobProblem[];
  readonly bad: number;
}

interface Open {
  readonly path: string;
  readonly writer: LineWriter;
  readonly system: string;
  census: ModelCensus;
}

/**
 * Checks every line and writes the good ones, those of each model together. Nothing of it counts until the journal names it.
 * @throws `usage` for too many jobs or models
 */
export async function makeJobsFile(
  files: BatchFiles,
  lines: AsyncIterable<FileLine>,
  defaults: JobDefaults,
): Promise<JobsFile> {
  await makePrivateDirectory(files.directory);
  const open = new Map<string, Open>();
  const isNew = idSet();
  const problems: JobProblem[] = [];
  let bad = 0;
  let jobs = 0;
  try {
    for await (const { text, number } of lines) {
      if (text?.trim() === "") continue;
      const parsed = parseJob(text, number, defaults);
      const job =
        isProblem(parsed) || isNew(parsed.id)
          ? parsed
          : { line: number, problem: `the id "${parsed.id}" is used twice` };
      if (isProblem(job)) {
        bad += 1;
        if (problems.length < PROBLEMS_NAMED_MAX) problems.push(job);
        continue;
      }
      jobs += 1;
      if (jobs > JOBS_MAX) throw tooMany(`more than ${JOBS_MAX} jobs`);
      await addJob(files, open, job);
    }
    const written = await joined(files, [...open.values()]);
    return { jobs, ...written, models: [...open.values()].map(({ census }) => census), problems, bad };
  } finally {
    for (const { path, writer } of open.values()) {
      await writer.close();
      await rm(path, { force: true });
    }
  }
}

async function addJob(files: BatchFiles, open: Map<string, Open>, job: Job): Promise<void> {
  const { system, messages } = bytesOf(job);
  let of = open.get(job.model);
  if (of === undefined) {
    if (open.size === MODELS_MAX) throw tooMany(`more than ${MODELS_MAX} models`);
    const path = join(files.directory, `jobs-${open.size}.tmp`);
    const census = {
      model: job.model,
      jobs: 0,
      system_bytes: 0,
      message_bytes: 0,
      max_tokens: 0,
      shared_bytes: system,
    };
    of = { path, writer: await lineWriter(path, 0), system: job.system, census };
    open.set(job.model, of);
  }
  const { census } = of;
  of.census = {
    model: census.model,
    jobs: census.jobs + 1,
    system_bytes: census.system_bytes + system,
    message_bytes: census.message_bytes + messages,
    max_tokens: census.max_tokens + job.max_tokens,
    shared_bytes: job.system === of.system ? census.shared_bytes : 0,
  };
  await of.writer.add(JSON.stringify(job));
}

function tooMany(what: string): HarnessError {
  return new HarnessError("usage", `The file has ${what}.`, "Split it, and run each part as a batch of its own.");
}

async function joined(
  files: BatchFiles,
  parts: readonly Open[],
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash("sha256");
  const temporary = `${files.jobs}.tmp`;
  const file = await open(temporary, "w", 0o600);
  let bytes = 0;
  try {
    for (const { path, writer } of parts) {
      await writer.sync();
      for await (const piece of piecesOf(path)) {
        hash.update(piece);
        await file.writeFile(piece);
        bytes += piece.byteLength;
      }
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, files.jobs);
  await syncDirectory(dirname(files.jobs));
  return { bytes, sha256: hash.digest("hex") };
}

/** A job and its place in the file, from 0. */
export interface PlacedJob {
  readonly n: number;
  readonly job: Job;
}

/** @param from the first one that is read: its place, and where it begins in the file */
export async function* jobsIn(files: BatchFiles, from = { n: 0, start: 0 }): AsyncGenerator<PlacedJob> {
  for await (const { number, text } of linesOf(piecesOf(files.jobs, undefined, from.start))) {
    // written by `makeJobsFile`, and its hash was compared
    if (text !== null) yield { n: from.n + number - 1, job: JSON.parse(text) as Job };
  }
}

/** Single jobs, by their places. */
export interface JobIndex {
  job(n: number): Promise<Job>;
  /** Where it begins in the file. Bytes. */
  start(n: number): number;
  close(): Promise<void>;
}

/**
 * Reads the file once, so that each job can be found; eight bytes for each are kept.
 * @throws `store_corrupt` when the file is not the one that the journal names
 */
export async function indexJobs(
  files: BatchFiles,
  named: { readonly jobs: number; readonly source: string },
  session: SessionId,
): Promise<JobIndex> {
  const file = await open(files.jobs, "r").catch((cause: unknown) => {
    throw notTheJobs(files, session, cause);
  });
  const starts = new Float64Array(named.jobs + 1);
  const hash = createHash("sha256");
  let jobs = 0;
  let bytes = 0;
  for await (const piece of piecesOf(files.jobs)) {
    hash.update(piece);
    for (let at = piece.indexOf(0x0a); at !== -1; at = piece.indexOf(0x0a, at + 1)) {
      jobs += 1;
      if (jobs <= named.jobs) starts[jobs] = bytes + at + 1;
    }
    bytes += piece.byteLength;
  }
  if (jobs !== named.jobs || hash.digest("hex") !== named.source) {
    await file.close();
    throw notTheJobs(files, session, null);
  }
  return {
    job: async (n) => {
      const start = starts[n] ?? 0;
      const length = Math.min(LINE_BYTES_MAX * 2, (starts[n + 1] ?? start) - start - 1);
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, start);
      return JSON.parse(buffer.toString("utf8")) as Job; // as in `jobsIn`
    },
    start: (n) => starts[n] ?? 0,
    close: () => file.close(),
  };
}

function notTheJobs(files: BatchFiles, session: SessionId, cause: unknown): HarnessError {
  return new HarnessError(
    "store_corrupt",
    `The jobs of batch ${session} are not those that its journal speaks of.`,
    `Restore ${files.jobs} from a backup, or go on on the machine where the batch was created.`,
    { cause },
  );
}
