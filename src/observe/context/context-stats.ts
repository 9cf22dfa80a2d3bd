/**
 * The context of many sessions in numbers, and whether one of them was compacted more often than is usual on this machine.
 * A session's own numbers leave out what it took over from another one.
 *
 * B1: a baseline is the median over sessions that ended and were compacted at all: one odd session does not move it.
 */
import type { CompactionLayer } from "../../kernel/state.ts";
import { promptTokens } from "../../kernel/usage.ts";
import { type Break, BREAKS, type ContextTurns } from "./context-turns.ts";

export const LAYERS = ["micro", "auto", "reactive", "fresh"] as const satisfies readonly CompactionLayer[];
/** Of these an alert speaks: the others are cheap, or wanted. */
const WHOLE: ReadonlySet<CompactionLayer> = new Set(["auto", "reactive"]);

/** An alert: a session goes less than the usual turns from one compaction to the next, divided by this. */
export const FREQUENT_FACTOR = 2;
/** Fewer compactions of a session say nothing. */
export const ALERT_COMPACTIONS_MIN = 2;
/** Fewer sessions are no baseline. */
export const BASELINE_SESSIONS_MIN = 5;

export interface ContextNumbers {
  readonly turns: number;
  readonly peak_tokens: number;
  /** Of the window, from 0. */
  readonly peak_share: number;
  readonly compactions: { readonly [L in CompactionLayer]: number };
  /** Tokens. */
  readonly freed: number;
  /** Of all that was read, from 0 to 1; null when nothing was. */
  readonly cache_read_share: number | null;
  /** Tokens that were read again for what broke the beginning of a prompt. */
  readonly cache_lost: { readonly [B in Break]: number };
  /** Null without a whole compaction. */
  readonly turns_per_compaction: number | null;
}

export function numbersOf({ turns, compactions, usage, inherited }: ContextTurns): ContextNumbers {
  const own = turns.slice(inherited.turns);
  const done = compactions.slice(inherited.compactions);
  const whole = done.filter(({ layer }) => WHOLE.has(layer)).length;
  const count = new Set(own.map(({ turn }) => turn)).size;
  const read = promptTokens(usage);
  return {
    turns: count,
    peak_tokens: Math.max(0, ...own.map(({ tokens }) => tokens ?? 0)),
    peak_share: Math.max(0, ...own.map(({ tokens, window }) => (tokens ?? 0) / window)),
    compactions: tallied(LAYERS, (layer) => done.filter((one) => one.layer === layer).length),
    freed: done.reduce((sum, { freed }) => sum + freed, 0),
    cache_read_share: read === 0 ? null : usage.cache_read_tokens / read,
    cache_lost: tallied(BREAKS, (broke) =>
      own.filter((one) => one.broke === broke).reduce((sum, { cache_lost }) => sum + cache_lost, 0),
    ),
    turns_per_compaction: whole === 0 ? null : count / whole,
  };
}

function tallied<K extends string>(names: readonly K[], count: (name: K) => number): { readonly [N in K]: number } {
  return Object.fromEntries(names.map((name) => [name, count(name)])) as { readonly [N in K]: number }; // each name has its entry
}

export function wholeCompactions({ compactions }: ContextNumbers): number {
  return compactions.auto + compactions.reactive;
}

export interface Baseline {
  /** Sessions that it rests on. */
  readonly sessions: number;
  /** Turns from one compaction to the next, the median. Null: too few sessions. */
  readonly turns_per_compaction: number | null;
}

/** B1. @param rates turns per compaction of sessions that were compacted */
export function baselineOf(rates: readonly number[]): Baseline {
  const enough = rates.length >= BASELINE_SESSIONS_MIN;
  return { sessions: rates.length, turns_per_compaction: enough ? median(rates) : null };
}

/** One sentence; null where there is nothing to be said. */
export function frequencyAlert(numbers: ContextNumbers, baseline: Baseline): string | null {
  const { turns_per_compaction: own } = numbers;
  const usual = baseline.turns_per_compaction;
  if (own === null || usual === null || wholeCompactions(numbers) < ALERT_COMPACTIONS_MIN) return null;
  if (own * FREQUENT_FACTOR >= usual) return null;
  return `compacted every ${rounded(own)} turns; earlier sessions went ${rounded(usual)} (median of ${baseline.sessions}): each turn brings in more than usual`;
}

function rounded(turns: number): string {
  return turns < 10 ? turns.toFixed(1).replace(/\.0$/, "") : turns.toFixed(0);
}

/** Of nothing 0. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low = 0, high = 0] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
}
