/** The tasks of `--queue`: a YAML list, a directory of task files, or a text with a task in each line. */
import { clipped } from "../kernel/clipped.ts";
import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { HarnessError } from "../kernel/harness-error.ts";
import { canonicalJson, type Json } from "../kernel/json.ts";
import type { RunOptions } from "./settings.ts";
import type { Task } from "./task.ts";
import { taskOf } from "./task.ts";
import { type Around, checkSource, loadTask, required, sourceOf, textOf } from "./task-file/load.ts";
import type { TaskFile } from "./task-file/schema.ts";
import { safeLine } from "./view/safe-text.ts";

const QUEUE_TASKS_MAX = 1_000;
const LABEL_CHARS_MAX = 60;
/** Of a hash: enough to tell the tasks of one queue apart. Characters. */
const KEY_CHARS = 12;

export interface QueueTask {
  /** Of what it says: a task that is changed is another one. */
  readonly key: string;
  readonly label: string;
  readonly said: { readonly text: string } | { readonly file: TaskFile };
}

/** @throws HarnessError `usage` for what cannot be read, a task that is refused, or one that stands there twice */
export async function readQueue(path: string, around: Around): Promise<readonly QueueTask[]> {
  const tasks = await tasksIn(path, around);
  if (tasks.length === 0) throw new HarnessError("usage", `There is no task in ${path}.`, "Write one in each line.");
  if (tasks.length > QUEUE_TASKS_MAX) {
    const happened = `${path} has ${String(tasks.length)} tasks, more than ${String(QUEUE_TASKS_MAX)}.`;
    throw new HarnessError("usage", happened, "Make several queues of it.");
  }
  const keys = new Set<string>();
  for (const { key, label } of tasks) {
    if (keys.has(key)) throw new HarnessError("usage", `${path} has the task "${label}" twice.`, "Remove one.");
    keys.add(key);
  }
  return tasks;
}

async function tasksIn(path: string, around: Around): Promise<readonly QueueTask[]> {
  const facts = await stat(resolve(around.cwd, path)).catch(() => null);
  if (facts?.isDirectory() === true) return inDirectory(path, around);
  if (!/\.ya?ml$/i.test(path)) return lines(await textOf(path, around.cwd), around);
  const source = await sourceOf(path, around.cwd);
  if ("findings" in source) return [ofFile(required(path, source))];
  if (!Array.isArray(source.value)) return [ofFile(required(path, await checkSource(source, around)))];
  const tasks: QueueTask[] = [];
  for (const [i, value] of (source.value as unknown[]).entries()) {
    if (typeof value === "string" && value.trim() !== "") tasks.push(await ofLine(value.trim(), around));
    else {
      const one = { value, lineOf: (at: readonly PropertyKey[]) => source.lineOf([i, ...at]) };
      tasks.push(ofFile(required(path, await checkSource(one, around))));
    }
  }
  return tasks;
}

async function inDirectory(path: string, around: Around): Promise<readonly QueueTask[]> {
  const names = (await readdir(resolve(around.cwd, path))).filter((name) => /\.(?:ya?ml|md|txt)$/i.test(name)).sort();
  const tasks: QueueTask[] = [];
  for (const name of names) {
    const file = join(path, name);
    if (/\.ya?ml$/i.test(name)) tasks.push({ ...ofFile(required(file, await loadTask(file, around))), label: name });
    else {
      const text = (await textOf(file, around.cwd)).trim();
      if (text !== "") tasks.push({ ...ofText(text), label: name });
    }
  }
  return tasks;
}

async function lines(text: string, around: Around): Promise<readonly QueueTask[]> {
  const said = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const tasks: QueueTask[] = [];
  for (const line of said) tasks.push(await ofLine(line, around));
  return tasks;
}

/** The name of a task file is no task: a model that was given it as one would be paid for guessing, and no criterion would hold it. */
const NAMES_A_FILE = /^\S+\.ya?ml$/i;

async function ofLine(text: string, around: Around): Promise<QueueTask> {
  if (!NAMES_A_FILE.test(text)) return ofText(text);
  return { ...ofFile(required(text, await loadTask(text, around))), label: labelOf(text) };
}

function ofText(text: string): QueueTask {
  return { key: keyOf({ text }), label: labelOf(text), said: { text } };
}

function ofFile(file: TaskFile): QueueTask {
  // It was parsed from YAML: plain data.
  return { key: keyOf(file as unknown as Json), label: labelOf(file.objective), said: { file } };
}

export function keyOf(value: Json): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, KEY_CHARS);
}

function labelOf(text: string): string {
  return clipped(safeLine(text.split("\n")[0] ?? ""), LABEL_CHARS_MAX);
}

/** What a journal knows it by again. */
const MARK = "queue:";

export function markOf(key: string): string {
  return `${MARK}${key}`;
}

export function marked(task: Task, key: string): Task {
  const [first, ...more] = task.parts;
  if (first === undefined) return task;
  return { ...task, parts: [{ ...first, origin: { ...first.origin, by: markOf(key) } }, ...more] };
}

export async function textTask(text: string, { file = [] }: RunOptions, cwd: string): Promise<Task> {
  return taskOf(text, cwd, file);
}
