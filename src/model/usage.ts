/** Usage as Anthropic reports it: first in `message_start`, then, cumulative, in `message_delta`. Never invented. */
import type { Usage } from "../kernel/usage.ts";
import { asRecord, tokensAt } from "./json-view.ts";

/** @returns null when the counts that money hangs on are missing. */
export function startUsage(usage: unknown): Usage | null {
  const input = tokensAt(usage, "input_tokens");
  if (asRecord(usage) === null || input === null) return null;
  const written = tokensAt(usage, "cache_creation_input_tokens") ?? 0;
  const fiveMinutes = tokensAt(usage, "cache_creation", "ephemeral_5m_input_tokens");
  const oneHour = tokensAt(usage, "cache_creation", "ephemeral_1h_input_tokens") ?? 0;
  return {
    input_tokens: input,
    cache_read_tokens: tokensAt(usage, "cache_read_input_tokens") ?? 0,
    cache_write_5m_tokens: fiveMinutes ?? Math.max(0, written - oneHour),
    cache_write_1h_tokens: oneHour,
    output_tokens: tokensAt(usage, "output_tokens") ?? 0,
  };
}

/** What `message_delta` says replaces what `message_start` said. @returns null without a count of the output. */
export function finalUsage(start: Usage, usage: unknown): Usage | null {
  const output = tokensAt(usage, "output_tokens");
  if (output === null) return null;
  const written = tokensAt(usage, "cache_creation_input_tokens");
  return {
    input_tokens: tokensAt(usage, "input_tokens") ?? start.input_tokens,
    cache_read_tokens: tokensAt(usage, "cache_read_input_tokens") ?? start.cache_read_tokens,
    // The delta has no split by life: what was written for an hour stays, the rest is for five minutes.
    cache_write_5m_tokens:
      written === null ? start.cache_write_5m_tokens : Math.max(0, written - start.cache_write_1h_tokens),
    cache_write_1h_tokens: start.cache_write_1h_tokens,
    output_tokens: output,
  };
}
