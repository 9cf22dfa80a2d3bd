/** Reads task files and says what stands against them, with what is known here: files, phases, models and tools. */
import { glob, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import { builtInTools } from "../../tool/registry.ts";
import { namedModel } from "../model-settings.ts";
import { BUILT_IN_PHASES } from "../phases.ts";
import type { Settings } from "../resolved-settings.ts";
import { checkTask, type Finding, type Known } from "./check.ts";
import type { TaskFile } from "./schema.ts";
import { readSource, type Source, TASK_FILE_BYTES_MAX } from "./source.ts";

/** Directories that a glob of inputs does not look into. */
const NOT_LOOKED_INTO: ReadonlySet<string> = new Set([".git", "node_modules"]);

export interface Around {
  /** Where inputs are looked for, absolute. */
  readonly cwd: string;
  readonly settings: Pick<Settings, "aliases" | "work">;
}

export type Loaded = { readonly task: TaskFile } | { readonly findings: readonly Finding[] };

/** @param path as it was named @throws HarnessError `usage`: the file cannot be read */
export async function loadTask(path: string, around: Around): Promise<Loaded> {
  const source = await sourceOf(path, around.cwd);
  if ("findings" in source) return source;
  return { ...(await checkSource(source, around)) };
}

/** @throws HarnessError `usage`: the file cannot be read, or something stands against the task */
export async function requireTask(path: string, around: Around): Promise<TaskFile> {
  return required(path, await loadTask(path, around));
}

export function required(path: string, loaded: Loaded): TaskFile {
  if ("task" in loaded) return loaded.task;
  const [first] = loaded.findings;
  const more = loaded.findings.length - 1;
  throw new HarnessError(
    "usage",
    `The task in ${path} is refused: line ${String(first?.line ?? 1)}, ${first?.what ?? "it is empty"}${more > 0 ? `; and ${String(more)} more` : ""}.`,
    `${first?.mend ?? ""} \`belay check ${path}\` names all.`.trim(),
  );
}

export async function checkSource(source: Source, around: Around): Promise<Loaded> {
  const inputs = inputsOf(source.value);
  const there = new Set<string>();
  for (const input of inputs) if (await exists(input, around.cwd)) there.add(input);
  return checkTask(source, knownOf(around, there));
}

function knownOf({ settings }: Around, there: ReadonlySet<string>): Known {
  const own = (settings.work.phases ?? []).map((one) => (typeof one === "string" ? one : one.name));
  return {
    exists: (input) => there.has(input),
    phases: [...new Set([...BUILT_IN_PHASES.map(({ name }) => name), ...own])],
    isModel: (name) => namedModel(name, settings) !== null,
    tools: builtInTools().map(({ name }) => name),
  };
}

/** Characters of a path or a glob, and how many are looked for: what the schema allows. */
const INPUTS_MAX = 100;
const INPUT_CHARS_MAX = 2_000;

function inputsOf(value: unknown): readonly string[] {
  const inputs: unknown = typeof value === "object" && value !== null && "inputs" in value ? value.inputs : [];
  if (!Array.isArray(inputs)) return [];
  return inputs
    .slice(0, INPUTS_MAX)
    .flatMap((one) => (typeof one === "string" && one.length <= INPUT_CHARS_MAX ? [one.trim()] : []));
}

/** Whether it is read as a pattern, and not as one path. */
function isGlob(input: string): boolean {
  return /[*?[{]/.test(input);
}

async function exists(input: string, cwd: string): Promise<boolean> {
  if (input === "") return false;
  if ((await stat(resolve(cwd, input)).catch(nothing)) !== null) return true;
  if (!isGlob(input)) return false;
  for await (const _found of glob(input, { cwd, exclude: (name) => NOT_LOOKED_INTO.has(name) })) return true;
  return false;
}

/** @throws HarnessError `usage` */
export async function sourceOf(path: string, cwd: string): Promise<Source | { readonly findings: readonly Finding[] }> {
  const source = await readSource(await textOf(path, cwd));
  return "mend" in source ? { findings: [source] } : source;
}

export async function textOf(path: string, cwd: string): Promise<string> {
  const absolute = resolve(cwd, path);
  try {
    const facts = await stat(absolute);
    if (!facts.isFile()) throw unreadable(path, "is no file");
    // What is longer is refused by whoever reads it: a little more than the bound says that.
    if (facts.size > TASK_FILE_BYTES_MAX * 32) throw unreadable(path, `has ${String(facts.size)} bytes`);
    return await readFile(absolute, "utf8");
  } catch (error) {
    if (error instanceof HarnessError) throw error;
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw unreadable(path, missing ? "is not there" : "cannot be read", error);
  }
}

function unreadable(path: string, why: string, cause?: unknown): HarnessError {
  return new HarnessError("usage", `The file ${path} ${why}.`, "Correct the path.", { cause });
}

function nothing(error: unknown): null {
  if (error instanceof Error && "code" in error) return null;
  throw error;
}

/** The inputs whose text goes with the task: single files. */
export async function filesOf({ inputs }: TaskFile, cwd: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const input of inputs) {
    const facts = await stat(join(resolve(cwd, input))).catch(nothing);
    if (facts?.isFile() === true) files.push(input);
  }
  return files;
}
