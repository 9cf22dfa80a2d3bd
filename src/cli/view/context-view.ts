/** What `belay context` prints of one session: what fills the context, a chart turn by turn, what was done about it. */
import { dollarsOf, formatMoney } from "../../kernel/money.ts";
import { totalTokens } from "../../kernel/usage.ts";
import type { ContextReport, FilledTurn } from "../../observe/context/context-report.ts";
import { LAYERS } from "../../observe/context/context-stats.ts";
import type { Break, ContextCompaction } from "../../observe/context/context-turns.ts";
import { CONTEXT_KINDS, type ContextKind } from "../../observe/context/part-kind.ts";
import type { WindowPart, WindowParts } from "../../observe/context/window-parts.ts";
import { chartLines, type ChartColumn, legend, MARKS } from "./context-chart.ts";
import { formatCount, formatShare, plural } from "./format.ts";
import { words } from "./notice.ts";
import type { Paint } from "./paint.ts";
import { safeLine } from "./safe-text.ts";
import { fittingTableLines, tableLines } from "./table.ts";
import { truncated } from "./width.ts";

export interface ContextViewOptions {
  readonly columns: number;
  readonly ascii: boolean;
  readonly paint: Paint;
}

const LABELS: { readonly [K in ContextKind]: string } = {
  system: "system prompt",
  tools: "tool schemas",
  instructions: "instructions",
  rules: "rules",
  skills: "skills",
  agents: "sub-agents",
  environment: "environment",
  memory: "memory",
  continuity: "continuity",
  summary: "summary",
  file: "files mentioned",
  task: "task and messages",
  note: "belay's notes",
  answer: "answers",
  thinking: "thinking",
  call: "tool calls",
  result: "tool results",
  receipt: "receipts",
};

/** Kinds whose parts stand below them, one by one. */
const DETAILED: ReadonlySet<ContextKind> = new Set(["result", "instructions", "file"]);
/** Parts of one kind that are named; --json has all. */
const DETAILS_MAX = 8;
const BAR_COLUMNS_MAX = 30;
/** Compactions that are listed, the newest; --json has all. */
export const COMPACTIONS_LISTED_MAX = 20;

export function contextLines(session: string, report: ContextReport, options: ContextViewOptions): readonly string[] {
  const { paint } = options;
  const { title, turns, turn, model } = report;
  const of = [title === "" ? "" : safeLine(title), model === null ? "" : safeLine(model)].filter((text) => text !== "");
  const columns = [...turns.map(columnOf), ...pendingColumn(report)];
  const marks = legend(columns);
  return [
    `${paint.bold(session)} ${paint.dim(truncated([`turn ${turn}`, ...of].join(" · "), Math.max(20, options.columns - session.length - 1)))}`,
    ...standingLines(report, options),
    "",
    ...partLines(report.now, options),
    ...(columns.length === 0 ? [] : ["", ...chartLines(columns, options)]),
    ...(marks === "" ? [] : [paint.dim(`       ${marks}`)]),
    ...compactionLines(report, options),
    ...cacheLines(report),
    ...(report.alert === null ? [] : ["", `${paint.yellow("!")} ${report.alert}`]),
  ];
}

function standingLines(
  { now, window, threshold, numbers }: ContextReport,
  { paint }: ContextViewOptions,
): readonly string[] {
  const share = now.tokens / window;
  const style = now.tokens >= threshold ? paint.red : paint.bold;
  const facts = [
    style(`${formatCount(now.tokens)} of ${formatCount(window)} tokens (${formatShare(share)})`),
    `${formatShare(Math.max(0, 1 - share))} left`,
    `compacted at ${formatCount(threshold)}`,
    ...(numbers.cache_read_share === null ? [] : [`${formatShare(numbers.cache_read_share)} cached`]),
  ];
  return [facts.join(" · "), ...(now.estimated === 0 ? [] : [paint.dim(estimatedText(now))])];
}

function estimatedText({ estimated, tokens }: WindowParts): string {
  if (estimated >= tokens) return "No provider counted these tokens: they are estimates.";
  return `${formatCount(estimated)} of them came since the last request and are estimates.`;
}

/** PART, TOKENS, SHARE, and a bar: the kinds in the order of the prompt, tools and files below theirs. */
export function partLines(parts: WindowParts, { columns, ascii }: ContextViewOptions): readonly string[] {
  const rows = CONTEXT_KINDS.flatMap((kind) => rowsOf(kind, parts.parts));
  const bar = (tokens: number): string => barOf(tokens / Math.max(1, parts.tokens), columns, ascii);
  return tableLines(
    ["PART", "TOKENS".padStart(TOKEN_COLUMNS), "SHARE".padStart(SHARE_COLUMNS), ""],
    [
      ...rows.map(({ label, tokens, isDetail }) => [
        label,
        tokens.toLocaleString("en-US").padStart(TOKEN_COLUMNS),
        formatShare(tokens / Math.max(1, parts.tokens)).padStart(SHARE_COLUMNS),
        isDetail ? "" : bar(tokens),
      ]),
      ["total", parts.tokens.toLocaleString("en-US").padStart(TOKEN_COLUMNS), "100 %".padStart(SHARE_COLUMNS), ""],
    ],
    columns,
  );
}

