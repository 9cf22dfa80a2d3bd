/**
 * What calls of an account usually take: reserving all of `max_tokens` would leave most of the output rate unused, and
 * reserving a prompt of which most is read from the cache most of the input rate.
 */
import { promptTokens, type Usage } from "../../kernel/usage.ts";

/** The newest that are remembered. */
const SAMPLES_MAX = 32;
/** With fewer, twice the largest is reserved instead of the quantile. */
const SAMPLES_ENOUGH = 8;
/** So many of ten calls take less than what is reserved; the rest is settled afterwards. */
const QUANTILE = 0.9;
/** An estimate is not raised further than this by what was counted. */
const SHARE_MAX = 2;
/** Weight of the newest duration. */
const NEWEST = 0.2;

export interface Learned {
  /** Tokens. */
  readonly outputs: readonly number[];
  /** What was counted of a token that had been estimated. */
  readonly shares: readonly number[];
  /** Milliseconds; null before the first answer. */
  readonly duration_ms: number | null;
}

export const NOTHING_LEARNED: Learned = { outputs: [], shares: [], duration_ms: null };

export interface Estimate {
  readonly input_tokens: number;
  readonly output_tokens: number;
}

/** What to reserve for a call. */
export function likely({ outputs, shares }: Learned, { input_tokens, output_tokens }: Estimate): Estimate {
  return {
    input_tokens: Math.ceil(input_tokens * (shares.length === 0 ? 1 : quantile(shares))),
    output_tokens: Math.min(output_tokens, usualOutput(outputs)),
  };
}

function usualOutput(outputs: readonly number[]): number {
  if (outputs.length === 0) return Number.POSITIVE_INFINITY;
  return outputs.length < SAMPLES_ENOUGH ? 2 * Math.max(...outputs) : quantile(outputs);
}

export interface Answered extends Estimate {
  /** What had been estimated for the prompt. */
  readonly estimated: number;
  readonly duration_ms: number;
}

export function learn(before: Learned, { input_tokens, output_tokens, estimated, duration_ms }: Answered): Learned {
  const share = estimated <= 0 ? null : Math.min(SHARE_MAX, input_tokens / estimated);
  return {
    outputs: [...before.outputs, output_tokens].slice(-SAMPLES_MAX),
    shares: share === null ? before.shares : [...before.shares, round(share)].slice(-SAMPLES_MAX),
    duration_ms: Math.round(
      before.duration_ms === null ? duration_ms : before.duration_ms * (1 - NEWEST) + duration_ms * NEWEST,
    ),
  };
}

/** Of a prompt that is likely so large, and likely in the cache so far: what is likely counted. */
export function countedAhead(provider: string, input_tokens: number, cached_tokens: number): number {
  return leavesCacheOut(provider) ? Math.max(0, input_tokens - cached_tokens) : input_tokens;
}

/** What a provider counts against its rate. */
export function counted(provider: string, usage: Usage): Estimate {
  const read = promptTokens(usage);
  const free = leavesCacheOut(provider) ? usage.cache_read_tokens : 0;
  return { input_tokens: read - free, output_tokens: usage.output_tokens };
}

/** Anthropic does not count what is read from the cache. */
function leavesCacheOut(provider: string): boolean {
  return provider === "anthropic";
}

function quantile(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * QUANTILE))] ?? 0;
}

function round(share: number): number {
  return Math.round(share * 1_000) / 1_000;
}
