/** The numbers of the live line: turns, tokens, money, the budget, the cache, the context, the rate, time. */
import type { Standing } from "../../engine/report.ts";
import type { Delta } from "../../kernel/delta.ts";
import type { Event } from "../../kernel/events/index.ts";
import { addKnownMoney, formatMoney, type NanoDollars, NO_MONEY } from "../../kernel/money.ts";
import { totalTokens } from "../../kernel/usage.ts";
import { formatCount, formatDuration, formatShare, leftText } from "./format.ts";
import { safeLine } from "./safe-text.ts";
import { displayWidth } from "./width.ts";

/** From events alone. */
export interface Tally {
  readonly turn: number;
  readonly tokens: number;
  /** Null as soon as one part of it is unknown. */
  readonly cost: NanoDollars | null;
}

export const EMPTY_TALLY: Tally = { turn: 0, tokens: 0, cost: NO_MONEY };

/** What events alone do not tell. */
export interface Gauges {
  /** Null before it is known. */
  readonly standing: Standing | null;
  /** Tokens that the context may have; null where it is not known. */
  readonly window: number | null;
  /** What of the account's rate is used most; null before anything was said about it. */
  readonly rate: Rate | null;
}

export type Rate = Extract<Delta, { readonly type: "rate" }>["used"][number];

export const NO_GAUGES: Gauges = { standing: null, window: null, rate: null };

/** Below this the rate is no news. */
const RATE_SHOWN_MIN = 0.5;
/** What is going on is cut no shorter than this while a number can be left out. Columns. */
const DOING_COLUMNS_MIN = 18;
/** As that, for a wait: why nothing goes on is the news. */
const WAIT_COLUMNS_MIN = 60;

export function tallied(tally: Tally, event: Event): Tally {
  const turn = Math.max(tally.turn, event.turn);
  if (event.kind !== "BudgetSettled") return turn === tally.turn ? tally : { ...tally, turn };
  const { usage, cost } = event.data;
  return { turn, tokens: tally.tokens + totalTokens(usage), cost: addKnownMoney(tally.cost, cost) };
}

/** Null of nothing. */
export function mostUsed(used: readonly Rate[]): Rate | null {
  return used.reduce<Rate | null>((most, one) => (most === null || one.share > most.share ? one : most), null);
}

export interface Shown {
  readonly tally: Tally;
  readonly gauges: Gauges;
  readonly elapsed_ms: number;
}

/** `turn 3 · 12.3k tokens · $0.012 · $4.99 left · 91 % cached · 12 % context · 62 % of requests/min · 42.0 s` */
export function tallyText(shown: Shown): string {
  return joined(segments(shown));
}

/**
 * As `tallyText`, then what is going on; where that would be cut off, numbers are left out, the least telling first.
 * @param columns that the line may take
 */
export function statusText(shown: Shown, { text, waits }: Doing, columns: number): string {
  const wanted = Math.min(displayWidth(text), waits ? WAIT_COLUMNS_MIN : DOING_COLUMNS_MIN);
  let kept = segments(shown);
  for (const name of EXPENDABLE) {
    if (displayWidth(joined(kept)) + SEPARATOR.length + wanted <= columns) break;
    kept = kept.filter((segment) => segment.name !== name);
  }
  return [joined(kept), text].join(SEPARATOR);
}

export interface Doing {
  readonly text: string;
  readonly waits: boolean;
}

const SEPARATOR = " · ";

type Name = "turn" | "tokens" | "cost" | "lost" | "left" | "cached" | "context" | "rate" | "time";

interface Segment {
  readonly name: Name;
  readonly text: string;
}

/** In the order in which they are missed least. */
const EXPENDABLE: readonly Name[] = ["tokens", "rate", "cached", "time", "context", "lost", "left", "turn"];

function segments({ tally, gauges, elapsed_ms }: Shown): readonly Segment[] {
  const { standing, window, rate } = gauges;
  const context = standing?.context_tokens ?? null;
  return [
    { name: "turn", text: `turn ${tally.turn}` },
    { name: "tokens", text: `${formatCount(tally.tokens)} tokens` },
    { name: "cost", text: formatMoney(tally.cost) },
    ...some("lost", standing !== null && standing.unknown_cost > 0 ? standing.unknown_cost : null, (lost) => {
      return `up to ${formatMoney(lost)} lost`;
    }),
    ...some("left", standing?.left ?? null, leftIn),
    ...some("cached", standing?.cache_read_share ?? null, (share) => `${formatShare(share)} cached`),
    ...some("context", context !== null && window !== null ? context / window : null, (share) => {
      return `${formatShare(share)} context`;
    }),
    ...some("rate", rate !== null && rate.share >= RATE_SHOWN_MIN ? rate : null, ({ what, share }) => {
      return `${formatShare(share)} of ${safeLine(what)}`;
    }),
    { name: "time", text: formatDuration(elapsed_ms) },
  ];
}

function some<T>(name: Name, value: T | null, text: (value: T) => string): readonly Segment[] {
  return value === null ? [] : [{ name, text: text(value) }];
}

/** A cap of the session is what everybody means; another says whose it is. */
function leftIn({ scope, cost }: NonNullable<Standing["left"]>): string {
  return `${leftText(cost)}${scope === "session" ? "" : ` (${safeLine(scope)})`}`;
}

function joined(all: readonly Segment[]): string {
  return all.map(({ text }) => text).join(SEPARATOR);
}
