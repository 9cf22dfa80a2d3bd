/** How a tool says things: one text part with its origin, and what went wrong as a sentence the model can act on. */
import { type Origin, textPart } from "../kernel/content.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { ToolOutput } from "./tool.ts";

export function says(text: string, origin: Origin): ToolOutput {
  return { status: "ok", content: [textPart(text, origin)], output: null, exit: null };
}

/** An expected failure: what is wrong, and what to try next. */
export function failsWith(text: string, tool: string): ToolOutput {
  return { status: "error", content: [textPart(text, { from: "tool", by: tool })], output: null, exit: null };
}

/**
 * Runs file work and turns what a path can get wrong (outside, missing, unreadable, too large) into a result. Anything
 * else goes on as it is: a crash of the tool.
 */
export async function withFileFailures(tool: string, work: () => Promise<ToolOutput>): Promise<ToolOutput> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HarnessError && (error.kind === "path_outside" || error.kind === "file_failed")) {
      return failsWith(error.message, tool);
    }
    throw error;
  }
}

/** `1 line`, `2 lines`. */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;
}
