/**
 * The ignore rules as they stood when the session began, frozen into one file outside the workspace: a rule that the agent
 * writes later hides nothing. Rules of nested files are rewritten so that they mean the same from the top.
 */
import { type BytePath, nameOf, parentOf } from "../byte-path.ts";

export interface IgnoreFile {
  /** Where the file was; its rules reach what is below its directory. */
  readonly path: BytePath;
  readonly content: Uint8Array;
}

/** Bytes of one ignore file that are read. */
export const IGNORE_FILE_BYTES_MAX = 1024 * 1024;
export const IGNORE_FILE_NAME = ".gitignore";

/** @param exclude the repository's own `info/exclude`, weakest of all. Within the file the last rule that matches wins. */
export function freezeRules(
  exclude: Uint8Array | null,
  files: readonly IgnoreFile[],
  always: readonly string[],
): Buffer {
  const outermostFirst = [...files].sort((a, b) => depth(a.path) - depth(b.path) || (a.path < b.path ? -1 : 1));
  const lines = [
    ...(exclude === null ? [] : rulesOf(exclude)),
    ...outermostFirst.flatMap((file) => rulesOf(file.content).map((rule) => fromTop(parentOf(file.path), rule))),
    ...always,
  ];
  return Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
}

export function isIgnoreFile(path: BytePath): boolean {
  return nameOf(path) === IGNORE_FILE_NAME;
}

function depth(path: BytePath): number {
  return path.split("/").length;
}

function rulesOf(content: Uint8Array): readonly string[] {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1");
  return text
    .replace(/^\u00ef\u00bb\u00bf/, "") // a byte order mark, in latin1
    .split("\n")
    .map((line) => withoutTrailingSpace(line.replace(/\r$/, "")))
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Spaces at the end do not count, unless a backslash stands before. */
function withoutTrailingSpace(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === " " && line[end - 2] !== "\\") end--;
  return line.slice(0, end);
}

function fromTop(directory: BytePath, rule: string): string {
  if (directory === "") return rule;
  const not = rule.startsWith("!") ? "!" : "";
  const pattern = rule.slice(not.length);
  const prefix = `${not}/${literally(directory)}/`;
  // A slash before the end ties a rule to its directory; without one it means any depth below.
  const tied = pattern.slice(0, -1).includes("/");
  return tied ? prefix + pattern.replace(/^\//, "") : `${prefix}**/${pattern}`;
}

/** The path as a pattern that matches only itself (a newline cannot be written, so any one character stands for it). */
export function literally(path: string): string {
  return path.replace(/[\\*?[\]]/g, "\\$&").replaceAll("\n", "?");
}
