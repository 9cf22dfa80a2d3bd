/**
 * The task: words from the command line or stdin, and the files that come with it: those it mentions (`@path`; `\@` is an `@`), and
 * those that were named beside it (`--file`, `inputs:`). A file that is not there is an error, not a guess.
 */
import { clipped } from "../kernel/clipped.ts";
import { constants, open, type FileHandle } from "node:fs/promises";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { textTokens } from "../kernel/bound.ts";
import { type PlainPart, type TextPart, textPart } from "../kernel/content.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { safeLine } from "./view/safe-text.ts";

const TASK_BYTES_MAX = 1024 * 1024;
/** One mentioned file, and all of them. Bytes. */
export const MENTION_BYTES_MAX = 256 * 1024;
const MENTIONS_BYTES_MAX = 1024 * 1024;
/** Files that come with one task. */
const MENTIONS_MAX = 100;
/** Lines about them; further ones are counted. */
const FILES_SHOWN_MAX = 20;
const TITLE_CHARS_MAX = 80;

export interface Task {
  readonly parts: readonly PlainPart[];
  /** Its first line, for lists. */
  readonly title: string;
  /** What came with it, for who pays. */
  readonly files: readonly MentionedFile[];
}

/** A file whose text goes with the task. */
export interface MentionedFile {
  /** As it was named. */
  readonly path: string;
  readonly part: TextPart;
  /** As estimated. */
  readonly tokens: number;
}

export interface TaskRequest {
  /** From the command line; `-` or nothing at all is stdin. */
  readonly words: readonly string[];
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly cwd: string;
  /** Named beside the words. */
  readonly files?: readonly string[];
}

/** @throws HarnessError `usage` */
export async function readTask({ words, stdin, cwd, files = [] }: TaskRequest): Promise<Task> {
  const fromStdin = words.length === 0 || (words.length === 1 && words[0] === "-");
  if (fromStdin && words.length === 0 && stdin.isTTY === true) {
    throw new HarnessError("usage", "There is no task.", 'Say what to do: belay run "fix the failing test".');
  }
  const text = (fromStdin ? await readAll(stdin) : words.join(" ")).trim();
  if (text === "")
    throw new HarnessError("usage", "The task is empty.", 'Say what to do: belay run "fix the failing test".');
  return taskOf(text, cwd, files);
}

/** @param named files beside those that the text mentions @throws HarnessError `usage` */
export async function taskOf(text: string, cwd: string, named: readonly string[] = []): Promise<Task> {
  const mentioned = mentionsIn(text).map((path) => ({ path, how: "mention" as const }));
  const files = await readFiles([...mentioned, ...named.map((path) => ({ path, how: "name" as const }))], cwd);
  const said = text.replaceAll(/(^|\s)\\@/g, "$1@");
  return {
    parts: [textPart(said, { from: "user" }), ...files.map(({ part }) => part)],
    title: titleOf(said),
    files,
  };
}

/** The files of `--file` and `inputs:`, each once, with what they cost. @throws HarnessError `usage` */
export function mentionedFiles(paths: readonly string[], cwd: string): Promise<readonly MentionedFile[]> {
  return readFiles(
    paths.map((path) => ({ path, how: "name" })),
    cwd,
  );
}

/** `files: src/a.ts 1,240 tokens`; of many, the dearest first. Empty where none came. */
export function fileLines(files: readonly MentionedFile[]): readonly string[] {
  const dearest = files.toSorted((a, b) => b.tokens - a.tokens);
  const lines = dearest
    .slice(0, FILES_SHOWN_MAX)
    .map(({ path, tokens }) => `files: ${safeLine(path)} ${tokens.toLocaleString("en-US")} tokens`);
  const others = dearest.slice(FILES_SHOWN_MAX);
  if (others.length === 0) return lines;
  const rest = others.reduce((sum, { tokens }) => sum + tokens, 0);
  return [...lines, `files: ${String(others.length)} more, ${rest.toLocaleString("en-US")} tokens`];
}

/** `mention`: `@path` in the words. */
interface Wanted {
  readonly path: string;
  readonly how: "mention" | "name";
}

async function readFiles(wanted: readonly Wanted[], cwd: string): Promise<readonly MentionedFile[]> {
  const once = new Map<string, Wanted>();
  for (const one of wanted) {
    const absolute = resolve(cwd, one.path);
    if (!once.has(absolute)) once.set(absolute, one);
  }
  if (once.size > MENTIONS_MAX) {
    throw new HarnessError(
      "usage",
      `The task brings ${once.size} files, more than ${MENTIONS_MAX}.`,
      "Bring fewer; the agent can read files itself.",
    );
  }
  const parts = await Promise.all([...once].map(([absolute, one]) => readMention(one, absolute)));
  const bytes = parts.reduce((sum, part) => sum + Buffer.byteLength(part.text), 0);
  if (bytes > MENTIONS_BYTES_MAX) {
    throw new HarnessError(
      "usage",
      `The mentioned files have ${bytes} bytes, more than ${MENTIONS_BYTES_MAX}.`,
      "Mention fewer; the agent can read files itself.",
    );
  }
  return [...once.values()].flatMap(({ path }, i) => {
    const part = parts[i];
    return part === undefined ? [] : [{ path, part, tokens: textTokens(part.text) }];
  });
}

/** Paths, each once. An `@` counts at the beginning of a word; trailing punctuation belongs to the sentence. */
export function mentionsIn(text: string): readonly string[] {
  const found = [...text.matchAll(/(?:^|\s)@(?:"([^"\n]+)"|([^\s"@]\S*))/g)];
  return [...new Set(found.map(([, quoted, bare]) => quoted ?? (bare ?? "").replace(/[,.;:!?)\]}'"]+$/, "")))].filter(
    (path) => path !== "",
  );
}

async function readMention(wanted: Wanted, absolute: string): Promise<TextPart> {
  const { path, how } = wanted;
  const named = how === "mention" ? `mentions @${path}` : `names the file ${path}`;
  const escape =
    how === "mention" ? `Correct the path, or write \\@${path} when no file is meant.` : "Correct the path.";
  const file = await openMention(absolute, named, escape);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new HarnessError("usage", `The task ${named}, which is no file.`, escape);
    if (stat.size > MENTION_BYTES_MAX) {
      throw new HarnessError(
        "usage",
        `The task ${named}, which has ${stat.size} bytes, more than ${MENTION_BYTES_MAX}.`,
        how === "mention"
          ? "Name the path without @: the agent can read parts of it."
          : "Name the path in the task instead: the agent can read parts of it.",
      );
    }
    const bytes = await file.readFile();
    if (bytes.includes(0)) throw new HarnessError("usage", `The task ${named}, which is no text.`, escape);
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

async function openMention(absolute: string, named: string, escape: string): Promise<FileHandle> {
  try {
    // Opening a named pipe would wait for somebody who writes.
    return await open(absolute, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const missing = error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
    const happened = missing
      ? `The task ${named}, and there is no such file.`
      : `The task ${named}, which cannot be read.`;
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
  return clipped(safeLine(text.split("\n")[0] ?? ""), TITLE_CHARS_MAX);
}
