/** What the model is told about a command: its output, cut to size, and in plain words how it ended. */
import { type PlainPart, textPart } from "../kernel/content.ts";
import type { BlobHash } from "../kernel/ids.ts";
import { TOOL_OUTPUT_CHARS_MAX } from "../kernel/limits.ts";
import type { CommandEnd, RunningCommand } from "../workspace/shell.ts";
import type { Attended } from "./attend.ts";
import { clipMiddle } from "./clip.ts";
import { plainTerminalText } from "./terminal-text.ts";
import { count } from "./tool-output.ts";
import type { ToolContext, ToolOutput } from "./tool.ts";

/** Kept back of the model's share for the sentences around the output. */
const SENTENCES_CHARS_MAX = 600;

export async function finishedResult(end: CommandEnd, state: Attended, context: ToolContext): Promise<ToolOutput> {
  const { text, output } = await forModel(unseen(end.output, state), context);
  return {
    status: statusOf(end),
    content: said(text, [...blockedBy(state), ...sentences(end, context)].join("\n")),
    output,
    exit: { code: end.code, signal: end.signal, killed: end.killed !== null },
  };
}

export async function waitingResult(
  handle: string,
  running: RunningCommand,
  state: Attended,
  context: ToolContext,
): Promise<ToolOutput> {
  const { text, output } = await forModel(unseen(running.output(), state), context);
  const choice =
    `[waiting for input as ${handle}. Call bash with process "${handle}" and: input to type a line, stop to end it, ` +
    "or neither to wait longer.]";
  return {
    status: "ok",
    content: said(text, [...blockedBy(state), choice].join("\n")),
    output,
    exit: null,
  };
}

/** What the command printed, and behind it what belay says: two origins, so two parts. */
function said(printed: string, sentence: string): readonly PlainPart[] {
  const output = textPart(printed, { from: "tool", by: "bash" });
  if (sentence === "") return [output];
  const note = textPart(printed === "" ? sentence : `\n${sentence}`, { from: "belay" });
  return printed === "" ? [note] : [output, note];
}

/** Output since the last call. Where the middle was dropped in between, all that is left. */
function unseen(output: string, state: Attended): string {
  const text = output.slice(state.shown_chars);
  state.shown_chars = output.length;
  return text;
}

async function forModel(
  raw: string,
  context: ToolContext,
): Promise<{ readonly text: string; readonly output: BlobHash | null }> {
  const text = plainTerminalText(raw).trimEnd();
  const chars_max = TOOL_OUTPUT_CHARS_MAX - SENTENCES_CHARS_MAX;
  if (text.length <= chars_max) return { text, output: null };
  const output = await context.keep(text);
  const gap = (lines: number): string =>
    `[… ${count(lines, "line")} left out; all of it is kept as ${output}. To see less, filter in the command …]`;
  return { text: clipMiddle(text, chars_max, gap).text, output };
}

function statusOf(end: CommandEnd): ToolOutput["status"] {
  switch (end.killed) {
    case "timed_out":
    case "canceled":
    case "stalled":
      return end.killed;
    case "over_limit":
      return "error";
    case "stopped":
      return "ok";
    case null:
      return end.code === 0 ? "ok" : "error";
  }
}

function blockedBy({ blocked }: Attended): readonly string[] {
  return blocked.splice(0).map((sentence) => `[${sentence}]`);
}

function sentences(end: CommandEnd, { limit_ms }: ToolContext): readonly string[] {
  const behind =
    end.left_behind > 0
      ? [
          `[${String(end.left_behind)} background ${end.left_behind === 1 ? "process was" : "processes were"} ended with the command]`,
        ]
      : [];
  return [howItEnded(end, limit_ms), ...behind].filter((sentence) => sentence !== "");
}

/** Killed by belay and failed by itself are told apart: only the second says something about the code. */
function howItEnded(end: CommandEnd, limit_ms: number): string {
  switch (end.killed) {
    case "timed_out":
      return `[killed by belay at its time limit of ${String(limit_ms / 1_000)} s: it did not fail by itself, and may have done part of its work. Give a larger timeout_ms, or do less at once]`;
    case "canceled":
      return "[killed by belay because the run was canceled; it may have done part of its work]";
    case "stalled":
      return "[killed by belay after too long a silence; it may have done part of its work]";
    case "over_limit":
      return `[killed by belay: ${overLimitText(end.over_limit)}; it may have done part of its work. Do less at once]`;
    case "stopped":
      return "[stopped, as asked]";
    case null:
      if (end.code === null) return `[ended by signal ${end.signal ?? "unknown"}, not by belay]`;
      return end.code === 0
        ? end.bytes === 0
          ? "[no output]"
          : ""
        : `[exit code ${String(end.code)}${signalHint(end.code)}]`;
  }
}

function overLimitText(over: CommandEnd["over_limit"]): string {
  if (over === null) return "it used more than it may";
  const amount = (value: number): string =>
    over.limit === "processes" ? String(value) : `${(value / 2 ** 20).toFixed(0)} MiB`;
  const what = { processes: "processes", memory: "memory", disk: "disk" }[over.limit];
  return `it used ${amount(over.found)} of ${what}, and may use ${amount(over.allowed)}`;
}

/** Shells report a signal as 128 and its number. */
function signalHint(code: number): string {
  const names: Readonly<Record<number, string>> = {
    134: "aborted",
    137: "killed by the system, perhaps out of memory",
    139: "segmentation fault",
    143: "terminated",
  };
  const name = names[code];
  return name === undefined ? "" : `: ${name}`;
}
