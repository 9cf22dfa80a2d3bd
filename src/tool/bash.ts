/**
 * Runs a command in the shell it is given: sandboxed, with empty input, ended as a whole at its limit. Never leaves
 * anything running unseen: what waits for input between two calls has a handle and ends with the run.
 */
import * as z from "zod";
import { HarnessError } from "../kernel/harness-error.ts";
import { TOOL_OUTPUT_BYTES_MAX } from "../kernel/limits.ts";
import { lazy } from "../kernel/lazy.ts";
import type { RunningCommand } from "../workspace/shell.ts";
import { attend, type Attended } from "./attend.ts";
import { finishedResult, waitingResult } from "./command-result.ts";
import { failsWith } from "./tool-output.ts";
import type { Tool, ToolContext, ToolOutput } from "./tool.ts";

export const BASH_LIMIT_MS = 120_000;
export const BASH_LIMIT_MAX_MS = 30 * 60_000;
export const INPUT_CHARS_MAX = 20_000;
/** Commands that may wait for input at the same time. */
export const INTERACTIVE_MAX = 4;
/** Hosts that one result names. */
const BLOCKED_SHOWN_MAX = 10;

const input = lazy(() =>
  z.object({
    command: z
      .string()
      .min(1)
      .optional()
      .describe("Runs in the workspace root, with empty stdin; give this or process"),
    timeout_ms: z
      .int()
      .positive()
      .max(BASH_LIMIT_MAX_MS)
      .optional()
      .describe(`Killed after this; default ${String(BASH_LIMIT_MS)}`),
    interactive: z.boolean().optional().describe("Give it a terminal: for commands that ask questions"),
    process: z
      .string()
      .optional()
      .describe("Go on with the waiting command of this handle: send input, stop, or neither to wait"),
    input: z.string().max(INPUT_CHARS_MAX).optional().describe("Typed at its terminal, then Enter; \\u0003 is Ctrl+C"),
    stop: z.boolean().optional().describe("End it"),
  }),
);
type BashInput = z.infer<ReturnType<typeof input>>;

export const bashTool: Tool<BashInput> = {
  name: "bash",
  description:
    "Run a bash command. Each call is a new shell: cd and variables do not carry over, background processes end with the call. " +
    "In the sandbox HOME and /tmp are private, and outside the workspace nothing can be written. Long output is cut in the middle: filter it.",
  input,
  effect: "execute",
  idempotent: false,
  limit_ms: BASH_LIMIT_MS,
  limit_max_ms: BASH_LIMIT_MAX_MS,
  limitOf: ({ timeout_ms }) => timeout_ms,
  repeatable: ({ process }) => process === undefined,
  command: ({ command, process, interactive }) => (process === undefined && interactive !== true ? command : undefined),
  title: ({ command, process, stop }) => command ?? `${stop === true ? "stop" : "go on with"} ${process ?? "?"}`,
  run: (request, context) =>
    request.process === undefined ? begin(request, context) : goOn(request.process, request, context),
};

/** What is remembered of a command between two calls; it lives as long as the command does. */
const attended = new WeakMap<RunningCommand, Attended>();

async function begin({ command, interactive = false }: BashInput, context: ToolContext): Promise<ToolOutput> {
  if (command === undefined) return failsWith("Give a command, or the handle of a waiting process.", "bash");
  if (command.includes("\0"))
    return failsWith(
      "The command holds a null byte, which no command line can: nothing was run. Write \\0 for printf.",
      "bash",
    );
  if (interactive && context.interactive.size >= INTERACTIVE_MAX) {
    return failsWith(
      `${String(INTERACTIVE_MAX)} commands wait for input already (${[...context.interactive.keys()].join(", ")}). Stop one first.`,
      "bash",
    );
  }
  if (context.signal.aborted) return notStarted(context.signal.reason === "timed_out" ? "timed_out" : "canceled");
  const state: Attended = { show: context.onProgress, shown_chars: 0, blocked: [] };
  try {
    const running = await context.shell.start({
      command,
      cwd: context.workspace.root,
      interactive,
      network: context.network,
      output_bytes_max: TOOL_OUTPUT_BYTES_MAX,
      onHeld: context.onProcess,
      onBlocked: (host, reason) => {
        if (state.blocked.length < BLOCKED_SHOWN_MAX) state.blocked.push(`${host} was not reached: ${reason}`);
      },
      onOutput: (text) => {
        state.show(text);
      },
    });
    attended.set(running, state);
    return await settle(running, state, interactive, context);
  } catch (error) {
    if (error instanceof HarnessError && error.kind === "process_failed") return failsWith(error.message, "bash");
    throw error;
  }
}

async function goOn(handle: string, { input, stop = false }: BashInput, context: ToolContext): Promise<ToolOutput> {
  const running = context.interactive.get(handle);
  const state = running && attended.get(running);
  if (running === undefined || state === undefined) {
    const known = [...context.interactive.keys()].join(", ");
    return failsWith(
      `No command waits as ${handle}${known === "" ? "" : `; waiting: ${known}`}. It ended, or the run was resumed: start it again.`,
      "bash",
    );
  }
  if (stop) {
    await running.kill("stopped");
  } else if (input !== undefined) {
    running.send(withEnter(input));
  }
  return settle(running, state, true, context);
}

async function settle(
  running: RunningCommand,
  state: Attended,
  interactive: boolean,
  context: ToolContext,
): Promise<ToolOutput> {
  const handle = `p${String(running.process.pid)}`;
  const what = await attend(running, state, interactive, context);
  if (what === "waits") {
    context.interactive.set(handle, running);
    return waitingResult(handle, running, state, context);
  }
  context.interactive.delete(handle);
  return finishedResult(await running.ended, state, context);
}

function notStarted(status: "timed_out" | "canceled"): ToolOutput {
  return { ...failsWith("[not started: the call was ended before]", "bash"), status };
}

/** Text is a line, unless it ends one itself or is a key like Ctrl+C. */
function withEnter(text: string): string {
  const last = text.codePointAt(text.length - 1);
  return last !== undefined && last < 0x20 ? text : `${text}\n`;
}
