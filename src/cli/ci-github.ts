/**
 * GitHub Actions: workflow commands for its log, the step's summary in Markdown, the step's outputs. Pure but for
 * `appendToStepFile`. Everything that a model, a tool or a file may have named is escaped for where it goes.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import type { EventOf } from "../kernel/events/index.ts";
import { safeLine, safeText } from "./view/safe-text.ts";
import { withoutCommands } from "./view/log-text.ts";

type Command = "group" | "endgroup" | "error" | "warning" | "notice";
export interface Properties {
  readonly title?: string;
  readonly file?: string;
  readonly line?: number;
  readonly col?: number;
}

/** `::error file=a.ts,line=3,title=…::message` */
export function workflowCommand(command: Command, message: string, properties: Properties = {}): string {
  const named = Object.entries(properties).map(([name, value]) => `${name}=${escapedProperty(String(value))}`);
  return `::${command}${named.length === 0 ? "" : ` ${named.join(",")}`}::${escapedData(message)}`;
}

function escapedData(text: string): string {
  // `##[` is the other form of a command, and is looked for in every part of a line
  return withoutCommands(safeText(text)).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapedProperty(text: string): string {
  return escapedData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/** Annotations of one kind that a step shows; GitHub drops what is beyond ten. */
const LOCATED_MAX = 9;
/** What is looked at of each line. Characters. */
const LINE_CHARS_MAX = 1_000;

export interface Located {
  readonly file: string;
  readonly line: number;
  readonly col: number | null;
  readonly message: string;
}

/** `src/a.ts:12:5: message` (compilers, linters, grep) and `src/a.ts(12,5): message` (tsc). Paths within the repository only. */
const FORMS: readonly RegExp[] = [
  /^\s*(?<file>[\w@+.\-/]+\.\w+):(?<line>\d+)(?::(?<col>\d+))?:?\s+(?<message>\S.*)$/,
  /^\s*(?<file>[\w@+.\-/]+\.\w+)\((?<line>\d+),(?<col>\d+)\):\s+(?<message>\S.*)$/,
];

/** Places that the output of a verification names, each once, the first ones. */
export function locatedIn(output: string): readonly Located[] {
  const found = new Map<string, Located>();
  for (const text of safeText(output).split("\n")) {
    if (found.size === LOCATED_MAX) break;
    const place = locatedAt(text.slice(0, LINE_CHARS_MAX));
    if (place !== null) found.set(`${place.file}:${place.line}`, found.get(`${place.file}:${place.line}`) ?? place);
  }
  return [...found.values()];
}

function locatedAt(text: string): Located | null {
  for (const form of FORMS) {
    const { file, line, col, message } = form.exec(text)?.groups ?? {};
    if (file === undefined || line === undefined || message === undefined) continue;
    if (file.startsWith("/") || file.split("/").includes("..")) return null;
    return {
      file: file.replace(/^\.\//, ""),
      line: Number(line),
      col: col === undefined ? null : Number(col),
      message,
    };
  }
  return null;
}

export function verificationAnnotations({ command, tail }: EventOf<"VerificationFinished">["data"]): readonly string[] {
  return locatedIn(tail).map(({ file, line, col, message }) =>
    workflowCommand("error", message, {
      file,
      line,
      ...(col === null ? {} : { col }),
      title: `verification failed: ${safeLine(command)}`,
    }),
  );
}

/** Text of others in Markdown: as code, in a fence that it cannot close. */
export function fenced(text: string): string {
  const clean = safeText(text).trimEnd();
  const longest = Math.max(2, ...[...clean.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${clean}\n${fence}`;
}

/** The same within a line, also of a table. */
export function codeSpan(text: string): string {
  const clean = safeLine(text).replaceAll("|", "\\|");
  const longest = Math.max(0, ...[...clean.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `\`${clean}\`` : `${fence} ${clean} ${fence}`;
}

/** A line of the step's outputs. The value has one line. */
export function outputLine(name: string, value: string | number | null): string {
  return `${name}=${value === null ? "" : safeLine(String(value))}`;
}

/** Appends to a file that the runner has made for the step. @returns why that failed, or null */
export function appendToStepFile(path: string, text: string): string | null {
  let file: number | null = null;
  try {
    const { O_APPEND, O_WRONLY, O_NOFOLLOW, O_NONBLOCK, O_CREAT } = constants;
    file = openSync(path, O_APPEND | O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o644);
    if (!fstatSync(file).isFile()) return "it is no file";
    writeSync(file, text);
    return null;
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    return String(error.code);
  } finally {
    if (file !== null) closeSync(file);
  }
}
