/** Usage as the AI SDK reports it, where the total includes what came from and went into the cache. Never invented. */
import type { LanguageModelV4Usage } from "@ai-sdk/provider";
import type { Usage } from "../../kernel/usage.ts";
import { tokensAt } from "../json-view.ts";

/** @returns null when the counts that money hangs on are missing */
export function usageOf(usage: LanguageModelV4Usage): Usage | null {
  const total = tokensAt(usage, "inputTokens", "total");
  const output = tokensAt(usage, "outputTokens", "total");
  const read = tokensAt(usage, "inputTokens", "cacheRead") ?? 0;
  const written = tokensAt(usage, "inputTokens", "cacheWrite") ?? 0;
  const fresh =
    tokensAt(usage, "inputTokens", "noCache") ?? (total === null ? null : Math.max(0, total - read - written));
  if (fresh === null || output === null) return null;
  return {
    input_tokens: fresh,
    cache_read_tokens: read,
    // The interface does not say for how long it was written; five minutes is what providers do unless asked.
    cache_write_5m_tokens: written,
    cache_write_1h_tokens: 0,
    output_tokens: output,
  };
}
