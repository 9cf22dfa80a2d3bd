/**
 * A run as a person sees it, from events and deltas alone. Deltas may be missing: what they did not show is shown when the
 * event is there.
 */
import type { Standing } from "../../engine/report.ts";
import type { Delta } from "../../kernel/delta.ts";
import { plainText, type ToolUsePart } from "../../kernel/content.ts";
import type { Event, EventOf } from "../../kernel/events/index.ts";
import { noticeLines, noticesInRow } from "./notice.ts";
import { formatDuration } from "./format.ts";
import type { Paint } from "./paint.ts";
import { safeLine, safeText } from "./safe-text.ts";
import type { Screen } from "./screen.ts";
import {
  EMPTY_TALLY,
  type Gauges,
  mostUsed,
  NO_GAUGES,
  type Shown,
  statusText,
  type Tally,
  tallied,
  tallyText,
} from "./tally.ts";
import { ToolLines } from "./tool-lines.ts";

export interface LiveViewParts {
  readonly screen: Screen;
  readonly paint: Paint;
  /** Milliseconds from any start, never going back. */
  readonly monotonic: () => number;
}

const SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

export class LiveView {
  readonly #screen: Screen;
  readonly #paint: Paint;
  readonly #monotonic: () => number;
  readonly #began: number;
  readonly #tools: ToolLines;
  readonly #noticeOf = noticesInRow();
  #tally: Tally = EMPTY_TALLY;
  #gauges: Gauges = NO_GAUGES;
  /** What of the answer under way was streamed. */
  #streamed = "";
  /** What is going on, for the live line. */
  #doing = "starting";
  #ticks = 0;
  /** A wait that is under way, and when it is likely to end in monotonic time. */
  #wait: { readonly until: number; readonly text: (left_ms: number) => string } | null = null;
  #paused = false;

  constructor({ screen, paint, monotonic }: LiveViewParts) {
    this.#screen = screen;
    this.#paint = paint;
    this.#monotonic = monotonic;
    this.#began = monotonic();
    // The live view is to be looked at; `belay sessions show` has whole lines.
    this.#tools = screen.isTerminal ? new ToolLines(paint, () => screen.columns) : new ToolLines(paint);
  }

  /** What an earlier run has left: calls that are open, and what was spent. */
  resume(parts: readonly ToolUsePart[], tally: Tally): void {
    this.#tools.asked(parts);
    this.#tally = tally;
  }

  events(events: readonly Event[]): void {
    for (const event of events) this.#event(event);
    this.#draw();
  }

  /** How the session stands; what of it is drawn is news only for the live line. */
  standing(standing: Standing, window: number | null): void {
    this.#gauges = { ...this.#gauges, standing, window };
    this.#draw();
  }

  delta(delta: Delta): void {
    switch (delta.type) {
      case "text":
        this.#streamed += delta.text;
        this.#doing = "answering";
        this.#screen.stream(safeText(delta.text));
        return;
      case "thinking":
        this.#doing = "thinking";
        break;
      case "tool_use":
        this.#doing = `writing a call of ${safeLine(delta.name)}`;
        break;
      case "tool_progress":
        this.#lines(this.#tools.progress(delta.call, delta.text));
        break;
      case "waiting":
        this.#waits(delta);
        break;
      case "rate":
        this.#gauges = { ...this.#gauges, rate: mostUsed(delta.used) };
        break;
      case "tool_input":
      case "tool_heartbeat":
        break;
    }
    this.#draw();
  }

  /** A line of belay's own. */
  note(text: string): void {
    this.#screen.line(text);
    this.#draw();
  }

  /** Time passed: the live line is drawn anew. */
  tick(): void {
    this.#ticks++;
    this.#draw();
  }

  /** While a person is asked, nothing is drawn below the question. */
  pause(paused: boolean): void {
    this.#paused = paused;
    this.#screen.settle();
    if (!paused) this.#draw();
  }

  /** The run is over: the live line goes, the rest stays. */
  close(): void {
    this.#paused = true;
    this.#screen.settle();
  }

  #event(event: Event): void {
    this.#tally = tallied(this.#tally, event);
    switch (event.kind) {
      case "SessionCreated":
        this.#screen.line(this.#paint.dim(`session ${event.session}`));
        break;
      case "ModelCallStarted":
        this.#streamed = "";
        this.#wait = null;
        this.#doing = "waiting for the model";
        break;
      case "ModelCallFinished":
        this.#answered(event);
        break;
      case "ModelCallFailed":
        this.#screen.settle();
        break;
      case "ModelCallRefused":
      case "RateWaited":
        this.#wait = null;
        break;
      case "RetryScheduled":
        this.#wait = {
          until: this.#monotonic() + event.data.delay_ms,
          text: (left_ms) => `trying again in ${formatDuration(left_ms)}`,
        };
        break;
      case "PhaseEntered":
        this.#doing = safeLine(event.data.phase);
        break;
      case "PhaseLeft":
        this.#doing = "working";
        break;
      case "ToolStarted":
        this.#lines(this.#tools.started(event));
        break;
      case "ToolRequeued":
        this.#lines(this.#tools.requeued(event));
        break;
      case "ToolFinished":
        this.#lines(this.#tools.finished(event));
        break;
      default:
        break;
    }
    const notice = this.#noticeOf(event);
    if (notice !== null) this.#lines(noticeLines(notice, this.#paint));
  }

  /** A wait for the rate or the budget. Where nothing is redrawn, a line says so when it begins. */
  #waits({ for: what, wait_ms, reason }: Extract<Delta, { readonly type: "waiting" }>): void {
    const text = (left_ms: number): string =>
      `waiting ${Math.ceil(left_ms / 1_000)} s for ${what}: ${safeLine(reason)}`;
    const begins = this.#wait === null;
    this.#wait = { until: this.#monotonic() + wait_ms, text };
    if (begins && !this.#screen.isTerminal)
      this.#lines(noticeLines({ mark: "wait", text: text(wait_ms) }, this.#paint));
  }

  /** Shows what the deltas did not. */
  #answered({ data }: EventOf<"ModelCallFinished">): void {
    const text = plainText(data.parts);
    if (text.startsWith(this.#streamed)) this.#screen.stream(safeText(text.slice(this.#streamed.length)));
    else this.#lines([safeText(text)]);
    this.#screen.settle();
    this.#streamed = "";
    this.#doing = "working";
    this.#tools.asked(data.parts.filter((part) => part.type === "tool_use"));
  }

  #lines(lines: readonly string[]): void {
    for (const line of lines) this.#screen.line(line);
  }

  /** What was used so far, as a turn begins. */
  tallyAt(turn: number): string {
    return tallyText(this.#shown({ ...this.#tally, turn }));
  }

  /** What is going on, on one line. @param columns that it may take; without it all of it */
  status(columns = Number.POSITIVE_INFINITY): string {
    const left = this.#wait === null ? 0 : Math.max(0, this.#wait.until - this.#monotonic());
    const text = this.#wait?.text(left) ?? this.#tools.running() ?? this.#doing;
    return statusText(this.#shown(this.#tally), { text, waits: this.#wait !== null }, columns);
  }

  #shown(tally: Tally): Shown {
    return { tally, gauges: this.#gauges, elapsed_ms: this.#monotonic() - this.#began };
  }

  #draw(): void {
    if (this.#paused || !this.#screen.isTerminal) return;
    const spin = SPINNER[this.#ticks % SPINNER.length] ?? "";
    // One column for the sign, one for the blank, one that stays free.
    this.#screen.live(`${spin} ${this.status(this.#screen.columns - 3)}`, this.#paint.dim);
  }
}
