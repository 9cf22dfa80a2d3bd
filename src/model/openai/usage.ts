/**
 * Usage as OpenAI reports it, at the end of an answer: `input_tokens` is all that was read, what came from the cache and went
 * into it included; reasoning is within `output_tokens`. Never invented.
 */
import type { Usage } from "../../kernel/usage.ts";
import { tokensAt } from "../json-view.ts";

/** @returns null when the counts that money hangs on are missing. */
export function openaiUsage(usage: unknown): Usage | null {
  const total = tokensAt(usage, "input_tokens");
  const output = tokensAt(usage, "output_tokens");
  if (total === null || output === null) return null;
  const details = (name: string): number => tokensAt(usage, "input_tokens_details", name) ?? 0;
  // Clamped one after the other, so that the four counts add up to the total whatever is reported.
  const read = Math.min(details("cached_tokens"), total);
  const written = Math.min(details("cache_write_tokens"), total - read);
  const long = Math.min(
    tokensAt(usage, "input_tokens_details", "cache_write_tokens_details", "ttl_12h_tokens") ?? 0,
    written,
  );
  return {
    input_tokens: total - read - written,
    cache_read_tokens: read,
    // The provider's two lives are half an hour and half a day: the shorter one and the longer one.
    cache_write_5m_tokens: written - long,
    cache_write_1h_tokens: long,
    output_tokens: output,
  };
}
