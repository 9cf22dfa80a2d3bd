/**
 * The worst case of a model call, in tokens. A token is at least one byte, so bytes bound tokens from above. What the
 * provider counted for the last answer is exact and replaces the bytes up to there; only the new suffix is bounded.
 */
import type { Message } from "./content.ts";
import type { SessionState } from "./state.ts";
import { NO_USAGE, type Usage } from "./usage.ts";

/** System prompt and tool schemas, in bytes: a test holds the real ones below this. */
export const FIXED_PROMPT_BYTES = 12_000;

/** An image never counts more than this, whatever its size (providers scale it down). */
const IMAGE_TOKENS_MAX = 2_000;

/** Structure around each part (roles, ids, types) in bytes. */
const PART_OVERHEAD_BYTES = 120;

export function worstCaseTokens(state: SessionState): number {
  const counted = state.counted ?? { messages: 0, tokens: FIXED_PROMPT_BYTES };
  const suffix = state.messages.slice(counted.messages).reduce((sum, message) => sum + messageBytes(message), 0);
  return counted.tokens + suffix + state.max_tokens;
}

/** What a call of so many tokens costs at most: all of the prompt written to the cache, all of the answer used. */
export function worstCaseUsage(tokens: number, max_tokens: number): Usage {
  return { ...NO_USAGE, cache_write_5m_tokens: Math.max(0, tokens - max_tokens), output_tokens: max_tokens };
}

/** @returns an upper bound of the tokens a message adds to a prompt. */
function messageBytes(message: Message): number {
  return message.parts.reduce((sum, part) => {
    if (part.type === "image") return sum + IMAGE_TOKENS_MAX;
    if (part.type === "text") return sum + bytes(part.text) + PART_OVERHEAD_BYTES;
    if (part.type === "thinking") return sum + bytes(part.text) + part.signature.length + PART_OVERHEAD_BYTES;
    if (part.type === "redacted_thinking") return sum + part.data.length + PART_OVERHEAD_BYTES;
    if (part.type === "tool_use") return sum + bytes(JSON.stringify(part.input)) + PART_OVERHEAD_BYTES;
    const content = part.content.reduce(
      (n, item) => n + (item.type === "text" ? bytes(item.text) : IMAGE_TOKENS_MAX),
      0,
    );
    return sum + content + PART_OVERHEAD_BYTES;
  }, 0);
}

function bytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}
