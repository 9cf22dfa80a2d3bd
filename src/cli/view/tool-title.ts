/** One line for people: what a tool call is about to do. Made from the journal alone, so that it is the same live and later. */
import type { ToolUsePart } from "../../kernel/content.ts";
import { canonicalJson, type JsonObject } from "../../kernel/json.ts";
import { safeLine } from "./safe-text.ts";

const TITLE_CHARS_MAX = 200;
/** The member of a tool's input that says most, in order of preference. */
const TELLING = ["command", "pattern", "path", "query", "url", "name"] as const;

export function toolTitle(part: Pick<ToolUsePart, "name" | "input">): string {
  const { name, input } = part;
  const telling = TELLING.map((member) => input[member]).find((value) => typeof value === "string");
  const words = typeof telling === "string" ? telling + placeOf(name, input) : canonicalJson(input);
  const line = safeLine(words.slice(0, 2 * TITLE_CHARS_MAX).toWellFormed());
  return line.length > TITLE_CHARS_MAX ? `${line.slice(0, TITLE_CHARS_MAX).toWellFormed()}…` : line;
}

/** Where a search looks. */
function placeOf(name: string, { path, pattern }: JsonObject): string {
  return (name === "grep" || name === "glob") && typeof pattern === "string" && typeof path === "string"
    ? ` in ${path}`
    : "";
}
