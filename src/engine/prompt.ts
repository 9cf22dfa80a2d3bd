/** The part of every request that never changes within a session: prompt, tool schemas, and their hashes. */
import { SYSTEM_PARTS, SYSTEM_PROMPT } from "../context/system-prompt.ts";
import { hashOf } from "../kernel/envelope.ts";
import { lazy } from "../kernel/lazy.ts";
import { builtInTools, type ToolSchema, toolSchemas } from "../tool/registry.ts";
import type { Tool } from "../tool/tool.ts";
import { toolList } from "./tool-list.ts";

export interface Prompt {
  readonly system: string;
  readonly tools: readonly ToolSchema[];
  /** The tools as they are kept: JSON in the order in which it is sent, since a provider caches bytes. */
  readonly printed: string;
  /** SHA-256, as journaled. */
  readonly versions: { readonly prompt: string; readonly tools: string };
  /** Of both together, in UTF-8. */
  readonly bytes: number;
}

/** What shapes behaviour and has a version of its own: a part of the prompt, a tool's schema, a skill, a set of rules. */
export interface PromptPart {
  readonly kind: string;
  readonly name: string;
  /** SHA-256, in hex. */
  readonly hash: string;
}

/** Put in by the build (`scripts/build.ts`), which makes them from the same tools; nothing where the sources run. */
declare const BELAY_TOOL_SCHEMAS: readonly ToolSchema[] | undefined;

/** Building schemas costs milliseconds, and a turn needs them each time: they are built once for a list of tools. */
const built = new WeakMap<readonly Tool[], Prompt>();

/** Of this version of belay. What a session sends may be older: `promptOfSession`. */
export function promptOf(tools: readonly Tool[]): Prompt {
  const known = built.get(tools);
  if (known !== undefined) return known;
  const schemas = printedSchemas(tools) ?? toolSchemas(toolList(tools).listed);
  const prompt = promptFrom(SYSTEM_PROMPT, schemas, JSON.stringify(schemas));
  built.set(tools, prompt);
  return prompt;
}

/** @param printed the same tools as JSON */
export function promptFrom(system: string, tools: readonly ToolSchema[], printed: string): Prompt {
  return {
    system,
    tools,
    printed,
    versions: { prompt: hashOf(system), tools: hashOf(printed) },
    bytes: Buffer.byteLength(system) + Buffer.byteLength(printed),
  };
}

/** The version of each part of the present prompt, and of each tool. */
export function partsOf({ tools }: Pick<Prompt, "tools">): readonly PromptPart[] {
  return [...systemParts(), ...tools.map((tool) => ({ kind: "tool", name: tool.name, hash: toolHash(tool) }))];
}

export function toolHash(tool: ToolSchema): string {
  return hashOf(JSON.stringify(tool));
}

const systemParts = lazy((): readonly PromptPart[] =>
  SYSTEM_PARTS.map(({ name, text }) => ({ kind: "system", name, hash: hashOf(text) })),
);

function printedSchemas(tools: readonly Tool[]): readonly ToolSchema[] | null {
  return typeof BELAY_TOOL_SCHEMAS === "undefined" || tools !== builtInTools() ? null : BELAY_TOOL_SCHEMAS;
}
