/** What `belay cost` prints: a table for people, an object for programs. */
import { dollarsOf, formatMoney, type NanoDollars, nanoDollars } from "../../kernel/money.ts";
import { promptTokens } from "../../kernel/usage.ts";
import type { CostReport, LedgerCheck } from "../../observe/cost/cost-report.ts";
import type { Grouping, Sums } from "../../observe/cost/cost-sums.ts";
import type { Estimate, Quantiles } from "../../observe/cost/estimate.ts";
import { formatCount, formatDuration, formatShare, plural } from "./format.ts";
import { safeLine } from "./safe-text.ts";
import { fittingTableLines, tableLines } from "./table.ts";

/** Rows that are printed; --json has all. */
export const ROWS_PRINTED_MAX = 50;

const NUMBERS = ["COST", "UNKNOWN", "CALLS", "IN", "CACHED", "OUT"] as const;
/** What a narrow terminal does without: out, calls, in, unknown. */
const EXPENDABLE = [5, 2, 3, 1] as const;

/** An id is there to be copied, and a title tells the sessions apart. Columns of the terminal. */
const SESSION_COLUMNS_WANTED = 42;

export function costLines(report: CostReport, by: Grouping, columns: number): readonly string[] {
  const rows = sortedRows(report, by);
  if (rows.length === 0 && report.damaged.length === 0) return ["Nothing was spent."];
  const shown = rows.slice(0, ROWS_PRINTED_MAX);
  const cells = shown.map(([key, sums]) => [...numbers(sums), labelOf(key, report)]);
  const total = [...numbers(report.total), `total of ${plural(report.sessions, "session")}`];
  const wanted = by === "session" ? SESSION_COLUMNS_WANTED : undefined;
  const table = fittingTableLines([...NUMBERS, by.toUpperCase()], [...cells, total], columns, EXPENDABLE, wanted);
  const more = rows.length - shown.length;
  const [last = ""] = table.slice(-1);
  return [
    ...table.slice(0, -1),
    ...(more === 0 ? [] : [`… and ${plural(more, "more row")}: --json has them`]),
    last,
    ...remarks(report),
  ];
}

/** The dearest first; days in their order. */
function sortedRows({ groups }: CostReport, by: Grouping): readonly (readonly [string, Sums])[] {
  const rows = [...groups];
  if (by === "day") return rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return rows.sort(
    ([, a], [, b]) =>
      b.cost - a.cost || b.unknown_cost - a.unknown_cost || promptTokens(b.usage) - promptTokens(a.usage),
  );
}

function numbers({ usage, cost, unknown_cost, unknown_tokens, calls, unpriced }: Sums): readonly string[] {
  const prompt = promptTokens(usage);
  const share =
    prompt === 0 ? "-" : `${formatCount(usage.cache_read_tokens)} (${formatShare(usage.cache_read_tokens / prompt)})`;
  const lost = unknown_cost > 0 ? `≤ ${formatMoney(unknown_cost)}` : unknown_tokens > 0 ? "$ unknown" : "-";
  const money = unpriced === 0 ? formatMoney(cost) : `${formatMoney(cost)} + ?`;
  return [money, lost, calls === 0 ? "-" : `${calls}`, formatCount(prompt), share, formatCount(usage.output_tokens)];
}

function labelOf(key: string, { titles }: CostReport): string {
  const title = titles.get(key);
  return safeLine(title === undefined ? key : `${key} ${title}`);
}

function remarks(report: CostReport): readonly string[] {
  const { total, inherited, damaged, unknown_events, more, ledger } = report;
  const carried = inherited.cost > 0 || inherited.unknown_cost > 0 || inherited.calls > 0;
  return [
    ...(total.unpriced === 0
      ? []
      : [`${plural(total.unpriced, "call")} of models without a known price cost what no number here holds.`]),
    ...(total.unknown_cost === 0 && total.unknown_tokens === 0
      ? []
      : [
          `UNKNOWN is what answers that were lost may have cost at most (${formatCount(total.unknown_tokens)} tokens).`,
        ]),
    ...(carried
      ? [
          `${formatMoney(inherited.cost)} that forked or imported sessions took over was paid for elsewhere and is not counted.`,
        ]
      : []),
    ...(unknown_events === 0
      ? []
      : [
          `${plural(unknown_events, "event")} of kinds that this version does not know: what they cost is not counted.`,
        ]),
    ...(more ? ["There are more sessions than were looked at."] : []),
    ...damaged.map(
      ({ session, message, cost }) =>
        `! ${session} is not counted (${formatMoney(cost)} by the list of sessions): ${safeLine(message)}`,
    ),
    ...(ledger === null ? [] : ledgerLines(ledger)),
  ];
}

