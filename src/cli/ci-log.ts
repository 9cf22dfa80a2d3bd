/**
 * What a run prints in a log of continuous integration: whole lines, nothing redrawn, a line for each turn with the time
 * that has passed, and one when nothing was said for a while, because some services end a job that is silent. In GitHub's
 * log what the tools of a turn write is folded into a group; what the model says and how it ends stands outside.
 */
import type { ToolUsePart } from "../kernel/content.ts";
import type { Event, EventKind } from "../kernel/events/index.ts";
import type { SessionState } from "../kernel/state.ts";
import { totalTokens } from "../kernel/usage.ts";
import type { Delta } from "../kernel/delta.ts";
import { workflowCommand } from "./ci-github.ts";
import { LiveView } from "./view/live-view.ts";
import type { LogSink } from "./view/log-sink.ts";
import type { Paint } from "./view/paint.ts";
import { Screen } from "./view/screen.ts";
import { safeLine } from "./view/safe-text.ts";
import { toolTitle } from "./view/tool-title.ts";

/** After this without a line one is written, in milliseconds. */
export const SILENCE_MAX_MS = 60_000;
/** How often that is looked at, in milliseconds. */
export const SILENCE_LOOK_MS = 5_000;
const GROUP_TITLE_CHARS_MAX = 160;

/** What ends a group: the model's turn, or news that must not be folded away. */
const UNFOLDS: readonly EventKind[] = [
  "ModelCallStarted",
  "ModelCallFailed",
  "ModelCallRefused",
  "ModelSwitched",
  "BudgetAlerted",
  "VerificationFinished",
  "LimitReached",
  "CancelRequested",
  "HealthChanged",
  "RunEnded",
];

export class CiLog {
  readonly #sink: LogSink;
  readonly #view: LiveView;
  readonly #paint: Paint;
  readonly #folds: boolean;
  #turn = 0;
  #open = false;

  /** @param parts.folds whether the log takes GitHub's groups */
  constructor(parts: {
    readonly sink: LogSink;
    readonly paint: Paint;
    readonly folds: boolean;
    readonly monotonic: () => number;
  }) {
    const { sink, paint, folds, monotonic } = parts;
    this.#sink = sink;
    this.#paint = paint;
    this.#folds = folds;
    this.#view = new LiveView({ screen: new Screen(sink), paint, monotonic });
  }

  resume({ batch, turn, usage, cost }: SessionState): void {
    const open = batch.filter((call) => call.result === null).map((call) => call.part);
    this.#turn = turn;
    this.#view.resume(open, { turn, tokens: totalTokens(usage), cost });
  }

  standing(...standing: Parameters<LiveView["standing"]>): void {
    this.#view.standing(...standing);
  }

  event(event: Event): void {
    if (UNFOLDS.includes(event.kind)) this.unfold();
    if (event.kind === "ModelCallStarted" && event.turn > this.#turn) {
      this.#turn = event.turn;
      this.note(this.#paint.dim(`── ${this.#view.tallyAt(event.turn)}`));
    }
    this.#view.events([event]);
    if (event.kind === "ModelCallFinished") this.#fold(event.data.parts.filter((part) => part.type === "tool_use"));
  }

  /** An answer is printed whole, when it is there: its pieces would be cut by lines of others. */
  delta(delta: Delta): void {
    if (delta.type !== "text") this.#view.delta(delta);
  }

  note(text: string): void {
    this.#view.note(text);
  }

  /** Looks whether something has to be said. */
  look(): void {
    if (this.#sink.silentFor() >= SILENCE_MAX_MS) this.note(this.#paint.dim(`… ${this.#view.status()}`));
  }

  unfold(): void {
    if (this.#open) this.#sink.command(workflowCommand("endgroup", ""));
    this.#open = false;
  }

  close(): void {
    this.unfold();
    this.#view.close();
  }

  #fold(calls: readonly ToolUsePart[]): void {
    if (!this.#folds || calls.length === 0) return;
    const titles = calls.map((part) => `${safeLine(part.name)} ${toolTitle(part)}`).join(", ");
    const title = titles.length > GROUP_TITLE_CHARS_MAX ? `${titles.slice(0, GROUP_TITLE_CHARS_MAX)}…` : titles;
    this.#sink.command(workflowCommand("group", `turn ${this.#turn}: ${title}`));
    this.#open = true;
  }
}
