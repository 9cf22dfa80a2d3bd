/** A session told from its journal: the task, each turn, what was said, what tools did, how it ended. */
import { plainText, type PlainPart } from "../../kernel/content.ts";
import type { Event, EventOf, UnknownEvent } from "../../kernel/events/index.ts";
import { isUnknown } from "../../kernel/fold.ts";
import { formatMoney } from "../../kernel/money.ts";
import { contextPhrase, NO_USE, usedContext } from "./context-phrase.ts";
import { noticeLines, noticesInRow, words } from "./notice.ts";
import { formatCount, formatDate, formatDuration } from "./format.ts";
import type { Paint } from "./paint.ts";
import { safeLine, safeText } from "./safe-text.ts";
import { EMPTY_TALLY, tallied } from "./tally.ts";
import { ToolLines } from "./tool-lines.ts";

export interface StoryOptions {
  readonly paint: Paint;
  /** Lines of a tool's result that are shown; Infinity for all. */
  readonly resultLines: number;
}

export const RESULT_LINES_DEFAULT = 8;
/** Of what a person was asked about; the whole call stands with the answer that asked for it. */
const TITLE_CHARS_MAX = 160;

/** Lines without their newline. */
export async function* story(
  events: AsyncIterable<Event | UnknownEvent>,
  options: StoryOptions,
): AsyncGenerator<string> {
  const { paint } = options;
  const tools = new ToolLines(paint);
  const telling = { ...options, tools, noticeOf: noticesInRow() };
  let tally = EMPTY_TALLY;
  let use = NO_USE;
  let shown = 0;
  for await (const event of events) {
    if (isUnknown(event)) {
      yield paint.dim(`? ${safeLine(event.kind)} (event ${event.seq}; this version does not know it)`);
      continue;
    }
    tally = tallied(tally, event);
    use = usedContext(use, event);
    // A retry belongs to the turn it began in.
    if (event.kind === "ModelCallStarted" && event.turn > shown) {
      shown = event.turn;
      yield `\n${paint.bold(`Turn ${shown}`)}`;
    }
    yield* tell(event, telling);
    if (event.kind === "RunEnded") {
      const phrase = contextPhrase(use);
      yield `  ${formatCount(tally.tokens)} tokens · ${formatMoney(tally.cost)} · at work ${formatDuration(event.data.active_ms)}${phrase === null ? "" : ` · context ${phrase}`}`;
    }
  }
}

interface Telling extends StoryOptions {
  readonly tools: ToolLines;
  readonly noticeOf: ReturnType<typeof noticesInRow>;
}

function* tell(event: Event, telling: Telling): Generator<string> {
  const { paint, tools } = telling;
  switch (event.kind) {
    case "SessionCreated":
      yield paint.bold(`Session ${event.session}`);
      yield `  begun ${formatDate(event.at)} UTC`;
      return;
    case "SessionConfigured": {
      const { model, sandbox, limits, workspace, verify } = event.data.config;
      yield `  ${safeLine(model)} · sandbox ${sandbox.mode}${sandbox.network ? " with network" : ""} · ${words(workspace.mode)} · at most ${limits.turns} turns`;
      if (verify !== null) yield `  verified by: ${safeLine(verify)}`;
      return;
    }
    case "RunStarted":
      if (event.data.number > 1)
        yield `\n${paint.bold(`Run ${event.data.number}`)} ${paint.dim(`resumed ${formatDate(event.at)} UTC`)}`;
      return;
    case "UserMessageAdded":
      yield* said("You", event.data.parts, paint);
      return;
    case "ModelCallFinished":
      yield* answer(event, tools);
      return;
    case "ToolJudged":
      if (event.data.decision === "deny") yield paint.yellow(`⊘ denied: ${safeLine(event.data.reason)}`);
      return;
    case "ApprovalRequested":
      yield* noticeLines({ mark: "wait", text: askedText(event.data) }, paint);
      return;
    case "ToolStarted":
      yield* tools.started(event);
      return;
    case "ToolRequeued":
      yield* tools.requeued(event);
      return;
    case "ToolFinished":
      yield* result(event, telling);
      return;
    case "RunEnded":
      yield `\n${paint.bold(words(event.data.outcome))} · verification ${words(event.data.verification)} · exit code ${event.data.exit_code}`;
      if (event.data.error !== null) yield `  ${event.data.error.kind}: ${safeLine(event.data.error.message)}`;
      return;
    default: {
      const notice = telling.noticeOf(event);
      if (notice !== null) yield* noticeLines(notice, paint);
    }
  }
}

/** `asked about: npm publish (there is no sandbox)`. Journals of the first version say neither. */
function askedText({ title, reason }: EventOf<"ApprovalRequested">["data"]): string {
  const what = safeLine(title.slice(0, TITLE_CHARS_MAX)) + (title.length > TITLE_CHARS_MAX ? "…" : "");
  return `asked${what === "" ? "" : ` about: ${what}`}${reason === "" ? "" : ` (${safeLine(reason)})`}`;
}

function* said(who: string, parts: readonly PlainPart[], paint: Paint): Generator<string> {
  yield `\n${paint.bold(who)}`;
  for (const part of parts) {
    if (part.type === "image") yield `  [image, ${part.media_type}]`;
    else if (part.origin.from === "workspace")
      yield paint.dim(`  [${safeLine(part.origin.by ?? "a file")}, ${part.text.length} characters]`);
    else if (part.origin.from === "belay") for (const line of indented(part.text)) yield paint.dim(line);
    else yield* indented(part.text);
  }
}

function* answer({ data }: EventOf<"ModelCallFinished">, tools: ToolLines): Generator<string> {
  const text = plainText(data.parts).trim();
  if (text !== "") yield* indented(text);
  if (data.stop === "refusal") yield "  (the model refused)";
  tools.asked(data.parts.filter((part) => part.type === "tool_use"));
}

function* result(event: EventOf<"ToolFinished">, { tools, paint, resultLines }: Telling): Generator<string> {
  yield* tools.finished(event);
  const texts = event.data.content.flatMap((part) => (part.type === "text" ? [part.text] : []));
  const lines = safeText(texts.join("\n")).trimEnd().split("\n");
  if (lines.length === 1 && lines[0] === "") return;
  for (const line of lines.slice(0, resultLines)) yield paint.dim(`    │ ${line}`);
  if (lines.length > resultLines)
    yield paint.dim(`    │ … ${lines.length - resultLines} more lines (--full shows them)`);
}

function* indented(text: string): Generator<string> {
  for (const line of safeText(text).split("\n")) yield `  ${line}`;
}