const TOKEN_COLUMNS = 9;
const SHARE_COLUMNS = 5;
const NAME_COLUMNS_MAX = 26;

interface Row {
  readonly label: string;
  readonly tokens: number;
  readonly isDetail: boolean;
}

function rowsOf(kind: ContextKind, all: readonly WindowPart[]): readonly Row[] {
  const parts = all.filter((part) => part.kind === kind).toSorted((a, b) => b.tokens - a.tokens);
  const [first] = parts;
  if (first === undefined) return [];
  const tokens = parts.reduce((sum, part) => sum + part.tokens, 0);
  const only = parts.length === 1 && kind === "system" && first.name !== "" ? ` ${first.name}` : "";
  const head = { label: `${LABELS[kind]}${only}`, tokens, isDetail: false };
  if (!DETAILED.has(kind)) return [head];
  const shown = parts.slice(0, DETAILS_MAX);
  const rest = parts.slice(DETAILS_MAX);
  return [
    head,
    ...shown.map((part) => ({ label: `  ${nameOf(part.name)}`, tokens: part.tokens, isDetail: true })),
    ...(rest.length === 0
      ? []
      : [
          {
            label: `  and ${rest.length} more`,
            tokens: rest.reduce((sum, part) => sum + part.tokens, 0),
            isDetail: true,
          },
        ]),
  ];
}

/** Of a path the end tells more than the beginning. */
function nameOf(name: string): string {
  const line = safeLine(name);
  return line.length <= NAME_COLUMNS_MAX ? line : `…${line.slice(1 - NAME_COLUMNS_MAX).toWellFormed()}`;
}

const EIGHTHS = [..." ▏▎▍▌▋▊▉█"];

function barOf(share: number, columns: number, ascii: boolean): string {
  const room = Math.min(BAR_COLUMNS_MAX, Math.max(8, columns - 50));
  const steps = ascii ? 1 : EIGHTHS.length - 1;
  const filled = Math.max(share > 0 ? 1 : 0, Math.round(share * room * steps));
  const whole = (ascii ? "#" : "█").repeat(Math.floor(filled / steps));
  return `${whole}${ascii ? "" : (EIGHTHS[filled % steps] ?? "").trim()}`;
}

function columnOf({ turn, parts, threshold, compactions }: FilledTurn): ChartColumn {
  return { turn, tokens: parts.tokens, threshold, compactions };
}

/** What was compacted since the last request shows beside it: as a bar of what comes next. */
function pendingColumn({ turns, compactions, now, threshold, turn }: ContextReport): readonly ChartColumn[] {
  const last = turns.at(-1);
  const pending = compactions.filter(({ seq }) => last !== undefined && seq > last.seq).map(({ layer }) => layer);
  return pending.length === 0 ? [] : [{ turn: turn + 1, tokens: now.tokens, threshold, compactions: pending }];
}

const BROKE: { readonly [B in Break]: string } = {
  compaction: "compactions",
  model_switch: "changes of the model",
  repin: "a repin",
  prompt_changed: "another prompt",
  expired: "a cache that was forgotten",
};

function compactionLines({ compactions }: ContextReport, { columns, paint }: ContextViewOptions): readonly string[] {
  if (compactions.length === 0) return ["", "Nothing was compacted."];
  const shown = compactions.slice(-COMPACTIONS_LISTED_MAX);
  const rows = shown.map((one) => [
    `${one.turn}`,
    `${MARKS[one.layer]} ${one.layer}`,
    `${formatCount(one.before)} → ${formatCount(one.after)}`,
    formatCount(one.freed),
    lostText(one),
    summaryText(one),
    safeLine(one.reason),
  ]);
  const head = ["TURN", "LAYER", "TOKENS", "FREED", "CACHE LOST", "SUMMARY", "WHY"];
  const [title = "", ...lines] = fittingTableLines(head, rows, columns, [5, 2]);
  const freed = compactions.reduce((sum, one) => sum + one.freed, 0);
  const more = compactions.length - shown.length;
  return [
    "",
    paint.bold(`${plural(compactions.length, "compaction")}, ${formatCount(freed)} tokens freed`),
    ...(more === 0 ? [] : [`… ${more} earlier ones: --json has them`]),
    title,
    ...lines,
  ];
}

