/** The part of every request that never changes within a session: prompt, tool schemas, and their hashes. */
import { SYSTEM_PROMPT } from "../context/system-prompt.ts";
import { hashOf } from "../kernel/envelope.ts";
import { canonicalJson } from "../kernel/json.ts";
import { builtInTools, type ToolSchema, toolSchemas } from "../tool/registry.ts";
import type { Tool } from "../tool/tool.ts";

export interface Prompt {
  readonly system: string;
  readonly tools: readonly ToolSchema[];
  /** SHA-256, as journaled. */
  readonly versions: { readonly prompt: string; readonly tools: string };
  /** Of both together, in UTF-8. */
  readonly bytes: number;
}

/** Put in by the build (`scripts/build.ts`), which makes them from the same tools; nothing where the sources run. */
declare const BELAY_TOOL_SCHEMAS: readonly ToolSchema[] | undefined;

/** Building schemas costs milliseconds, and a turn needs them each time: they are built once for a list of tools. */
const built = new WeakMap<readonly Tool[], Prompt>();

export function promptOf(tools: readonly Tool[]): Prompt {
  const known = built.get(tools);
  if (known !== undefined) return known;
  const schemas = printedSchemas(tools) ?? toolSchemas(tools);
  const printed = canonicalJson(schemas);
  const prompt = {
    system: SYSTEM_PROMPT,
    tools: schemas,
    versions: { prompt: hashOf(SYSTEM_PROMPT), tools: hashOf(printed) },
    bytes: Buffer.byteLength(SYSTEM_PROMPT) + Buffer.byteLength(printed),
  };
  built.set(tools, prompt);
  return prompt;
}

function printedSchemas(tools: readonly Tool[]): readonly ToolSchema[] | null {
  return typeof BELAY_TOOL_SCHEMAS === "undefined" || tools !== builtInTools() ? null : BELAY_TOOL_SCHEMAS;
}
