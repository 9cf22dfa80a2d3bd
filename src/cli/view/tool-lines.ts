/**
 * Tool calls as they run: a line when one starts, what it writes (bounded), a line when it ends. Several reads may run at
 * once; an end that does not directly follow its own start names what ended.
 */
import type { EventOf } from "../../kernel/events/index.ts";
import type { ToolUsePart } from "../../kernel/content.ts";
import type { ToolCallId } from "../../kernel/ids.ts";
import type { ToolStatus } from "../../kernel/state.ts";
import { formatDuration, plural } from "./format.ts";
import type { Paint } from "./paint.ts";
import { safeLine, safeText } from "./safe-text.ts";
import { toolTitle } from "./tool-title.ts";
import { displayWidth, truncated } from "./width.ts";

/** Lines of progress shown for one call; the live line goes on showing the newest. */
export const PROGRESS_LINES_MAX = 20;
/** An unfinished line of progress is not kept beyond this, in characters. */
const PARTIAL_CHARS_MAX = 4_000;

/** A title is cut no shorter than this. Columns. */
const TITLE_COLUMNS_MIN = 20;
/** What stands around a name and a title: a sign and two blanks. Columns. */
const SIGN_COLUMNS = 3;

interface OpenCall {
  readonly part: ToolUsePart;
  started: boolean;
  shown: number;
  partial: string;
  newest: string;
}

const SIGNS: { readonly [S in ToolStatus]: "✓" | "✗" | "⊘" } = {
  ok: "✓",
  error: "✗",
  denied: "⊘",
  canceled: "⊘",
  timed_out: "✗",
  stalled: "✗",
  interrupted: "✗",
};

export class ToolLines {
  readonly #paint: Paint;
  readonly #columns: () => number;
  readonly #open = new Map<ToolCallId, OpenCall>();
  #lastStarted: ToolCallId | null = null;

  /** @param columns that a line of a call's title or output may take; whole lines where nothing is said */
  constructor(paint: Paint, columns: () => number = () => Number.POSITIVE_INFINITY) {
    this.#paint = paint;
    this.#columns = columns;
  }

  /** The model asked for calls: their names and inputs are known from here on. */
  asked(parts: readonly ToolUsePart[]): void {
    for (const part of parts) this.#open.set(part.call, { part, started: false, shown: 0, partial: "", newest: "" });
  }

  started({ data }: EventOf<"ToolStarted">): readonly string[] {
    const call = this.#open.get(data.call);
    this.#lastStarted = data.call;
    if (call === undefined) return [`${this.#paint.cyan("●")} ${safeLine(data.tool)}`];
    call.started = true;
    return [`${this.#paint.cyan("●")} ${this.#nameOf(call.part)}`];
  }

  requeued({ data }: EventOf<"ToolRequeued">): readonly string[] {
    const call = this.#open.get(data.call);
    return call === undefined ? [] : [`${this.#paint.yellow("↻")} runs again: ${this.#nameOf(call.part)}`];
  }

  progress(id: ToolCallId, text: string): readonly string[] {
    const call = this.#open.get(id);
    if (call === undefined) return [];
    const lines = safeText(call.partial + text).split("\n");
    call.partial = (lines.pop() ?? "").slice(-PARTIAL_CHARS_MAX);
    call.newest = (call.partial.trim() || lines.findLast((line) => line.trim() !== "")) ?? call.newest;
    const left = PROGRESS_LINES_MAX - call.shown;
    const shown = lines.slice(0, Math.max(0, left));
    const more = left >= 0 && lines.length > left ? ["…"] : [];
    call.shown += lines.length;
    return [...shown, ...more].map((line) => this.#paint.dim(truncated(`  │ ${line}`, this.#columns())));
  }

  finished({ data }: EventOf<"ToolFinished">): readonly string[] {
    const call = this.#open.get(data.call);
    this.#open.delete(data.call);
    const direct = call?.started === true && this.#lastStarted === data.call;
    const sign = SIGNS[data.status];
    const style = sign === "✓" ? this.#paint.green : sign === "✗" ? this.#paint.red : this.#paint.yellow;
    const name = direct || call === undefined ? "" : `${this.#nameOf(call.part)}: `;
    return [`${direct ? "  " : ""}${style(sign)} ${name}${endText(data)}`];
  }

  /** What is running, for the live line. */
  running(): string | null {
    const calls = [...this.#open.values()].filter((call) => call.started);
    const [first] = calls;
    if (first === undefined) return null;
    if (calls.length > 1) return `${calls.length} tools`;
    return [
      `${safeLine(first.part.name)} ${toolTitle(first.part)}`,
      ...(first.newest === "" ? [] : [first.newest.trim()]),
    ].join(" │ ");
  }

  #nameOf(part: ToolUsePart): string {
    const name = safeLine(part.name);
    return `${this.#paint.bold(name)} ${truncated(toolTitle(part), Math.max(TITLE_COLUMNS_MIN, this.#columns() - displayWidth(name) - SIGN_COLUMNS))}`;
  }
}

/** What is shown of a result's own words, in characters. */
const REASON_CHARS_MAX = 200;

/** `exit 1, 32 lines, 1.2 s`, or why there was no such end. */
export function endText({ status, exit, content, duration_ms }: EventOf<"ToolFinished">["data"]): string {
  const text = content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
  const lines = text === "" ? 0 : text.trimEnd().split("\n").length;
  const reason = status === "ok" || exit !== null ? "" : reasonIn(text);
  const named =
    status === "ok" || status === "error" || reason.toLowerCase().startsWith(status) ? "" : status.replace("_", " ");
  const ended =
    exit === null
      ? ""
      : exit.killed
        ? "killed"
        : exit.code === null
          ? `signal ${exit.signal ?? "unknown"}`
          : `exit ${exit.code}`;
  const size = reason === "" ? plural(lines, "line") : reason;
  const took = duration_ms === 0 ? "" : formatDuration(duration_ms);
  return [named, ended, size, took].filter((word) => word !== "").join(", ");
}

/** The first line of a result, as part of a sentence. */
function reasonIn(text: string): string {
  const line = safeLine(text.split("\n")[0] ?? "").replace(/[.:]$/, "");
  return line.length > REASON_CHARS_MAX ? `${line.slice(0, REASON_CHARS_MAX)}…` : line;
}