/** As the next call showed, else as it was planned. */
function lostText({ cache_lost, cache_lost_measured }: ContextCompaction): string {
  return cache_lost_measured === null ? `~${formatCount(cache_lost)}` : formatCount(cache_lost_measured);
}

function summaryText({ summary }: ContextCompaction): string {
  if (summary === null) return "-";
  return summary.cost === null ? `${formatCount(totalTokens(summary.usage))} tokens` : formatMoney(summary.cost);
}

function cacheLines({ numbers }: ContextReport): readonly string[] {
  const lost = (Object.entries(numbers.cache_lost) as [Break, number][]).filter(([, tokens]) => tokens > 0); // its keys are breaks
  if (lost.length === 0) return [];
  const said = lost.map(([broke, tokens]) => `${formatCount(tokens)} for ${BROKE[broke]}`);
  return ["", `Read again instead of from the cache: ${said.join(", ")} (tokens).`];
}

/** The table at one turn. */
export function turnLines(session: string, turn: FilledTurn, options: ContextViewOptions): readonly string[] {
  const { paint } = options;
  const { usage, parts, window, compactions } = turn;
  const written = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens;
  return [
    `${paint.bold(`${session}, turn ${turn.turn}`)} ${paint.dim(`· ${safeLine(turn.model)}`)}`,
    [
      `${formatCount(parts.tokens)} of ${formatCount(window)} tokens (${formatShare(parts.tokens / window)})`,
      `${formatCount(usage.cache_read_tokens)} read from the cache`,
      `${formatCount(written)} written to it`,
      `${formatCount(usage.input_tokens)} fresh`,
    ].join(" · "),
    ...(parts.estimated === 0 ? [] : [paint.dim(estimatedText(parts))]),
    ...(compactions.length === 0 ? [] : [`Compacted before it: ${compactions.map(words).join(", ")}.`]),
    "",
    ...partLines(parts, options),
  ];
}

/** Parts that a table turn by turn has a column for. */
const COLUMNS: readonly (readonly [string, readonly ContextKind[]])[] = [
  ["PROMPT", ["system", "tools"]],
  ["SETUP", ["instructions", "rules", "skills", "agents", "environment", "memory", "continuity", "summary", "note"]],
  ["TASK", ["task", "file"]],
  ["ANSWERS", ["answer", "thinking"]],
  ["CALLS", ["call"]],
  ["RESULTS", ["result"]],
  ["RECEIPTS", ["receipt"]],
];

/** One line a turn: what it was made of. */
export function turnTableLines({ turns }: ContextReport, { columns }: ContextViewOptions): readonly string[] {
  const sum = ({ parts }: FilledTurn, kinds: readonly ContextKind[]): number =>
    parts.parts.filter(({ kind }) => kinds.includes(kind)).reduce((all, { tokens }) => all + tokens, 0);
  return fittingTableLines(
    ["TURN", "TOKENS", "WINDOW", "CACHED", ...COLUMNS.map(([head]) => head), "COMPACTED"],
    turns.map((turn) => [
      `${turn.turn}`,
      turn.parts.tokens.toLocaleString("en-US"),
      formatShare(turn.parts.tokens / turn.window),
      formatShare(turn.usage.cache_read_tokens / Math.max(1, turn.parts.tokens)),
      ...COLUMNS.map(([, kinds]) => formatCount(sum(turn, kinds))),
      turn.compactions.map((layer) => MARKS[layer]).join(""),
    ]),
    columns,
    // Receipts, what a run began with, what was said, calls, answers.
    [10, 5, 6, 8, 7],
    "COMPACTED".length,
  );
}

export function contextJson(session: string, report: ContextReport): Record<string, unknown> {
  const { now, window, threshold, turns, compactions, numbers, baseline, alert, title, turn, model } = report;
  return {
    session,
    title,
    turn,
    model,
    window,
    threshold,
    now: partsJson(now, window),
    turns: turns.map((one) => turnJson(one)),
    compactions: compactions.map(compactionJson),
    layers: LAYERS.map((layer) => ({ layer, compactions: numbers.compactions[layer] })),
    numbers,
    baseline,
    alert,
  };
}

export function turnJson({ parts, ...turn }: FilledTurn): Record<string, unknown> {
  return { ...turn, ...partsJson(parts, turn.window) };
}

function partsJson({ tokens, estimated, parts }: WindowParts, window: number): Record<string, unknown> {
  return { tokens, estimated, share: tokens / window, left: Math.max(0, 1 - tokens / window), parts };
}

function compactionJson({ summary, ...compaction }: ContextCompaction): Record<string, unknown> {
  return {
    ...compaction,
    summary:
      summary === null
        ? null
        : {
            usage: summary.usage,
            cost_nano: summary.cost,
            cost_usd: summary.cost === null ? null : dollarsOf(summary.cost),
          },
  };
}
