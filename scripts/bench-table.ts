/** The figures as people read them: beside the bare loop, and against the aims. */
import type { Statistic } from "./bench-statistics.ts";

export interface Row {
  readonly measure: string;
  readonly figure: string;
  readonly label: string;
  readonly unit: string;
  readonly digits: number;
  /** Absent: published, without an aim. `bare` is null where there is no bare figure. */
  readonly aim?: { readonly text: string; readonly met: (belay: number, bare: number | null) => boolean };
}

const atMost = (limit: number, unit: string): Row["aim"] => ({
  text: `<= ${limit.toLocaleString("en")} ${unit}`,
  met: (belay) => belay <= limit,
});
const atLeast = (limit: number): Row["aim"] => ({ text: `>= ${limit} %`, met: (belay) => belay >= limit });
const ofBare = (factor: number): Row["aim"] => ({
  text: `<= ${factor} x bare`,
  met: (belay, bare) => bare !== null && belay <= factor * bare,
});
const overBare = (more: number): Row["aim"] => ({
  text: `<= bare + ${more} ms`,
  met: (belay, bare) => bare !== null && belay <= bare + more,
});

function row(of: readonly [string, string, string, string, number], aim?: Row["aim"]): Row {
  const [measure, figure, label, unit, digits] = of;
  return { measure, figure, label, unit, digits, ...(aim === undefined ? {} : { aim }) };
}

export const ROWS: readonly Row[] = [
  row(["start", "first_ms", "start to first request", "ms", 0], atMost(130, "ms")),
  row(["start", "first_cpu_ms", "… processor time of it", "ms", 0]),
  row(["start", "first_bytes", "bytes of the first request", "B", 0], atMost(8_192, "B")),
  row(["read", "all_bytes", "bytes of 50 requests", "B", 0]),
  row(["read", "turn_ms", "a turn with a read tool", "ms", 2], ofBare(1.5)),
  row(["read", "turn_cpu_ms", "… processor time of it", "ms", 2]),
  row(["long", "early_ms", "of 200 turns, the first 50", "ms", 2]),
  row(["long", "late_ms", "of 200 turns, the last 50", "ms", 2]),
  row(["long", "early_cpu_ms", "… processor time, the first 50", "ms", 2]),
  row(["long", "late_cpu_ms", "… processor time, the last 50", "ms", 2]),
  row(["history", "added_ms", "what 1 MB of history adds to a turn", "ms", 2], overBare(2)),
  row(["history", "added_cpu_ms", "… processor time of it", "ms", 2]),
  row(["commands-1k", "turn_ms", "a changing command, 1,000 files", "ms", 1], atMost(20, "ms")),
  row(["commands-10k", "turn_ms", "a changing command, 10,000 files", "ms", 1]),
  row(["commands-50k", "turn_ms", "a changing command, 50,000 files", "ms", 1]),
  row(["start", "peak_mib", "peak memory, 1 turn", "MiB", 0], atMost(90, "MiB")),
  row(["read", "peak_mib", "peak memory, 50 turns", "MiB", 0], atMost(100, "MiB")),
  row(["long", "peak_mib", "peak memory, 200 turns", "MiB", 0], atMost(120, "MiB")),
  row(["history", "peak_mib", "peak memory, 1 MB of history", "MiB", 0]),
  row(["tokens-text", "token_ms", "a token, arrival to print, text", "ms", 2], atMost(3, "ms")),
  row(["tokens-events", "token_ms", "a token, arrival to print, events", "ms", 2], atMost(3, "ms")),
  row(["start", "exit_ms", "last byte of the answer to exit", "ms", 1]),
  row(["resume", "first_ms", "resume of 10,000 events to first request", "ms", 0]),
  row(["resume", "first_cpu_ms", "… processor time of it", "ms", 0]),
  row(["appends", "per_second", "durable appends a second (bare: synced lines)", "", 0]),
  row(["prefix", "within", "prefix kept within a session", "%", 2], atLeast(100)),
  row(["prefix", "across", "prefix kept across two directories", "%", 2], atLeast(98)),
];

export interface Result extends Omit<Row, "aim"> {
  readonly bare: Statistic | null;
  readonly belay: Statistic | null;
  readonly other: Statistic | null;
  readonly aim: string | null;
  /** Null without an aim, or without a figure. */
  readonly met: boolean | null;
}

export function resultOf(row: Row, of: (contender: "bare" | "belay" | "other") => Statistic | null): Result {
  const [bare, belay, other] = [of("bare"), of("belay"), of("other")];
  const met = row.aim === undefined || belay === null ? null : row.aim.met(belay.median, bare?.median ?? null);
  return { ...row, bare, belay, other, aim: row.aim?.text ?? null, met };
}

/** A table of Markdown: medians, in parentheses the middle half of the samples. */
export function tableOf(results: readonly Result[]): string {
  const others = results.some(({ other }) => other !== null);
  const head = ["", "bare loop", "belay", ...(others ? ["other"] : []), "aim", ""];
  const lines = results.map((result) => [
    result.label,
    cell(result.bare, result),
    cell(result.belay, result),
    ...(others ? [cell(result.other, result)] : []),
    result.aim ?? "",
    result.met === null ? "" : result.met ? "met" : "missed",
  ]);
  const widths = head.map((title, i) => Math.max(title.length, 3, ...lines.map((line) => line[i]?.length ?? 0)));
  const printed = (line: readonly string[]): string =>
    `| ${line.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [printed(head), rule, ...lines.map(printed)].join("\n");
}

function cell(statistic: Statistic | null, { unit, digits }: Pick<Row, "unit" | "digits">): string {
  if (statistic === null) return "";
  const shown = (value: number): string =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const { median, low, high } = statistic;
  const spread = shown(low) === shown(high) ? "" : ` (${shown(low)} to ${shown(high)})`;
  return `${shown(median)}${unit === "" ? "" : ` ${unit}`}${spread}`;
}
