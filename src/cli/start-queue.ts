/** `belay run --queue`: tasks one after the other in one session, each with a fresh conversation. Where it stands is in the journal. */
import { basename, resolve } from "node:path";
import { HarnessError } from "../kernel/harness-error.ts";
import type { SessionState } from "../kernel/state.ts";
import { dollarsOf, formatMoney, NO_MONEY } from "../kernel/money.ts";
import { EXIT_TABLE, type Outcome } from "../kernel/outcome.ts";
import { exitCodeOfFailure, failureOf } from "./failure.ts";
import type { Face } from "./face.ts";
import { directoryOf, spentBy, taskOfFile } from "./next-task.ts";
import { keyOf, marked, type QueueTask, readQueue, textTask } from "./queue-source.ts";
import { type QueueStanding, standingOfQueue, type TaskStanding } from "./queue-standing.ts";
import { readSettings } from "./resolved-settings.ts";
import { withStore } from "./session-choice.ts";
import type { RunOptions } from "./settings.ts";
import { resumeTask, runTask } from "./start.ts";
import type { Task } from "./task.ts";
import { taskOptions } from "./task-file/task-run.ts";
import { words } from "./view/notice.ts";
import { paintFor } from "./view/paint.ts";
import { safeLine } from "./view/safe-text.ts";
import { tableLines } from "./view/table.ts";

export interface QueueOptions extends RunOptions {
  readonly queue: string;
  readonly keepGoing?: true;
}

export interface QueueRequest {
  readonly options: QueueOptions;
  readonly face: Face;
  readonly debug: boolean;
}

interface Queue extends QueueRequest {
  readonly tasks: readonly QueueTask[];
  /** The session is found by it again. */
  readonly title: string;
  readonly cwd: string;
}

/** @returns 0 when all are done, else the exit code of the first that is not */
export async function runQueue(request: QueueRequest): Promise<number> {
  const { options, face } = request;
  const cwd = directoryOf(face, options);
  const tasks = await readQueue(options.queue, { cwd, settings: readSettings(face.environment.home) });
  const absolute = resolve(cwd, options.queue);
  const title = `queue ${safeLine(basename(absolute)).slice(0, 50)} ${keyOf({ queue: absolute }).slice(0, 8)}`;
  const queue: Queue = { ...request, tasks, title, cwd };
  const failed = new Map<string, number>();
  for (const task of tasks) {
    const before = await standing(queue);
    if (isDone(before.tasks.get(task.key))) continue;
    const code = await runOne(task, before, queue);
    const now = (await standing(queue)).tasks.get(task.key);
    if (isDone(now)) continue;
    failed.set(task.key, code);
    // Who stops one task stops the queue.
    if (options.keepGoing !== true || now?.outcome === "canceled") break;
  }
  return told(queue, await standing(queue), failed);
}

function standing({ face, title, cwd, tasks }: Queue): Promise<QueueStanding> {
  const keys = tasks.map(({ key }) => key);
  return withStore(face, (store) => standingOfQueue(store, { title, directory: cwd, keys }));
}

function isDone(standing: TaskStanding | undefined): boolean {
  return standing?.outcome === "completed";
}

/** The same conversation can come to an end with these; after any other a task that was begun is begun anew. */
const GOES_ON: readonly (Outcome | null)[] = [
  ...([null, "canceled", "limit_reached", "budget_exhausted", "failed", "needs_approval", "needs_review"] as const),
];

/** @returns the exit code; also of what could not be started: the others may be able to */
async function runOne(task: QueueTask, { session, tasks, last }: QueueStanding, queue: Queue): Promise<number> {
  const { options, face, debug, title, cwd, tasks: all } = queue;
  const place = `${String(all.indexOf(task) + 1)} of ${String(all.length)}`;
  face.err.line(paintFor(face.err.colors).dim(`belay: task ${place}: ${task.label}`));
  const begun = tasks.get(task.key);
  try {
    if (session === null) {
      const first = { ...(await taskFor(task, queue)), title };
      return await runTask({ words: [], options: optionsFor(task, options), face, debug, task: first });
    }
    if (begun !== undefined && last === task.key && GOES_ON.includes(begun.outcome))
      return await resumeTask({ id: session, options, face, debug });
    return await resumeTask({
      id: session,
      options,
      cwd,
      face,
      debug,
      next: async (state) => ({
        task: await taskFor(task, queue),
        options: optionsFor(task, options, state),
        begins: options,
      }),
    });
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    const { happened, todo } = failureOf(error);
    face.err.line(`belay: ${safeLine(happened)}\n       ${safeLine(todo)}`);
    return exitCodeOfFailure(error);
  }
}

async function taskFor({ said, key }: QueueTask, { options, cwd }: Queue): Promise<Task> {
  const task = "file" in said ? await taskOfFile(said.file, options, cwd) : await textTask(said.text, options, cwd);
  return marked(task, key);
}

function optionsFor({ said }: QueueTask, options: RunOptions, state: SessionState | null = null): RunOptions {
  return "file" in said ? taskOptions(said.file, options, state === null ? undefined : spentBy(state)) : options;
}

function told({ face, options, tasks }: Queue, standing: QueueStanding, failed: ReadonlyMap<string, number>): number {
  const rows = tasks.map(({ key, label }) => ({ key, label, standing: standing.tasks.get(key) ?? null }));
  const code =
    [...failed.values()].find((one) => one !== 0) ??
    (rows.every((row) => isDone(row.standing ?? undefined)) ? 0 : EXIT_TABLE.failed.code);
  if (options.output === "text") {
    const cells = rows.map((row, i) => [
      String(i + 1),
      stateText(row.standing),
      String(row.standing?.turns ?? 0),
      formatMoney(row.standing?.cost ?? NO_MONEY),
      row.label,
    ]);
    face.out.line("");
    for (const line of tableLines(["", "state", "turns", "cost", "task"], cells, face.out.columns()))
      face.out.line(line);
    return code;
  }
  const object = {
    type: "queue",
    session: standing.session,
    exit_code: code,
    tasks: rows.map(({ key, label, standing: one }) => ({
      key,
      task: label,
      outcome: one?.outcome ?? null,
      begun: one !== null,
      turns: one?.turns ?? 0,
      cost_usd: dollarsOf(one?.cost ?? NO_MONEY),
    })),
  };
  face.out.json(JSON.stringify(object));
  return code;
}

function stateText(standing: TaskStanding | null): string {
  if (standing === null) return "waits";
  return standing.outcome === null ? "cut off" : words(standing.outcome);
}
