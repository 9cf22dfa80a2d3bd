/** How full the context was at each turn, as a small chart: bars, the threshold, and a mark where the conversation was compacted. */
import type { CompactionLayer } from "../../kernel/state.ts";
import { formatCount } from "./format.ts";
import type { Paint } from "./paint.ts";

export interface ChartColumn {
  readonly turn: number;
  readonly tokens: number;
  readonly threshold: number;
  /** Between the call before and this one. */
  readonly compactions: readonly CompactionLayer[];
}

export interface ChartOptions {
  /** Columns of the terminal. */
  readonly columns: number;
  /** Letters and signs of ASCII alone. */
  readonly ascii: boolean;
  readonly paint: Paint;
}

export const MARKS: { readonly [L in CompactionLayer]: string } = { micro: "m", auto: "A", reactive: "R", fresh: "F" };
/** Of several in one column the gravest is shown. */
const GRAVEST: readonly CompactionLayer[] = ["fresh", "reactive", "auto", "micro"];

/** Lines of the bars. */
const ROWS = 8;
/** A bar is at most so wide. Columns. */
const BAR_COLUMNS_MAX = 3;
/** A chart that is wider is harder to read. Columns. */
const CHART_COLUMNS_MAX = 160;
/** What stands in front of a bar: a number, a blank, the axis. */
const LABEL_COLUMNS = 7;
/** Below this share of the threshold bars are drawn larger than they are beside it. */
const LARGE_SHARE = 0.25;
/** From this share of the threshold on a bar is a warning. */
const NEAR_SHARE = 0.8;

interface Signs {
  /** From nothing to a whole cell. */
  readonly fill: readonly string[];
  readonly threshold: string;
  readonly axis: string;
  readonly corner: string;
  readonly base: string;
}

const UNICODE: Signs = { fill: [..." ▁▂▃▄▅▆▇█"], threshold: "┄", axis: "┤", corner: "└", base: "─" };
const ASCII: Signs = { fill: [" ", ".", ":", "#"], threshold: "-", axis: "|", corner: "+", base: "-" };

export function chartLines(all: readonly ChartColumn[], options: ChartOptions): readonly string[] {
  const signs = options.ascii ? ASCII : UNICODE;
  const room = Math.max(10, Math.min(options.columns, CHART_COLUMNS_MAX) - LABEL_COLUMNS - 1);
  const bars = bucketed(all, room);
  if (bars.length === 0) return [];
  const wide = Math.max(1, Math.min(BAR_COLUMNS_MAX, Math.floor(room / bars.length)));
  const peak = Math.max(...bars.map(({ tokens }) => tokens));
  const threshold = bars.at(-1)?.threshold ?? 0;
  const top = peak < threshold * LARGE_SHARE ? peak : Math.max(peak, threshold);
  const rows = Array.from({ length: ROWS }, (_, i) => ROWS - 1 - i);
  return [
    ...rows.map((row) => {
      const label = labelOf(row, { top, threshold });
      return `${label.padStart(LABEL_COLUMNS - 2)} ${signs.axis}${cells(row, bars, { top, wide, signs, paint: options.paint })}`;
    }),
    `${"0".padStart(LABEL_COLUMNS - 2)} ${signs.corner}${signs.base.repeat(bars.length * wide)}`,
    ...below("", marksOf(bars, wide), options.paint.yellow),
    ...below("turn", turnsOf(bars, wide), options.paint.dim),
  ];
}

/** The layers that the chart has, in words; nothing where there is none. */
export function legend(all: readonly ChartColumn[]): string {
  const words = { micro: "old results cleared", auto: "compacted", reactive: "after an overflow", fresh: "begun anew" };
  const met = new Set(all.flatMap(({ compactions }) => compactions));
  return GRAVEST.filter((layer) => met.has(layer))
    .reverse()
    .map((layer) => `${MARKS[layer]} ${words[layer]}`)
    .join(" · ");
}

/** As many as there is room for: neighbours become one, as high as the highest of them. */
function bucketed(all: readonly ChartColumn[], room: number): readonly ChartColumn[] {
  const size = Math.ceil(all.length / room);
  if (size <= 1) return all;
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => {
    const some = all.slice(i * size, (i + 1) * size);
    return {
      turn: some[0]?.turn ?? 0,
      tokens: Math.max(...some.map(({ tokens }) => tokens)),
      threshold: some.at(-1)?.threshold ?? 0,
      compactions: some.flatMap(({ compactions }) => compactions),
    };
  });
}

function labelOf(row: number, { top, threshold }: { readonly top: number; readonly threshold: number }): string {
  if (row === ROWS - 1) return formatCount(Math.round(top));
  if (row === thresholdRow(threshold, top)) return formatCount(threshold);
  return row === ROWS / 2 - 1 ? formatCount(Math.round(top / 2)) : "";
}

/** The line in whose cell the threshold is; below none where the chart does not reach it. */
function thresholdRow(threshold: number, top: number): number {
  return threshold > top ? -1 : Math.min(ROWS - 1, Math.floor((threshold / top) * ROWS));
}

interface Drawing {
  readonly top: number;
  readonly wide: number;
  readonly signs: Signs;
  readonly paint: Paint;
}

/** Cells of one colour that stand next to each other are painted at once. */
function cells(row: number, bars: readonly ChartColumn[], { top, wide, signs, paint }: Drawing): string {
  const runs: { style: (text: string) => string; text: string }[] = [];
  for (const { tokens, threshold } of bars) {
    const height = top === 0 ? 0 : (tokens / top) * ROWS - row;
    const steps = signs.fill.length - 1;
    // A little is never nothing.
    const step = row === 0 && tokens > 0 ? Math.max(1, Math.round(height * steps)) : Math.round(height * steps);
    const fill = signs.fill[Math.max(0, Math.min(steps, step))] ?? " ";
    const isLine = fill === " " && row === thresholdRow(threshold, top);
    const style = isLine
      ? paint.dim
      : tokens >= threshold
        ? paint.red
        : nearly(tokens, threshold)
          ? paint.yellow
          : paint.cyan;
    const text = (isLine ? signs.threshold : fill).repeat(wide);
    const last = runs.at(-1);
    if (last?.style === style) last.text += text;
    else runs.push({ style, text });
  }
  return runs
    .map(({ style, text }) => (text.trim() === "" ? text : style(text)))
    .join("")
    .trimEnd();
}

function nearly(tokens: number, threshold: number): boolean {
  return tokens >= threshold * NEAR_SHARE;
}

function marksOf(bars: readonly ChartColumn[], wide: number): string {
  return bars
    .map(({ compactions }) => {
      const layer = GRAVEST.find((one) => compactions.includes(one));
      return (layer === undefined ? "" : MARKS[layer]).padEnd(wide);
    })
    .join("");
}

/** Numbers of turns, as many as stand apart from each other. */
function turnsOf(bars: readonly ChartColumn[], wide: number): string {
  const apart = Math.max(1, Math.ceil(10 / wide));
  let text = "";
  for (const [i, { turn }] of bars.entries())
    if (i % apart === 0 && i * wide >= text.length) text = text.padEnd(i * wide) + `${turn} `;
  return text.trimEnd();
}

function below(label: string, text: string, style: (text: string) => string): readonly string[] {
  if (text.trim() === "") return [];
  return [`${style(label.padStart(LABEL_COLUMNS - 2))}  ${style(text.trimEnd())}`.trimEnd()];
}
