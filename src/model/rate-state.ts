/** What a response's headers say about the account's rate. */
import { duration } from "./duration.ts";
import type { RateState } from "./model.ts";

/** Lower-case header names. */
export type HeaderMap = { readonly [name: string]: string };

const SECONDS_MAX = 10_000_000_000;

/** @returns null when no header speaks of the rate. */
export function anthropicRate(headers: HeaderMap): RateState | null {
  const state: RateState = {
    requests_remaining: count(headers["anthropic-ratelimit-requests-remaining"]),
    input_tokens_remaining: count(
      headers["anthropic-ratelimit-input-tokens-remaining"] ?? headers["anthropic-ratelimit-tokens-remaining"],
    ),
    output_tokens_remaining: count(headers["anthropic-ratelimit-output-tokens-remaining"]),
    reset_at: nearestReset(headers),
  };
  return Object.values(state).every((value) => value === null) ? null : state;
}

/**
 * OpenAI counts tokens of input and output in one. Of several budgets for the same thing (`_usage_based`) the scarcer holds;
 * resets are durations from now.
 */
export function openaiRate(headers: HeaderMap, now: number): RateState | null {
  const names = Object.keys(headers).filter((name) => name.startsWith("x-ratelimit-") && applies(headers, name));
  const least = (what: string): number | null =>
    smallest(
      names.filter((name) => name.startsWith(`x-ratelimit-remaining-${what}`)).map((name) => count(headers[name])),
    );
  const resets = names.filter((name) => name.startsWith("x-ratelimit-reset-"));
  const wait = smallest(resets.map((name) => duration(headers[name] ?? "")));
  const state: RateState = {
    requests_remaining: least("requests"),
    input_tokens_remaining: least("tokens"),
    output_tokens_remaining: null,
    reset_at: wait === null ? null : now + Math.ceil(wait),
  };
  return Object.values(state).every((value) => value === null) ? null : state;
}

/** Azure sends limits of 0 and -1, and what would remain of them, for what has no limit. */
export function applies(headers: HeaderMap, name: string): boolean {
  const limit = headers[name.replace(/-(remaining|reset)-/, "-limit-")];
  return limit === undefined || Number(limit) > 0;
}

function smallest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** Of every `anthropic-ratelimit-…-reset` and `anthropic-priority-…-reset`. Milliseconds since the epoch. */
function nearestReset(headers: HeaderMap): number | null {
  const resets = Object.entries(headers).flatMap(([name, value]) => {
    const reset = /^anthropic-(ratelimit|priority)-.*reset$/.test(name) ? instant(value) : null;
    return reset === null ? [] : [reset];
  });
  return resets.length === 0 ? null : Math.min(...resets);
}

/** RFC 3339, or seconds since the epoch as the headers of subscriptions have it. */
export function instant(text: string): number | null {
  if (/^\d+(\.\d+)?$/.test(text.trim())) {
    const number = Number(text);
    return Math.round(number < SECONDS_MAX ? number * 1_000 : number);
  }
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? null : parsed;
}

/** Azure says -1 for "does not apply". */
function count(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text.trim()) ? Number(text) : null;
}

export function headerMap(headers: Headers): HeaderMap {
  return Object.fromEntries([...headers].map(([name, value]) => [name.toLowerCase(), value]));
}
