/** `belay context`: what fills the context of a session, part by part and turn by turn; and how it went in all of them. */
import type { Command } from "commander";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { Store } from "../../store/port.ts";
import { type CommandContext, type DefineCommand, examples, ID_HELP } from "../command.ts";
import type { Face } from "../face.ts";
import { wholeNumber } from "../settings.ts";
import type { ContextViewOptions } from "../view/context-view.ts";

interface ContextOptions {
  readonly turn?: number;
  readonly turns?: true;
  readonly stats?: true;
  readonly since?: string;
  readonly all?: true;
  readonly json?: true;
}

const TURN_MAX = 1_000_000;
/** Nothing is said about the progress of what is done sooner, in milliseconds. */
const PROGRESS_AFTER_MS = 1_000;
/** Nobody looks at a chart that is wider; programs take --json. */
const UNLIMITED_COLUMNS = 120;

const HELP = `
Tokens are those that the provider counted, shared out over the parts; what came since the last request is estimated. The chart has a
bar for each request, the threshold as a line, and below a letter where the conversation was compacted: m, A, R, F.
With --stats a line for each session, what is usual, and a ! where one was compacted clearly more often than earlier ones.
`;

export const defineContext: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("context")
    .description("show what fills a session's context, turn by turn, and what compactions freed and cost")
    .argument("[id]", ID_HELP)
    .option("--turn <n>", "what it was made of at this turn", wholeNumber(TURN_MAX))
    .option("--turns", "a line for each turn")
    .option("--stats", "over sessions: how full, how often compacted, how much read from the cache")
    .option("--since <time>", "with --stats: only sessions with news from then on: 12h, 7d, 4w or a day")
    .option("--all", "with --stats: sub-agents, too")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples("belay context", "belay context ses_01… --turn 12", "belay context --stats --since 30d") + HELP,
    )
    .action((id: string | undefined, options: ContextOptions) => context.does(() => run(id, options, context.face)));
};

async function run(id: string | undefined, options: ContextOptions, face: Face): Promise<number> {
  const { stats, turn, turns, since, all } = options;
  const { withStore } = await import("../session-choice.ts");
  if (stats === true) {
    if (id !== undefined || turn !== undefined || turns !== undefined)
      throw new HarnessError("usage", "--stats was given with an id, --turn or --turns.", "Leave them away.");
    return withStore(face, (store) => printStats(store, options, face));
  }
  if (since !== undefined || all !== undefined)
    throw new HarnessError("usage", "--since or --all was given without --stats.", "Add --stats.");
  return withStore(face, (store) => printSession(store, id, options, face));
}

async function printSession(
  store: Store,
  id: string | undefined,
  options: ContextOptions,
  face: Face,
): Promise<number> {
  const { chosenSession } = await import("../session-choice.ts");
  const { LOCAL_TENANT } = await import("../../kernel/ids.ts");
  const { emptyState } = await import("../../kernel/fold.ts");
  const { readEvents } = await import("../../store/journal.ts");
  const { sessionNotFound } = await import("../../store/refusal.ts");
  const { contextReport } = await import("../../observe/context/context-report.ts");
  const { earlierRates } = await import("../../observe/context/context-sessions.ts");
  const view = await import("../view/context-view.ts");
  const session = await chosenSession(store, id, face.cwd);
  const row = await store.getSession(LOCAL_TENANT, session);
  if (row === null) throw sessionNotFound(session);
  const events = readEvents(store, LOCAL_TENANT, session);
  const report = await contextReport(events, emptyState(row), await earlierRates(store, row));
  const shown = await viewOptions(face);
  if (options.turn !== undefined) {
    const turn = report.turns.findLast((one) => one.turn === options.turn);
    if (turn === undefined) throw noTurn(session, options.turn, report.turn);
    if (options.json === true) face.out.json(JSON.stringify({ session, ...view.turnJson(turn) }));
    else for (const line of view.turnLines(session, turn, shown)) face.out.line(line);
    return 0;
  }
  const lines = options.turns === true ? view.turnTableLines(report, shown) : view.contextLines(session, report, shown);
  if (options.json === true) face.out.json(JSON.stringify(view.contextJson(session, report)));
  else for (const line of lines) face.out.line(line);
  return 0;
}

function noTurn(session: string, turn: number, last: number): HarnessError {
  return new HarnessError(
    "usage",
    `Session ${session} has no answered request in turn ${turn}.`,
    last === 0 ? "It has no turn yet." : `Name one up to ${last}.`,
  );
}

async function printStats(store: Store, options: ContextOptions, face: Face): Promise<number> {
  const { contextsOf } = await import("../../observe/context/context-sessions.ts");
  const { systemClock } = await import("../../host/system-clock.ts");
  const { statsJson, statsLines } = await import("../view/context-stats-view.ts");
  const began = systemClock.monotonic();
  let said = false;
  const found = await contextsOf(store, {
    since: await momentOf(options.since, systemClock.now()),
    all: options.all === true,
    onProgress: (done, of) => {
      if (!face.err.isTerminal || systemClock.monotonic() - began < PROGRESS_AFTER_MS) return;
      said = true;
      face.err.write(`\r${done} of ${of} sessions`);
    },
  });
  if (said) face.err.write("\r\u001b[2K");
  if (options.json === true) face.out.json(JSON.stringify(statsJson(found)));
  else for (const line of statsLines(found, columnsOf(face))) face.out.line(line);
  return 0;
}

async function momentOf(text: string | undefined, now: number): Promise<number | null> {
  if (text === undefined) return null;
  const { sinceOf } = await import("../since.ts");
  const since = sinceOf(text, now);
  if ("at" in since) return since.at;
  throw new HarnessError("usage", `--since ${text} is no moment.`, "Give a day such as 2026-11-01, 12h, 7d or 4w.");
}

async function viewOptions(face: Face): Promise<ContextViewOptions> {
  const { paintFor } = await import("../view/paint.ts");
  return { columns: columnsOf(face), ascii: !face.out.colors || !isUtf8(face), paint: paintFor(face.out.colors) };
}

/** A locale that names another character set draws no bars. Who names none is taken for one of today. */
function isUtf8({ environment: { all } }: Face): boolean {
  const locale = [all["LC_ALL"], all["LC_CTYPE"], all["LANG"]].find((value) => value !== undefined && value !== "");
  return locale === undefined || /utf-?8/i.test(locale);
}

function columnsOf({ out }: Face): number {
  return out.isTerminal ? out.columns() : UNLIMITED_COLUMNS;
}
