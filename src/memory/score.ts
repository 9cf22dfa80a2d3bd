/**
 * What a memory is worth now: rank × recency × use × confidence. Every factor is shown to who asks. Pure.
 *
 * V1: each factor is above 0, so that nothing but its own product keeps a memory back; all but `use` are at most 1.
 * V2: a recall moves `used_at` and `uses`: what is used stays, what nobody needs fades.
 */
import type { Memory, MemoryKind } from "../kernel/memory.ts";

const DAY_MS = 24 * 60 * 60_000;

/**
 * After so many days without use a memory counts half. A fact about a project (a name, a decision) is true for long; a way of working
 * follows the tools, which change faster; what failed is often mended by the next version of what failed.
 */
export const HALF_LIFE_DAYS: { readonly [K in MemoryKind]: number } = {
  semantic: 180,
  procedural: 90,
  anti_pattern: 60,
};

/** What many recalls are worth at most: else what was recalled often would come up for everything. */
export const USE_FACTOR_MAX = 2;
/** Confidence 0 is possible in what somebody imports; it still has an order. */
const CONFIDENCE_MIN = 0.01;

export interface Factors {
  /** Of the full-text search, the best of one answer 1. */
  readonly rank: number;
  readonly recency: number;
  readonly use: number;
  readonly confidence: number;
}

/** @param now milliseconds since the epoch; a clock that went back makes nothing newer than new */
export function recencyOf({ kind, used_at }: Pick<Memory, "kind" | "used_at">, now: number): number {
  const days = Math.max(0, now - used_at) / DAY_MS;
  return 0.5 ** (days / HALF_LIFE_DAYS[kind]);
}

export function useOf({ uses }: Pick<Memory, "uses">): number {
  return Math.min(USE_FACTOR_MAX, 1 + Math.log10(1 + Math.max(0, uses)) / 2);
}

export function factorsOf(memory: Memory, rank: number, now: number): Factors {
  return {
    rank,
    recency: recencyOf(memory, now),
    use: useOf(memory),
    confidence: Math.max(CONFIDENCE_MIN, memory.confidence),
  };
}

export function scoreOf({ rank, recency, use, confidence }: Factors): number {
  return rank * recency * use * confidence;
}

/** What it is worth whatever is asked: by this is kept and dropped. */
export function strengthOf(memory: Memory, now: number): number {
  return scoreOf(factorsOf(memory, 1, now));
}
