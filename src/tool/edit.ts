/** Replaces exact text in a file of the workspace. Nothing is written unless the place is beyond doubt. */
import * as z from "zod";
import { restoreMarks } from "../kernel/invisible.ts";
import { lazy } from "../kernel/lazy.ts";
import { exactText, kindOfBytes } from "./file-kind.ts";
import { count, failsWith, says, withFileFailures } from "./tool-output.ts";
import type { Tool, ToolContext, ToolOutput } from "./tool.ts";

export const EDIT_FILE_BYTES_MAX = 32 * 1024 * 1024;
/** Places that an answer names. */
const PLACES_NAMED_MAX = 8;

const input = lazy(() =>
  z.object({
    path: z.string().min(1).describe("File, relative to the workspace"),
    old_string: z.string().min(1).describe("Exact text to replace, without line numbers; must occur once"),
    new_string: z.string().describe("Text to put there"),
    replace_all: z.boolean().optional().describe("Replace every occurrence"),
  }),
);
type EditInput = z.infer<ReturnType<typeof input>>;

export const editTool: Tool<EditInput> = {
  name: "edit",
  description: "Replace text in a file by exact match. Include enough lines around it to be unique.",
  input,
  effect: "write",
  idempotent: false,
  limit_ms: 30_000,
  limit_max_ms: 30_000,
  title: ({ path }) => path,
  run: (request, context) => withFileFailures("edit", () => edit(request, context)),
};

async function edit(request: EditInput, { workspace }: ToolContext): Promise<ToolOutput> {
  const { path, old_string, new_string, replace_all = false } = request;
  if (old_string === new_string)
    return failsWith("old_string and new_string are the same: nothing was changed.", "edit");
  const stat = await workspace.files.stat(path);
  if (stat === null) return failsWith(`There is no ${path}. Use write to create it.`, "edit");
  const bytes = await workspace.files.read(path, EDIT_FILE_BYTES_MAX);
  const text = exactText(bytes);
  if (text === null || kindOfBytes(bytes) !== "text")
    return failsWith(`${path} is not UTF-8 text: nothing was changed. Use a command.`, "edit");

  const { old, fresh, places } = meantIn(text, old_string, new_string);
  if (places.length === 0) return failsWith(notFound(path, text, old_string), "edit");
  if (places.length > 1 && !replace_all) return failsWith(notUnique(path, text, places), "edit");
  await workspace.files.write(path, new TextEncoder().encode(text.split(old).join(fresh)));
  return says(`Edited ${path}: ${count(places.length, "replacement")}, ${placesNamed(text, places)}.`, {
    from: "tool",
    by: "edit",
  });
}

interface Meant {
  readonly old: string;
  readonly fresh: string;
  readonly places: readonly number[];
}

/** Where the text does not stand as it was written, the marks in it mean the characters that the model was shown them for. */
function meantIn(text: string, old_string: string, new_string: string): Meant {
  const literal = placed(text, old_string, new_string);
  if (literal.places.length > 0) return literal;
  const restored = restoreMarks(old_string);
  return restored === old_string ? literal : placed(text, restored, restoreMarks(new_string));
}

function placed(text: string, old_string: string, new_string: string): Meant {
  const { old, fresh } = inLineEndingsOf(text, old_string, new_string);
  return { old, fresh, places: occurrences(text, old) };
}

/** A model writes `\n`. Where the file does not have the text like that but with `\r\n`, that is what is meant. */
function inLineEndingsOf(
  text: string,
  old_string: string,
  new_string: string,
): { readonly old: string; readonly fresh: string } {
  const windows = (part: string): string => part.replace(/\r?\n/g, "\r\n");
  const asIs = { old: old_string, fresh: new_string };
  if (!text.includes("\r\n")) return asIs;
  if (!old_string.includes("\n"))
    return text.includes("\n") && !/[^\r]\n/.test(text) ? { old: old_string, fresh: windows(new_string) } : asIs;
  return text.includes(old_string) ? asIs : { old: windows(old_string), fresh: windows(new_string) };
}

/** Where the text stands, counted without overlap, as `split` does. */
function occurrences(text: string, part: string): readonly number[] {
  const places: number[] = [];
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) places.push(at);
  return places;
}

function notUnique(path: string, text: string, places: readonly number[]): string {
  return (
    `old_string occurs ${String(places.length)} times in ${path}, ${placesNamed(text, places)}: nothing was changed. ` +
    "Include more of the lines around the one you mean, or set replace_all."
  );
}

function notFound(path: string, text: string, old_string: string): string {
  const like = linesLike(text, old_string);
  const hint = /⟨U\+[0-9A-F]+…/.test(old_string)
    ? "A mark with … stands for several characters and cannot be turned back: leave it out, or use a command."
    : like.length > 0
      ? `Text that differs only in white space begins at ${like.length === 1 ? "line" : "lines"} ${like.join(", ")}.`
      : "It may have changed.";
  return `old_string does not occur in ${path}: nothing was changed. ${hint} Read the file again and copy the text exactly.`;
}

/** Lines at which the searched text would begin if white space did not count. */
function linesLike(text: string, part: string): readonly number[] {
  const squeeze = (line: string): string => line.replace(/\s+/g, "");
  const wanted = part
    .split("\n")
    .map(squeeze)
    .filter((line) => line !== "");
  if (wanted.length === 0) return [];
  const lines = text
    .split("\n")
    .map((line, index) => ({ number: index + 1, squeezed: squeeze(line) }))
    .filter(({ squeezed }) => squeezed !== "");
  const begins = lines.filter((_, index) => wanted.every((line, offset) => lines[index + offset]?.squeezed === line));
  return begins.slice(0, PLACES_NAMED_MAX).map(({ number }) => number);
}

function placesNamed(text: string, places: readonly number[]): string {
  const numbers = lineNumbers(text, places.slice(0, PLACES_NAMED_MAX));
  const more = places.length > PLACES_NAMED_MAX ? ", …" : "";
  return `${places.length === 1 ? "line" : "lines"} ${numbers.join(", ")}${more}`;
}

function lineNumbers(text: string, places: readonly number[]): readonly number[] {
  return places.map((at) => text.slice(0, at).split("\n").length);
}
