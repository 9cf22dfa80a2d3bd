/** The numbers of the live line, from events alone: turns, tokens, money. */
import type { Event } from "../../kernel/events/index.ts";
import { addKnownMoney, formatMoney, type NanoDollars, NO_MONEY } from "../../kernel/money.ts";
import { totalTokens } from "../../kernel/usage.ts";
import { formatCount, formatDuration } from "./format.ts";

export interface Tally {
  readonly turn: number;
  readonly tokens: number;
  /** Null as soon as one part of it is unknown. */
  readonly cost: NanoDollars | null;
}

export const EMPTY_TALLY: Tally = { turn: 0, tokens: 0, cost: NO_MONEY };

export function tallied(tally: Tally, event: Event): Tally {
  const turn = Math.max(tally.turn, event.turn);
  if (event.kind !== "BudgetSettled") return turn === tally.turn ? tally : { ...tally, turn };
  const { usage, cost } = event.data;
  return { turn, tokens: tally.tokens + totalTokens(usage), cost: addKnownMoney(tally.cost, cost) };
}

/** `turn 3 · 12.3k tokens · $0.012 · 42.0 s` */
export function tallyText(tally: Tally, elapsed_ms: number): string {
  return [
    `turn ${tally.turn}`,
    `${formatCount(tally.tokens)} tokens`,
    formatMoney(tally.cost),
    formatDuration(elapsed_ms),
  ].join(" · ");
}
