/**
 * The task: words from the command line or stdin, and the files it mentions. `@path` brings a file's text; `\@` is an `@`.
 * A mention of a file that is not there is an error, not a guess.
 */
import { constants, open, type FileHandle } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import type { Readable } from "node:stream";
import { type PlainPart, type TextPart, textPart } from "../kernel/content.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { safeLine } from "./view/safe-text.ts";

const TASK_BYTES_MAX = 1024 * 1024;
/** One mentioned file, and all of them. Bytes. */
export const MENTION_BYTES_MAX = 256 * 1024;
const MENTIONS_BYTES_MAX = 1024 * 1024;
const TITLE_CHARS_MAX = 80;

export interface Task {
  readonly parts: readonly PlainPart[];
  /** Its first line, for lists. */
  readonly title: string;
}

export interface TaskRequest {
  /** From the command line; `-` or nothing at all is stdin. */
  readonly words: readonly string[];
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly cwd: string;
}

/** @throws HarnessError `usage` */
export async function readTask({ words, stdin, cwd }: TaskRequest): Promise<Task> {
  const fromStdin = words.length === 0 || (words.length === 1 && words[0] === "-");
  if (fromStdin && words.length === 0 && stdin.isTTY === true) {
    throw new HarnessError("usage", "There is no task.", 'Say what to do: belay run "fix the failing test".');
  }
  const text = (fromStdin ? await readAll(stdin) : words.join(" ")).trim();
  if (text === "")
    throw new HarnessError("usage", "The task is empty.", 'Say what to do: belay run "fix the failing test".');
  return taskOf(text, cwd);
}

export async function taskOf(text: string, cwd: string): Promise<Task> {
  const files = await Promise.all(mentionsIn(text).map((mention) => readMention(mention, cwd)));
  const bytes = files.reduce((sum, file) => sum + Buffer.byteLength(file.text), 0);
  if (bytes > MENTIONS_BYTES_MAX) {
    throw new HarnessError(
      "usage",
      `The mentioned files have ${bytes} bytes, more than ${MENTIONS_BYTES_MAX}.`,
      "Mention fewer; the agent can read files itself.",
    );
  }
  const said = text.replaceAll(/(^|\s)\\@/g, "$1@");
  return { parts: [textPart(said, { from: "user" }), ...files], title: titleOf(said) };
}

/** Paths, each once. An `@` counts at the beginning of a word; trailing punctuation belongs to the sentence. */
export function mentionsIn(text: string): readonly string[] {
  const found = [...text.matchAll(/(?:^|\s)@(?:"([^"\n]+)"|([^\s"@]\S*))/g)];
  return [...new Set(found.map(([, quoted, bare]) => quoted ?? (bare ?? "").replace(/[,.;:!?)\]}'"]+$/, "")))].filter(
    (path) => path !== "",
  );
}

async function readMention(path: string, cwd: string): Promise<TextPart> {
  const escape = `Correct the path, or write \\@${path} when no file is meant.`;
  const file = await openMention(path, isAbsolute(path) ? path : resolve(cwd, path), escape);
  try {
    const { size } = await file.stat().then(async (stat) => {
      if (!stat.isFile()) throw new HarnessError("usage", `The task mentions @${path}, which is no file.`, escape);
      return stat;
    });
    if (size > MENTION_BYTES_MAX) {
      throw new HarnessError(
        "usage",
        `The task mentions @${path}, which has ${size} bytes, more than ${MENTION_BYTES_MAX}.`,
        "Name the path without @: the agent can read parts of it.",
      );
    }
    const bytes = await file.readFile();
    if (bytes.includes(0)) throw new HarnessError("usage", `The task mentions @${path}, which is no text.`, escape);
    const { escapeOwnMarks } = await import("../policy/injection/own-marks.ts");
    // What closes the mark inside the file would end it there.
    const { text } = escapeOwnMarks(bytes.toString("utf8"));
    return textPart(`<file path=${JSON.stringify(path)}>\n${text}\n</file>`, {
      from: "workspace",
      by: path,
    });
  } finally {
    await file.close();
  }
}

async function openMention(path: string, absolute: string, escape: string): Promise<FileHandle> {
  try {
    // Opening a named pipe would wait for somebody who writes.
    return await open(absolute, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const missing = error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
    const happened = missing
      ? `The task mentions @${path}, and there is no such file.`
      : `The task mentions @${path}, which cannot be read.`;
    throw new HarnessError("usage", happened, escape, { cause: error });
  }
}

async function readAll(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const piece = Buffer.from(chunk as Buffer | string); // a stream without object mode yields nothing else
    bytes += piece.byteLength;
    if (bytes > TASK_BYTES_MAX) {
      throw new HarnessError(
        "usage",
        `The task on stdin has more than ${TASK_BYTES_MAX} bytes.`,
        "Shorten it, or mention files with @path.",
      );
    }
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function titleOf(text: string): string {
  const line = safeLine(text.split("\n")[0] ?? "");
  return line.length > TITLE_CHARS_MAX ? `${line.slice(0, TITLE_CHARS_MAX - 1).toWellFormed()}…` : line;
}
