/** What `belay context --stats` prints: the contexts of many sessions, one a line. */
import type { StoreContext, SessionContext } from "../../observe/context/context-sessions.ts";
import { type ContextNumbers, LAYERS, median } from "../../observe/context/context-stats.ts";
import { MARKS } from "./context-chart.ts";
import { formatCount, formatShare, plural } from "./format.ts";
import { safeLine } from "./safe-text.ts";
import { fittingTableLines } from "./table.ts";

/** Rows that are printed; --json has all. */
export const STATS_ROWS_MAX = 50;

const HEAD = ["TURNS", "PEAK", "WINDOW", "COMPACTED", "FREED", "CACHED", "LOST", "SESSION"] as const;
/** What a narrow terminal does without: lost, freed, cached, peak. */
const EXPENDABLE = [6, 4, 5, 1] as const;
/** An id is there to be copied, and a title tells the sessions apart. Columns. */
const SESSION_COLUMNS_WANTED = 40;

export function statsLines(found: StoreContext, columns: number): readonly string[] {
  const { sessions } = found;
  if (sessions.length === 0) return ["There are no sessions with a turn in that time.", ...damagedLines(found)];
  const shown = sessions.slice(0, STATS_ROWS_MAX);
  const rows = shown.map((one) => [
    ...cells(one),
    `${one.alert === null ? "" : "! "}${one.session} ${safeLine(one.title)}`,
  ]);
  const all = [
    [...cells(totalOf(sessions)), `total of ${plural(sessions.length, "session")}`],
    [...cells(medianOf(sessions)), "median"],
  ];
  const table = fittingTableLines(HEAD, [...rows, ...all], columns, EXPENDABLE, SESSION_COLUMNS_WANTED);
  const more = sessions.length - shown.length;
  return [
    ...table.slice(0, -all.length),
    ...(more === 0 ? [] : [`… and ${plural(more, "more session")}: --json has them`]),
    ...table.slice(-all.length),
    "",
    `COMPACTED counts ${LAYERS.map((layer) => `${MARKS[layer]} ${layer}`).join(", ")}.`,
    ...(table[0]?.includes("LOST") === true ? ["LOST are tokens that were read again instead of from the cache."] : []),
    baselineText(found),
    ...shown.flatMap(({ session, alert }) => (alert === null ? [] : [`! ${session}: ${alert}`])),
    ...damagedLines(found),
    ...(found.more ? ["There are more sessions than were looked at."] : []),
  ];
}

function baselineText({ baseline }: StoreContext): string {
  const { sessions, turns_per_compaction: turns } = baseline;
  if (turns === null) return `No baseline yet: ${plural(sessions, "ended session")} of those were compacted.`;
  return `Ended sessions that were compacted went ${Math.round(turns)} turns from one to the next (median of ${sessions}).`;
}

function damagedLines({ damaged }: StoreContext): readonly string[] {
  return damaged.map(({ session, message }) => `! ${session} is not counted: ${safeLine(message)}`);
}

function cells(of: ContextNumbers): readonly string[] {
  const layers = LAYERS.filter((layer) => of.compactions[layer] > 0).map(
    (layer) => `${of.compactions[layer]}${MARKS[layer]}`,
  );
  return [
    `${of.turns}`,
    formatCount(of.peak_tokens),
    formatShare(of.peak_share),
    layers.length === 0 ? "-" : layers.join(" "),
    of.freed === 0 ? "-" : formatCount(of.freed),
    of.cache_read_share === null ? "-" : formatShare(of.cache_read_share),
    formatCount(lostOf(of)),
  ];
}

function lostOf({ cache_lost }: ContextNumbers): number {
  return Object.values(cache_lost).reduce((sum, tokens) => sum + tokens, 0);
}

type Fold = (values: readonly number[]) => number;

const highest: Fold = (values) => Math.max(0, ...values);
const sum: Fold = (values) => values.reduce((all, value) => all + value, 0);
const middle: Fold = (values) => Math.round(median(values));

/** What adds up is added up; of a peak it is the highest, of a share the median. */
export function totalOf(sessions: readonly SessionContext[]): ContextNumbers {
  return {
    ...folded(sessions, sum),
    peak_tokens: highest(sessions.map(({ peak_tokens }) => peak_tokens)),
    peak_share: highest(sessions.map(({ peak_share }) => peak_share)),
  };
}

export function medianOf(sessions: readonly SessionContext[]): ContextNumbers {
  return folded(sessions, middle);
}

function folded(sessions: readonly SessionContext[], fold: Fold): ContextNumbers {
  const of = (value: (one: SessionContext) => number): number => fold(sessions.map(value));
  const known = (value: (one: SessionContext) => number | null): number | null => {
    const values = sessions.map(value).filter((one) => one !== null);
    return values.length === 0 ? null : median(values);
  };
  return {
    turns: of(({ turns }) => turns),
    peak_tokens: of(({ peak_tokens }) => peak_tokens),
    peak_share: median(sessions.map(({ peak_share }) => peak_share)),
    compactions: {
      micro: of(({ compactions }) => compactions.micro),
      auto: of(({ compactions }) => compactions.auto),
      reactive: of(({ compactions }) => compactions.reactive),
      fresh: of(({ compactions }) => compactions.fresh),
    },
    freed: of(({ freed }) => freed),
    cache_read_share: known(({ cache_read_share }) => cache_read_share),
    cache_lost: {
      compaction: of(({ cache_lost }) => cache_lost.compaction),
      model_switch: of(({ cache_lost }) => cache_lost.model_switch),
      repin: of(({ cache_lost }) => cache_lost.repin),
      prompt_changed: of(({ cache_lost }) => cache_lost.prompt_changed),
      expired: of(({ cache_lost }) => cache_lost.expired),
    },
    turns_per_compaction: known(({ turns_per_compaction }) => turns_per_compaction),
  };
}

export function statsJson(found: StoreContext): Record<string, unknown> {
  const { sessions, baseline, damaged, more } = found;
  return { sessions, total: totalOf(sessions), median: medianOf(sessions), baseline, damaged, more };
}
