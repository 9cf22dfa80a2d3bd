/**
 * What must not be forgotten, whatever is taken out of a conversation: folded from the journal, so it is right without a model.
 *
 * K1: the last `LESSONS_KEPT` mistakes and learnings are those of the journal, in its order.
 * K2: an item of the queue stays until the model marks it done or leaves it away.
 */
import { clipped } from "./clipped.ts";
import { plainText, type PlainPart, type ToolUsePart } from "./content.ts";
import { isJsonObject, type Json, type JsonObject } from "./json.ts";

export const LESSONS_KEPT = 5;
export const QUEUE_MAX = 50;
export const QUEUE_CHARS_MAX = 300;
const LESSON_CHARS_MAX = 400;
const UNRESOLVED_MAX = 20;
const FILES_KEPT = 30;
const DONE_KEPT = 20;

export interface QueueItem {
  readonly text: string;
  readonly status: "pending" | "active" | "done";
}

export interface Lesson {
  readonly turn: number;
  readonly what: string;
}

/** What failed and was not yet seen to work. */
interface Unresolved extends Lesson {
  /** Tool and main argument. */
  readonly about: string;
}

export interface Continuity {
  readonly queue: readonly QueueItem[];
  /** Items of the queue that were finished and left away, oldest first. */
  readonly done: readonly string[];
  readonly mistakes: readonly Lesson[];
  readonly learnings: readonly Lesson[];
  readonly unresolved: readonly Unresolved[];
  /** Paths that the file tools changed, the latest last, each once. */
  readonly files: readonly { readonly path: string; readonly turn: number }[];
}

export const NO_CONTINUITY: Continuity = {
  queue: [],
  done: [],
  mistakes: [],
  learnings: [],
  unresolved: [],
  files: [],
};

/** The name under which the model keeps its queue. */
export const QUEUE_TOOL = "todo";

const STATUSES: ReadonlySet<Json | undefined> = new Set(["pending", "active", "done"]);

/** A tool call ended. */
export function afterTool(
  before: Continuity,
  {
    part,
    status,
    content,
    turn,
  }: {
    readonly part: ToolUsePart;
    /** A `ToolStatus`. */
    readonly status: string;
    readonly content: readonly PlainPart[];
    readonly turn: number;
  },
): Continuity {
  if (part.name === QUEUE_TOOL) return status === "ok" ? withQueue(before, part.input) : before;
  const about = callText(part);
  if (status === "ok") return touched(resolved(before, about, turn), part, turn);
  if (status === "canceled" || status === "interrupted") return before;
  const what = clipped(`${about}: ${status === "error" ? "failed" : status}${lastLine(content)}`, LESSON_CHARS_MAX);
  const known = before.unresolved.filter((one) => one.about !== about);
  return {
    ...withMistake(before, turn, what),
    unresolved: [...known, { about, turn, what }].slice(-UNRESOLVED_MAX),
  };
}

export function withMistake(before: Continuity, turn: number, what: string): Continuity {
  const others = before.mistakes.filter((one) => one.what !== what);
  return { ...before, mistakes: [...others, { turn, what: clipped(what, LESSON_CHARS_MAX) }].slice(-LESSONS_KEPT) };
}

/** `bash \`npm test\``, `edit src/a.ts`: one line, for people and for telling calls apart. */
export function callText({ name, input }: Pick<ToolUsePart, "name" | "input">): string {
  const main = ["command", "path", "pattern", "url", "description", "name"].map((key) => input[key]).find(isText);
  if (main === undefined) return name;
  const line = clipped(main.replaceAll(/\s+/g, " ").trim(), 120);
  return name === "bash" ? `bash \`${line}\`` : `${name} ${line}`;
}

function withQueue(before: Continuity, input: JsonObject): Continuity {
  const items = Array.isArray(input["items"]) ? input["items"] : [];
  const queue = items.slice(0, QUEUE_MAX).flatMap((item): QueueItem[] => {
    if (!isJsonObject(item)) return [];
    const { text, status } = item;
    if (typeof text !== "string" || !STATUSES.has(status)) return [];
    return [
      { text: clipped(text.replaceAll(/\s+/g, " ").trim(), QUEUE_CHARS_MAX), status: status as QueueItem["status"] },
    ]; // checked above
  });
  const kept = new Set(queue.map(({ text }) => text));
  const left = before.queue.filter(({ text, status }) => status === "done" && !kept.has(text)).map(({ text }) => text);
  const done = [...before.done.filter((text) => !left.includes(text)), ...left].slice(-DONE_KEPT);
  return { ...before, queue, done };
}

/** What failed before and works now is something learned. */
function resolved(before: Continuity, about: string, turn: number): Continuity {
  const failed = before.unresolved.find((one) => one.about === about);
  if (failed === undefined) return before;
  const since = before.files.filter((file) => file.turn >= failed.turn).map((file) => file.path);
  const after = since.length === 0 ? "" : `, after changes to ${since.slice(-3).join(", ")}`;
  const what = clipped(`${failed.what} (turn ${failed.turn}); it worked in turn ${turn}${after}`, LESSON_CHARS_MAX);
  return {
    ...before,
    unresolved: before.unresolved.filter((one) => one !== failed),
    learnings: [...before.learnings, { turn, what }].slice(-LESSONS_KEPT),
  };
}

function touched(before: Continuity, { name, input }: ToolUsePart, turn: number): Continuity {
  const path = input["path"];
  if ((name !== "edit" && name !== "write") || !isText(path)) return before;
  const others = before.files.filter((file) => file.path !== path);
  return { ...before, files: [...others, { path, turn }].slice(-FILES_KEPT) };
}

function lastLine(content: readonly PlainPart[]): string {
  // What belay put around a stranger's text says nothing about what failed.
  const said = content.filter(({ origin }, n) => origin.from !== "belay" || n === 0);
  const line = plainText(said).trimEnd().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? "" : `: ${clipped(line, 200)}`;
}

function isText(value: Json | undefined): value is string {
  return typeof value === "string" && value !== "";
}