function ledgerLines({ cost, unknown_cost, reserved_cost, missing, older, moved }: LedgerCheck): readonly string[] {
  const agrees = missing.cost === 0 && missing.unknown_cost === 0 && missing.tokens === 0;
  const unknown = unknown_cost === 0 ? "" : `, and ${exactMoney(unknown_cost)} of lost answers`;
  const differs = missing.cost === 0 ? missing.unknown_cost : missing.cost;
  return [
    ...(older.calls === 0 ? [] : [`${formatMoney(older.cost)} is from before there was a ledger.`]),
    agrees
      ? `The ledger has the same to the last nano-dollar: ${exactMoney(cost)}${unknown}.`
      : `The ledger has ${exactMoney(cost)}${unknown}: ${differenceText(differs)}`,
    ...(reserved_cost === 0 ? [] : [`${formatMoney(reserved_cost)} is held by calls under way.`]),
    ...(moved ? ["Money was spent while the journals were read: a difference may be that."] : []),
  ];
}

function differenceText(missing: number): string {
  const amount = exactMoney(nanoDollars(Math.abs(missing)));
  if (missing < 0) return `${amount} less than the journals.`;
  if (missing === 0) return "the money is the same, the tokens differ.";
  return `${amount} more than these journals (sessions that were removed or cannot be read, and work that is no session's).`;
}

/** `$0.012000001`: all nine places. */
function exactMoney(amount: NanoDollars): string {
  return `$${dollarsOf(amount).toFixed(9)}`;
}

export function costJson(report: CostReport, by: Grouping): Record<string, unknown> {
  const { total, sessions, inherited, damaged, unknown_events, more, ledger, titles } = report;
  return {
    by,
    rows: sortedRows(report, by).map(([key, sums]) => {
      const title = titles.get(key);
      return { [by]: key, ...(title === undefined ? {} : { title }), ...sumsJson(sums) };
    }),
    total: sumsJson(total),
    sessions,
    inherited: sumsJson(inherited),
    damaged,
    unknown_events,
    more,
    ledger: ledger === null ? null : { ...ledger, older: sumsJson(ledger.older) },
  };
}

/** Amounts of money twice: whole nano-dollars, which add up, and dollars. */
function sumsJson({ usage, cost, unknown_cost, unknown_tokens, calls, unpriced }: Sums): Record<string, unknown> {
  const prompt = promptTokens(usage);
  return {
    calls,
    unpriced,
    usage,
    cache_read_share: prompt === 0 ? null : usage.cache_read_tokens / prompt,
    cost_nano: cost,
    cost_usd: dollarsOf(cost),
    unknown_tokens,
    unknown_cost_nano: unknown_cost,
    unknown_cost_usd: dollarsOf(unknown_cost),
  };
}

export function estimateLines(estimate: Estimate, model: string): readonly string[] {
  const { runs, few, rule, priced, cost, turns, duration_ms } = estimate;
  if (runs === 0) return ["No finished run is here that an estimate could rest on.", capText(estimate)];
  const row = (label: string, of: Quantiles | null, text: (value: number) => string): readonly string[] => [
    label,
    ...(of === null ? ["unknown", "", ""] : [text(of.p50), text(of.p90), text(of.max)]),
  ];
  return [
    `With ${safeLine(model)}, from ${plural(runs, "finished session")}: ${rule}.`,
    ...tableLines(
      ["", "HALF UP TO", "9 OF 10", "MOST"],
      [
        // quantiles of nano-dollars are some of them
        row("cost", cost, (value) => formatMoney(nanoDollars(value))),
        row("turns", turns, (value) => `${value}`),
        row("at work", duration_ms, formatDuration),
      ],
      UNLIMITED_COLUMNS,
    ),
    ...(priced < runs ? [`The price of ${runs - priced} of them is not known.`] : []),
    ...(few ? [`! That is few: it says little. ${capText(estimate)}`] : []),
  ];
}

const UNLIMITED_COLUMNS = 10_000;

function capText({ default_caps }: Estimate): string {
  const { cost, turns, tokens } = default_caps;
  const money = cost === null ? "" : `${formatMoney(cost)}, `;
  return `Without other limits a session ends at ${money}${turns} turns or ${formatCount(tokens)} tokens, whatever it asks for.`;
}

export function estimateJson({ cost, default_caps, ...rest }: Estimate): Record<string, unknown> {
  const usd = (value: number): number => dollarsOf(nanoDollars(value));
  return {
    ...rest,
    cost_usd: cost === null ? null : { p50: usd(cost.p50), p90: usd(cost.p90), max: usd(cost.max) },
    default_caps: {
      ...default_caps,
      cost: undefined,
      cost_usd: default_caps.cost === null ? null : dollarsOf(default_caps.cost),
    },
  };
}
