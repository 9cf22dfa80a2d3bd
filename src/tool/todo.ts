/** Keeps the model's list of what is left to do: each call replaces it. Touches no file; the journal holds the list. */
import * as z from "zod";
import { QUEUE_CHARS_MAX, QUEUE_MAX, QUEUE_TOOL } from "../kernel/continuity.ts";
import { lazy } from "../kernel/lazy.ts";
import { says } from "./tool-output.ts";
import type { Tool } from "./tool.ts";

const input = lazy(() =>
  z.object({
    items: z
      .array(z.object({ text: z.string().min(1).max(QUEUE_CHARS_MAX), status: z.enum(["pending", "active", "done"]) }))
      .max(QUEUE_MAX)
      .describe("The whole list, in order"),
  }),
);
type TodoInput = z.infer<ReturnType<typeof input>>;

export const todoTool: Tool<TodoInput> = {
  name: QUEUE_TOOL,
  description: "Replace your list of what is left to do. Keep it for work of several steps; it is never forgotten.",
  input,
  effect: "read",
  idempotent: true,
  limit_ms: 5_000,
  limit_max_ms: 5_000,
  title: ({ items }) =>
    `${String(items.filter(({ status }) => status === "done").length)} of ${String(items.length)} done`,
  run: ({ items }) => Promise.resolve(says(listed(items), { from: "belay" })),
};

const MARKS = { done: "x", active: ">", pending: " " } as const;

/** The fold keeps each item on one line. */
function listed(items: TodoInput["items"]): string {
  if (items.length === 0) return "The list is empty.";
  return items.map(({ text, status }) => `[${MARKS[status]}] ${text.replaceAll(/\s+/g, " ").trim()}`).join("\n");
}
