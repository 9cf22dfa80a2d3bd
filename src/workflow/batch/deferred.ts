/**
 * The queue of one-shot jobs that can wait: a file each below belay's home, flushed together as one batch.
 *
 * D1: a job is in the queue when its id is printed, and survives whatever happens then.
 * D2: a job is in exactly one batch, also when two processes flush at the same moment or one of them dies in between: a file is
 *     taken by renaming it into a directory that is named as the batch will be, and a batch of that id is made once.
 */
import { randomBytes } from "node:crypto";
import { open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT, parseSessionId, type SessionId } from "../../kernel/ids.ts";
import type { Host } from "../../engine/host.ts";
import { isErrno } from "../../store/file-error.ts";
import type { Owner } from "../../store/port.ts";
import { makePrivateDirectory, syncDirectory } from "../../store/private-directory.ts";

/** Jobs that wait at the same time: a queue that nobody flushes must not fill the disk. */
const QUEUE_MAX = 100_000;
/** A claim by a process of which nothing can be known is taken over after this. Milliseconds. */
const CLAIM_MS = 900_000;
const JOB_ID = /^job_[a-z0-9]{16,64}$/;

export interface DeferredJob {
  readonly prompt: string;
  readonly system: string;
  /** `provider/model`. */
  readonly provider: string;
  readonly model: string;
  readonly max_tokens: number;
  /** Of the directory that it was said in. */
  readonly cwd: string;
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface Queue {
  readonly directory: string;
}

export interface FlushRule {
  /** So many jobs are enough. */
  readonly count: number;
  /** None waits longer than this. Milliseconds. */
  readonly delay_ms: number;
}

export const FLUSH_RULE: FlushRule = { count: 100, delay_ms: 900_000 };

/** @param home belay's own directory */
export function queueIn(home: string): Queue {
  return { directory: join(home, "deferred") };
}

const waiting = ({ directory }: Queue): string => join(directory, "waiting");
const taken = ({ directory }: Queue): string => join(directory, "taken");
const OWNER = "owner.json";
const MADE = "made";

/** D1. @returns the job's id */
export async function defer(queue: Queue, job: DeferredJob): Promise<string> {
  const directory = waiting(queue);
  await makePrivateDirectory(directory);
  if ((await namesIn(directory)).length >= QUEUE_MAX)
    throw new HarnessError("usage", `${QUEUE_MAX} jobs wait already.`, "Flush them: `belay batch flush --now`.");
  // Sorts by age, so that a batch has its jobs in the order in which they came.
  const id = `job_${job.at.toString(36).padStart(9, "0")}${randomBytes(8).toString("hex")}`;
  await writeWhole(directory, `${id}.json`, JSON.stringify(job));
  return id;
}

async function writeWhole(directory: string, name: string, text: string): Promise<void> {
  const temporary = join(directory, `.${name}.${randomBytes(4).toString("hex")}`);
  const file = await open(temporary, "wx", 0o600);
  await file
    .writeFile(text)
    .then(() => file.sync())
    .finally(() => file.close());
  await rename(temporary, join(directory, name));
  await syncDirectory(directory);
}

export interface Waiting {
  readonly jobs: number;
  /** Of the oldest, in milliseconds since the epoch; null when none waits. */
  readonly since: number | null;
}

export async function waitingIn(queue: Queue): Promise<Waiting> {
  const jobs = await jobsOf(waiting(queue));
  const [first] = jobs;
  return { jobs: jobs.length, since: first === undefined ? null : Number.parseInt(first.slice(4, 13), 36) };
}

export function isDue({ jobs, since }: Waiting, { count, delay_ms }: FlushRule, now: number): boolean {
  return since !== null && (jobs >= count || now - since >= delay_ms);
}

/** Jobs that were taken out of the queue together, and are to be a batch of this id. */
export interface Claim {
  readonly session: SessionId;
  readonly directory: string;
  /** Without `.json`, oldest first. */
  readonly jobs: readonly string[];
}

/**
 * What is to be made a batch now: claims of processes that died over it, and with `take` what waits. Jobs of one provider and
 * model go together.
 */
export async function claims(host: Host, queue: Queue, take: boolean): Promise<readonly Claim[]> {
  const found: Claim[] = [];
  for (const name of await namesIn(taken(queue))) {
    const directory = join(taken(queue), name);
    if (!(await isLeft(host, directory))) continue;
    const jobs = await jobsOf(directory);
    if (jobs.length > 0) found.push({ session: parseSessionId(name), directory, jobs });
    else await rm(directory, { recursive: true, force: true });
  }
  return take ? [...found, ...(await takeAll(host, queue))] : found;
}

async function takeAll(host: Host, queue: Queue): Promise<readonly Claim[]> {
  const byModel = new Map<string, string[]>();
  for (const id of await jobsOf(waiting(queue))) {
    const job = await readJob(join(waiting(queue), `${id}.json`));
    if (job === null) continue; // another process has just taken it
    const key = `${job.provider}/${job.model}`;
    byModel.set(key, [...(byModel.get(key) ?? []), id]);
  }
  const found: Claim[] = [];
  for (const ids of byModel.values()) {
    const session = host.ids.session();
    const directory = join(taken(queue), session);
    await makePrivateDirectory(directory);
    await writeWhole(directory, OWNER, JSON.stringify(host.owner()));
    const jobs: string[] = [];
    for (const id of ids) if (await moved(queue, id, directory)) jobs.push(id);
    await syncDirectory(directory);
    if (jobs.length > 0) found.push({ session, directory, jobs });
    else await rm(directory, { recursive: true, force: true });
  }
  return found;
}

/** D2: of two processes one has the file. */
async function moved(queue: Queue, id: string, directory: string): Promise<boolean> {
  try {
    await rename(join(waiting(queue), `${id}.json`), join(directory, `${id}.json`));
    return true;
  } catch (error) {
    if (isErrno(error) && error.code === "ENOENT") return false;
    throw error;
  }
}

/** Whether whoever claimed it is gone without having made the batch. */
async function isLeft(host: Host, directory: string): Promise<boolean> {
  if ((await textOf(join(directory, MADE))) !== null) return false;
  const owner = await textOf(join(directory, OWNER));
  // written by `takeAll`
  const alive = owner === null ? null : await host.ownerAlive(JSON.parse(owner) as Owner);
  if (alive !== null) return !alive;
  const { mtimeMs } = await stat(directory);
  return host.clock.now() - mtimeMs > CLAIM_MS;
}

/** The batch is there: nobody makes it again. Its jobs stay, so that an id leads to its batch. */
export async function claimMade({ directory }: Claim): Promise<void> {
  await writeWhole(directory, MADE, "");
}

/** The jobs as lines of a file of jobs. */
export async function* claimedLines({ directory, jobs }: Claim): AsyncGenerator<{
  readonly number: number;
  readonly text: string;
}> {
  let number = 0;
  for (const id of jobs) {
    const job = await readJob(join(directory, `${id}.json`));
    if (job === null) continue;
    number += 1;
    const { prompt, system, max_tokens } = job;
    yield { number, text: JSON.stringify({ id, prompt, system, max_tokens }) };
  }
}

/** Of the first job: all of a claim have the same provider and model. */
export async function firstJob({ directory, jobs: [first] }: Claim): Promise<DeferredJob | null> {
  return first === undefined ? null : readJob(join(directory, `${first}.json`));
}

export type JobPlace =
  | { readonly state: "waiting" }
  | { readonly state: "taken"; readonly session: SessionId }
  | { readonly state: "unknown" };

export function isJobId(text: string): boolean {
  return JOB_ID.test(text);
}

/** Where a job is now. @param id of the shape of a job's id */
export async function placeOf(queue: Queue, id: string): Promise<JobPlace> {
  if ((await textOf(join(waiting(queue), `${id}.json`))) !== null) return { state: "waiting" };
  for (const name of await namesIn(taken(queue))) {
    if ((await textOf(join(taken(queue), name, `${id}.json`))) !== null)
      return { state: "taken", session: parseSessionId(name) };
  }
  return { state: "unknown" };
}

/** What belongs to batches that were removed goes with them. */
export async function tidyQueue(host: Host, queue: Queue): Promise<void> {
  for (const name of await namesIn(taken(queue))) {
    const directory = join(taken(queue), name);
    const made = (await textOf(join(directory, MADE))) !== null;
    if (made && (await host.store.getSession(LOCAL_TENANT, parseSessionId(name))) === null)
      await rm(directory, { recursive: true, force: true });
  }
}

async function readJob(path: string): Promise<DeferredJob | null> {
  const text = await textOf(path);
  return text === null ? null : (JSON.parse(text) as DeferredJob); // written by `defer`, whole or not at all
}

async function jobsOf(directory: string): Promise<readonly string[]> {
  const names = await namesIn(directory);
  return names.flatMap((name) => (name.startsWith("job_") && name.endsWith(".json") ? [name.slice(0, -5)] : []));
}

/** Sorted; none where there is no such directory. */
async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => !name.startsWith(".")).sort();
  } catch (error) {
    if (isErrno(error) && error.code === "ENOENT") return [];
    throw error;
  }
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isErrno(error) && error.code === "ENOENT") return null;
    throw error;
  }
}
