/** Where the jobs of a batch come from: a file of jobs, or files of the tree and a template. */
import { createReadStream } from "node:fs";
import { opendir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import picomatch from "picomatch";
import { HarnessError } from "../kernel/harness-error.ts";
import { type FileLine, linesOf } from "../workflow/batch/files.ts";
import type { Face } from "./face.ts";

export interface JobsFrom {
  /** `-` is standard input. */
  readonly file?: string | undefined;
  readonly files?: string;
  readonly promptFile?: string;
  readonly systemFile?: string;
}

/** One file of the tree in a prompt. Bytes. */
const FILE_BYTES_MAX = 1024 * 1024;
const FILES_MAX = 100_000;
/** Never looked into. */
const LEFT_OUT: ReadonlySet<string> = new Set([".git", "node_modules"]);

export interface JobLines {
  /** For lists. */
  readonly title: string;
  readonly system: string;
  readonly lines: AsyncIterable<FileLine>;
}

/** @throws `usage` */
export async function jobLines(from: JobsFrom, face: Face): Promise<JobLines> {
  const { file, files, promptFile } = from;
  const system = from.systemFile === undefined ? "" : await textOf(resolve(face.cwd, from.systemFile));
  if (files !== undefined && promptFile !== undefined && file === undefined) {
    const template = await textOf(resolve(face.cwd, promptFile));
    if (!/\{\{(file|path)\}\}/.test(template))
      throw new HarnessError("usage", `${promptFile} names no {{file}}.`, "Say {{file}} where a file's text belongs.");
    return { title: `${files} × ${basename(promptFile)}`, system, lines: promptsFor(files, template, face.cwd) };
  }
  if (file === undefined || files !== undefined || promptFile !== undefined) {
    throw new HarnessError(
      "usage",
      "It is not said which jobs are meant.",
      "Name a file of jobs, or files and a template: --files 'src/**/*.ts' --prompt-file review.md.",
    );
  }
  if (file === "-") return { title: "jobs from standard input", system, lines: linesOf(bytesOf(face.stdin)) };
  const path = resolve(face.cwd, file);
  await requireFile(path);
  return { title: basename(path), system, lines: linesOf(bytesOf(createReadStream(path))) };
}

async function* bytesOf(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const piece of stream) yield Buffer.from(piece as Buffer | string); // a stream without object mode yields nothing else
}

async function* promptsFor(pattern: string, template: string, cwd: string): AsyncGenerator<FileLine> {
  const isMatch = picomatch(pattern.replace(/^\.\//, ""), { dot: false });
  const paths: string[] = [];
  for await (const path of filesBelow(cwd, "")) {
    if (isMatch(path)) paths.push(path);
    if (paths.length > FILES_MAX)
      throw new HarnessError("usage", `More than ${FILES_MAX} files match ${pattern}.`, "Narrow the pattern.");
  }
  let number = 0;
  for (const path of paths.sort()) {
    number += 1;
    const text = await textOf(join(cwd, path));
    const parts: { readonly [name: string]: string } = { file: text, path };
    const prompt = template.replaceAll(/\{\{(file|path)\}\}/g, (_, name: string) => parts[name] ?? "");
    yield { number, text: JSON.stringify({ id: path, prompt }) };
  }
}

async function* filesBelow(root: string, directory: string): AsyncGenerator<string> {
  for await (const entry of await opendir(join(root, directory))) {
    const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
    if (entry.isFile()) yield path;
    else if (entry.isDirectory() && !LEFT_OUT.has(entry.name)) yield* filesBelow(root, path);
  }
}

async function requireFile(path: string): Promise<void> {
  try {
    if (!(await stat(path)).isDirectory()) return;
  } catch (cause) {
    throw new HarnessError("usage", `${path} cannot be read.`, "Correct the path.", { cause });
  }
  throw new HarnessError("usage", `${path} is no file.`, "Name a file with one job a line.");
}

async function textOf(path: string): Promise<string> {
  await requireFile(path);
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new HarnessError("usage", `${path} cannot be read.`, "Correct the path.", { cause });
  });
  if (bytes.byteLength > FILE_BYTES_MAX || bytes.includes(0)) {
    const why = bytes.includes(0) ? "is no text" : `has more than ${FILE_BYTES_MAX} bytes`;
    throw new HarnessError("usage", `${path} ${why}.`, "Leave it out of the pattern.");
  }
  return bytes.toString("utf8");
}
