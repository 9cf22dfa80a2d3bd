/** One line for people: what a tool call is about to do. Made from the journal alone, so that it is the same live and later. */
import type { ToolUsePart } from "../../kernel/content.ts";
import { isJsonObject, canonicalJson, type Json, type JsonObject } from "../../kernel/json.ts";
import { safeLine } from "./safe-text.ts";

const TITLE_CHARS_MAX = 200;
/** The member of a tool's input that says most, in order of preference. */
const TELLING = ["command", "pattern", "path", "query", "url", "name"] as const;

export function toolTitle(part: Pick<ToolUsePart, "name" | "input">): string {
  const { name, input } = part;
  const words = (Object.hasOwn(OWN, name) ? OWN[name]?.(input) : undefined) ?? titleOf(name, input);
  const line = safeLine(words.slice(0, 2 * TITLE_CHARS_MAX).toWellFormed());
  return line.length > TITLE_CHARS_MAX ? `${line.slice(0, TITLE_CHARS_MAX).toWellFormed()}…` : line;
}

function titleOf(name: string, input: JsonObject): string {
  const telling = TELLING.map((member) => input[member]).find((value) => typeof value === "string");
  return typeof telling === "string" ? telling + placeOf(name, input) : canonicalJson(input);
}

/** Of belay's own tools that no single member says most of; undefined where the input is not theirs. */
const OWN: Readonly<Record<string, (input: JsonObject) => string | undefined>> = {
  todo: ({ items }) => (Array.isArray(items) ? listText(items) : undefined),
  task: ({ agent, description }) =>
    typeof agent === "string" && typeof description === "string" ? `${agent}: ${description}` : undefined,
  remember: ({ kind, text }) =>
    typeof kind === "string" && typeof text === "string"
      ? `(${kind.replaceAll("_", " ")})${MEMORY_REFERENCE.test(text) ? "" : ` ${text}`}`
      : undefined,
  skill: ({ name, file }) => (typeof name === "string" && typeof file === "string" ? `${name} ${file}` : undefined),
};

/** What stands in a journal in place of a memory's text: the line after the call names it. */
const MEMORY_REFERENCE = /^\[memory:[a-z0-9_]+\]$/;

/** `1 of 3 done, now: write the parser` */
function listText(items: readonly Json[]): string | undefined {
  const rows = items.flatMap((item) => (isJsonObject(item) && typeof item["text"] === "string" ? [item] : []));
  if (rows.length < items.length) return undefined;
  const done = rows.filter(({ status }) => status === "done").length;
  const now = rows.find(({ status }) => status === "active")?.["text"];
  return `${done} of ${rows.length} done${typeof now === "string" ? `, now: ${now}` : ""}`;
}

/** Where a search looks. */
function placeOf(name: string, { path, pattern }: JsonObject): string {
  return (name === "grep" || name === "glob") && typeof pattern === "string" && typeof path === "string"
    ? ` in ${path}`
    : "";
}
