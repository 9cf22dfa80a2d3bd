/** The tools of a session: those that the model is told of, and those that it reaches through `call_tool`. */
import { CALL_TOOL, callTool, type Unwrapped, unwrapCall, visibleTools } from "../tool/call-tool.ts";
import { builtInTools, toolSchemas } from "../tool/registry.ts";
import type { Tool } from "../tool/tool.ts";

export interface ToolList {
  /** What every request names, in that order. */
  readonly listed: readonly Tool[];
  /** All, `call_tool` among them where there is one. */
  readonly all: readonly Tool[];
}

const lists = new WeakMap<readonly Tool[], ToolList>();

/** The same for the same list: a request is built from it each turn. */
export function toolList(tools: readonly Tool[]): ToolList {
  const known = lists.get(tools);
  if (known !== undefined) return known;
  const { listed, behind } = visibleTools(tools, new Set(builtInTools().map(({ name }) => name)));
  // A list of tools forgets what each takes; the runner hands it only what its schema parsed.
  const through = callTool(behind, (tool) => toolSchemas([tool])[0]?.input ?? {}) as unknown as Tool;
  const list =
    behind.length === 0 ? { listed, all: tools } : { listed: [...listed, through], all: [...tools, through] };
  lists.set(tools, list);
  return list;
}

/**
 * The tool that a call is about, whichever way it was called, and its input. What the model sees it calls by name: what is told apart
 * by that name (what is remembered, the queue, files that were changed) cannot be passed by.
 */
export function calledTool(part: Parameters<typeof unwrapCall>[0], tools: readonly Tool[]): Unwrapped<Tool> {
  const { listed, all } = toolList(tools);
  if (part.name !== CALL_TOOL) return unwrapCall(part, all);
  return unwrapCall(
    part,
    all.filter((tool) => tool.name === CALL_TOOL || !listed.includes(tool)),
  );
}
