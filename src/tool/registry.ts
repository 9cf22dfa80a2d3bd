/** The built-in tools, in the order in which every request names them: a prefix that never moves is a prefix that is cached. */
import * as z from "zod";
import { isJsonObject, type Json, type JsonObject } from "../kernel/json.ts";
import { lazy } from "../kernel/lazy.ts";
import { bashTool } from "./bash.ts";
import { editTool } from "./edit.ts";
import { globTool } from "./glob.ts";
import { grepTool } from "./grep.ts";
import { readTool } from "./read.ts";
import { skillTool } from "./skill.ts";
import { taskTool } from "./task.ts";
import { rememberTool } from "./remember.ts";
import { todoTool } from "./todo.ts";
import type { Tool } from "./tool.ts";
import { webFetchTool } from "./web-fetch.ts";
import { writeTool } from "./write.ts";

/** As a model is told. Equal in shape to what the model port takes. */
export interface ToolSchema {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly input: JsonObject;
}

export type ParsedInput =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

/** Problems that an answer names. */
const PROBLEMS_MAX = 5;

/** Always the same list, so that what is built for it is built once. */
export const builtInTools: () => readonly Tool[] = lazy(() => [
  erased(readTool),
  erased(writeTool),
  erased(editTool),
  erased(grepTool),
  erased(globTool),
  erased(bashTool),
  erased(webFetchTool),
  erased(todoTool),
  erased(rememberTool),
  erased(taskTool),
  erased(skillTool),
]);

/** Builds every schema; the first call costs some milliseconds. */
export function toolSchemas(tools: readonly Tool[]): readonly ToolSchema[] {
  return tools.map((tool) => ({ name: tool.name, description: tool.description, input: schemaOf(tool) }));
}

/** What the tool may be run with, or a sentence for the model about what does not fit. */
export function parseToolInput(tool: Tool, input: JsonObject): ParsedInput {
  const parsed = tool.input().safeParse(input);
  if (parsed.success) return { ok: true, value: parsed.data };
  const problems = parsed.error.issues
    .slice(0, PROBLEMS_MAX)
    .map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message));
  return {
    ok: false,
    problem: `The input of ${tool.name} does not fit: ${problems.join("; ")}. Correct it and call again.`,
  };
}

function schemaOf(tool: Tool): JsonObject {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(tool.input(), { io: "input" });
  return withoutNoise(schema as JsonObject); // a JSON Schema is JSON
}

/** Bounds that no model needs to hear of: it keeps them anyway, or the answer names what does not fit. They cost tokens each turn. */
const UNSAID: ReadonlySet<string> = new Set(["minLength", "maxLength", "exclusiveMinimum", "maxItems"]);

function withoutNoise(schema: JsonObject): JsonObject {
  const kept = Object.entries(schema).filter(([name, value]) => !isNoise(name, value));
  return Object.fromEntries(kept.map(([key, value]) => [key, isJsonObject(value) ? withoutNoise(value) : value]));
}

/** zod writes a bound for every safe integer. */
function isNoise(name: string, value: Json): boolean {
  if (typeof value !== "number") return false; // a field of a tool may be called like a bound
  return UNSAID.has(name) || value === Number.MAX_SAFE_INTEGER || value === Number.MIN_SAFE_INTEGER;
}

/** A list of tools forgets what each takes. True to `run` because the runner hands it only what `parseToolInput` returned. */
function erased<Input>(tool: Tool<Input>): Tool {
  return tool as unknown as Tool;
}
