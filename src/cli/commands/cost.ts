/** `belay cost`: what was spent, by whatever one asks for; and what a task like this one cost before. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { HarnessError } from "../../kernel/harness-error.ts";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import type { Store } from "../../store/port.ts";
import type { Face } from "../face.ts";

/** As `GROUPINGS`, which is loaded with the command's work. */
const BY = ["session", "model", "tool", "skill", "phase", "day"] as const;

interface CostOptions {
  readonly by?: (typeof BY)[number];
  readonly since?: Since;
  readonly estimate?: string;
  readonly model?: string;
  readonly json?: true;
}

/** Milliseconds since the epoch, or so many before now. */
type Since = { readonly at: number } | { readonly ago_ms: number };

/** Nothing is said about the progress of what is done sooner, in milliseconds. */
const PROGRESS_AFTER_MS = 1_000;

const HELP = `
Money is what the journals say, to the nano-dollar; without an id those of all sessions, compared with the ledger. What lost answers may have
cost stands apart (UNKNOWN). By tool: what a tool's calls and results put into the context, attributed as it is paid for. Days are those of UTC.
`;

export const defineCost: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("cost")
    .description("show what sessions cost: by session, model, tool, phase or day; or estimate what a task will")
    .argument("[id]", "one session; without it all of them")
    .addOption(new Option("--by <what>", "how it is added up; without it session, or tool for one session").choices(BY))
    .option("--since <time>", "only from then on: 12h, 7d, 4w or a day such as 2026-11-01", sinceOf)
    .option("--estimate <task>", "what runs like this task cost before")
    .option("--model <model>", "with --estimate: the model that the task will be given to")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples("belay cost", "belay cost --by tool --since 7d", 'belay cost --estimate "fix the failing test"') + HELP,
    )
    .action((id: string | undefined, options: CostOptions) => context.does(() => cost(id, options, context.face)));
};

async function cost(id: string | undefined, options: CostOptions, face: Face): Promise<number> {
  const { withStore } = await import("../session-choice.ts");
  const { estimate, model } = options;
  if (estimate !== undefined) {
    if (id !== undefined || options.by !== undefined || options.since !== undefined)
      throw new HarnessError("usage", "--estimate was given with an id, --by or --since.", "Leave them away.");
    return withStore(face, (store) => printEstimate(store, { ...options, estimate }, face));
  }
  if (model !== undefined)
    throw new HarnessError("usage", "--model was given without --estimate.", "Use `--by model` for what models cost.");
  return withStore(face, (store) => printCosts(store, id, options, face));
}

async function printCosts(store: Store, id: string | undefined, options: CostOptions, face: Face): Promise<number> {
  const { costsOf } = await import("../../observe/cost/cost-report.ts");
  const { systemClock } = await import("../../host/system-clock.ts");
  const { parseSessionId } = await import("../../kernel/ids.ts");
  const { createHost } = await import("../command-host.ts");
  const { costJson, costLines } = await import("../view/cost-table.ts");
  const by = options.by ?? (id === undefined ? "session" : "tool");
  const began = systemClock.monotonic();
  let said = false;
  const report = await costsOf(createHost({ face, store, prompter: null }), {
    session: id === undefined ? null : parseSessionId(id),
    by,
    since: options.since === undefined ? null : timeOf(options.since, systemClock.now()),
    onProgress: (done, of) => {
      if (!face.err.isTerminal || systemClock.monotonic() - began < PROGRESS_AFTER_MS) return;
      said = true;
      face.err.write(`\r${done} of ${of} sessions`);
    },
  });
  if (said) face.err.write("\r\u001b[2K");
  const { treeCost, treeLine } = await import("../tree-cost.ts");
  const tree = id === undefined ? null : await treeCost(store, parseSessionId(id));
  if (options.json === true) {
    face.out.json(JSON.stringify({ ...costJson(report, by), ...(tree === null ? {} : { tree }) }));
    return 0;
  }
  for (const line of costLines(report, by, columnsOf(face))) face.out.line(line);
  if (tree !== null) face.out.line(treeLine(tree));
  return 0;
}

interface EstimateOptions extends CostOptions {
  readonly estimate: string;
}

async function printEstimate(store: Store, options: EstimateOptions, face: Face): Promise<number> {
  const { estimateOf } = await import("../../observe/cost/estimate.ts");
  const { findRepository } = await import("../../workspace/prepare/source.ts");
  const { chosenModel } = await import("../providers.ts");
  const { readSettings } = await import("../resolved-settings.ts");
  const { estimateJson, estimateLines } = await import("../view/cost-table.ts");
  const { model } = chosenModel(options.model, face.environment.providers, readSettings(face.environment.home));
  const source = findRepository(face.cwd)?.top ?? face.cwd;
  const estimate = await estimateOf(store, { task: options.estimate, source, model });
  if (options.json === true) face.out.json(JSON.stringify({ model, ...estimateJson(estimate) }));
  else for (const line of estimateLines(estimate, model)) face.out.line(line);
  return 0;
}

/** Nobody looks at a table that is wider; programs take --json. */
const UNLIMITED_COLUMNS = 10_000;

function columnsOf({ out }: Face): number {
  return out.isTerminal ? out.columns() : UNLIMITED_COLUMNS;
}

const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

function sinceOf(text: string): Since {
  const [, count, unit] = /^(\d{1,6})([hdw])$/.exec(text) ?? [];
  const unit_ms = UNITS_MS[unit ?? ""];
  if (count !== undefined && unit_ms !== undefined) return { ago_ms: Number(count) * unit_ms };
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // Some months have fewer days than JavaScript is willing to read.
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, text.length) !== text)
    throw new InvalidArgumentError("It must be a time such as 12h, 7d or 4w, or a day such as 2026-11-01.");
  return { at };
}

function timeOf(since: Since, now: number): number {
  return "at" in since ? since.at : now - since.ago_ms;
}
