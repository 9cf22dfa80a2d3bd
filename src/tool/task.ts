/**
 * Hands a task to a sub-agent and returns its result. Touches no file: what a sub-agent changes is brought in by belay, after the
 * calls of the batch.
 */
import * as z from "zod";
import type { JsonObject } from "../kernel/json.ts";
import { lazy } from "../kernel/lazy.ts";
import { failsWith } from "./tool-output.ts";
import type { Tool, ToolContext, ToolOutput } from "./tool.ts";

/** A sub-agent has limits of its own, which are shares of its parent's; this only bounds a wait. */
const TASK_LIMIT_MS = 24 * 3_600_000;
const TASK_PROMPT_CHARS_MAX = 50_000;
const DESCRIPTION_CHARS_MAX = 200;

const input = lazy(() =>
  z.object({
    agent: z.string().describe("A listed kind"),
    description: z.string().describe("3 to 6 words"),
    prompt: z.string().describe("All that it needs to know"),
    schema: z.looseObject({}).optional().describe("JSON Schema of an object: its answer is data"),
  }),
);
type TaskInput = z.infer<ReturnType<typeof input>>;

export const taskTool: Tool<TaskInput> = {
  name: "task",
  description:
    "Hand a task to a sub-agent; its result comes back. Calls of one answer run side by side; files come in afterwards.",
  input,
  // It changes nothing itself, so that calls of one batch run together, and a call that a crash cut off is taken up again.
  effect: "read",
  idempotent: true,
  limit_ms: TASK_LIMIT_MS,
  limit_max_ms: TASK_LIMIT_MS,
  title: ({ agent, description }) => `${agent}: ${description}`,
  run: (request, context) => task(request, context),
};

async function task(
  { agent, description, prompt, schema }: TaskInput,
  { agents = null, signal, onProgress }: ToolContext,
): Promise<ToolOutput> {
  if (agents === null) return failsWith("This session has no sub-agents: do it yourself.", "task");
  if (prompt.trim() === "") return failsWith("The prompt is empty: say what is to be done.", "task");
  if (prompt.length > TASK_PROMPT_CHARS_MAX)
    return failsWith(
      `The prompt has more than ${String(TASK_PROMPT_CHARS_MAX)} characters: name files instead of quoting them.`,
      "task",
    );
  const wanted = {
    agent,
    description: description.slice(0, DESCRIPTION_CHARS_MAX).toWellFormed(),
    prompt,
    schema: schema === undefined ? null : (schema as JsonObject), // what the input's JSON held is JSON
  };
  return { ...(await agents.run(wanted, signal, onProgress)), exit: null };
}
