/**
 * When there are many tools, the list that the model sees stays short and never moves: the built-in ones and `call_tool`, which
 * finds the others and calls them.
 *
 * C1: a call of a tool through `call_tool` is that tool's call: it is unwrapped before it is judged, planned or run. What is left for
 *     `call_tool` itself only looks.
 */
import { clipped } from "../kernel/clipped.ts";
import * as z from "zod";
import { textPart } from "../kernel/content.ts";
import { isJsonObject, type JsonObject } from "../kernel/json.ts";
import { lazy } from "../kernel/lazy.ts";
import { TOOL_OUTPUT_CHARS_MAX } from "../kernel/limits.ts";
import { count, failsWith } from "./tool-output.ts";
import type { Tool, ToolOutput } from "./tool.ts";

/** Up to so many tools are all listed. */
export const TOOLS_LISTED_MAX = 20;
export const CALL_TOOL = "call_tool";
/** In place of a tool's name. */
const LIST = "list";
const SEARCH = "search";
/** Tools that a search describes with what they take. */
const FOUND_MAX = 5;
const DESCRIPTION_CHARS_MAX = 120;
const QUERY_WORDS_MAX = 20;

interface Named {
  readonly name: string;
}

export interface VisibleTools<T> {
  /** Built-in ones first, in the order in which every request names them. */
  readonly listed: readonly T[];
  /** Reached through `call_tool`; empty where all are listed. */
  readonly behind: readonly T[];
}

/** @param builtIn names */
export function visibleTools<T extends Named>(tools: readonly T[], builtIn: ReadonlySet<string>): VisibleTools<T> {
  if (tools.length <= TOOLS_LISTED_MAX) return { listed: tools, behind: [] };
  const isListed = ({ name }: T): boolean => builtIn.has(name) || isReserved(name);
  return { listed: tools.filter(isListed), behind: tools.filter((tool) => !isListed(tool)) };
}

/** A tool of such a name could not be told from what `call_tool` does itself. */
function isReserved(name: string): boolean {
  return name === LIST || name === SEARCH || name === CALL_TOOL;
}

export interface Unwrapped<T> {
  /** Undefined where there is no such tool. */
  readonly tool: T | undefined;
  readonly input: JsonObject;
}

/** The tool that a call is about, and its input. C1. @param tools all, listed or not, `call_tool` among them */
export function unwrapCall<T extends Named>(
  part: { readonly name: string; readonly input: JsonObject },
  tools: readonly T[],
): Unwrapped<T> {
  const tool = tools.find(({ name }) => name === part.name);
  if (part.name !== CALL_TOOL || tool === undefined) return { tool, input: part.input };
  const { name, input = {} } = part.input;
  const inner = typeof name === "string" && !isReserved(name) ? tools.find((one) => one.name === name) : undefined;
  if (inner === undefined || !isJsonObject(input)) return { tool, input: part.input };
  return { tool: inner, input };
}

const input = lazy(() =>
  z.object({
    name: z.string().min(1).describe(`The tool; or "${LIST}", or "${SEARCH}"`),
    input: z.record(z.string(), z.unknown()).optional().describe(`What it takes; for "${SEARCH}": {"query": words}`),
  }),
);
type CallInput = z.infer<ReturnType<typeof input>>;

/** @param behind tools that are not listed @param schemaOf what a tool takes, as JSON Schema */
export function callTool(behind: readonly Tool[], schemaOf: (tool: Tool) => JsonObject): Tool<CallInput> {
  return {
    name: CALL_TOOL,
    description:
      `Call one of ${count(behind.length, "further tool")}. The name "${SEARCH}" with {"query": words} finds tools and shows what they ` +
      `take, "${LIST}" names all.`,
    input,
    effect: "read",
    idempotent: true,
    limit_ms: 10_000,
    limit_max_ms: 10_000,
    title: ({ name }) => name,
    run: (request) => Promise.resolve(look(request, behind, schemaOf)),
  };
}

function look(
  { name, input: given }: CallInput,
  behind: readonly Tool[],
  schemaOf: (tool: Tool) => JsonObject,
): ToolOutput {
  if (name === LIST) return listed(behind.map(nameLine), behind.length);
  if (name === SEARCH) {
    const query = given?.["query"];
    if (typeof query !== "string" || query.trim() === "")
      return failsWith(`"${SEARCH}" takes {"query": "words"}.`, CALL_TOOL);
    const found = foundBy(query, behind);
    if (found.length === 0) return failsWith(`No tool fits ${JSON.stringify(query)}. "${LIST}" names all.`, CALL_TOOL);
    const lines = found
      .slice(0, FOUND_MAX)
      .map((tool) => `${nameLine(tool)}\n  takes ${JSON.stringify(schemaOf(tool))}`);
    return listed(lines, found.length);
  }
  if (behind.some((tool) => tool.name === name))
    return failsWith(`The input of ${name} is no object: nothing was run.`, CALL_TOOL);
  const near = foundBy(name, behind)
    .slice(0, FOUND_MAX)
    .map((tool) => tool.name);
  const hint = near.length === 0 ? `"${LIST}" names all.` : `Near it: ${near.join(", ")}.`;
  return failsWith(`There is no further tool "${name}". ${hint}`, CALL_TOOL);
}

/** Those that have a word of the query, those with most of them first. */
function foundBy(query: string, tools: readonly Tool[]): readonly Tool[] {
  const words = [...new Set(query.toLowerCase().split(/[^\p{L}\p{N}]+/u))]
    .map((word) => word.replace(/(?<=..)s$/, "")) // of a plural its singular is a part
    .filter((word) => word !== "")
    .slice(0, QUERY_WORDS_MAX);
  const scored = tools.map((tool) => {
    const name = tool.name.toLowerCase();
    const text = `${name} ${tool.description.toLowerCase()}`;
    const score = words.reduce((sum, word) => sum + (name.includes(word) ? 2 : text.includes(word) ? 1 : 0), 0);
    return { tool, score };
  });
  return scored
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ tool }) => tool);
}

function nameLine({ name, description }: Tool): string {
  const one = description.replaceAll(/\s+/g, " ").trim();
  return `${name}: ${clipped(one, DESCRIPTION_CHARS_MAX)}`;
}

function listed(lines: readonly string[], total: number): ToolOutput {
  const shown: string[] = [];
  let chars = 0;
  for (const one of lines) {
    chars += one.length + 1;
    if (chars > TOOL_OUTPUT_CHARS_MAX && shown.length > 0) break;
    shown.push(one);
  }
  const rest =
    total > shown.length ? [`[${count(total - shown.length, "more tool")}: search with narrower words]`] : [];
  return {
    status: "ok",
    content: [textPart([...shown, ...rest].join("\n"), { from: "tool", by: CALL_TOOL })],
    output: null,
    exit: null,
  };
}
