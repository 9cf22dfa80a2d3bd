/**
 * The worst case of a model call, in tokens. A token is at least one byte, so bytes bound tokens from above. What the
 * provider counted for the last answer is exact and replaces the bytes up to there; only the new suffix is bounded.
 */
import type { ContentPart, Message, Opaque } from "./content.ts";
import { MEMORY_BYTES_MAX, memoryTokensIn, RECALL_ORIGIN, RECALLED_BYTES_MAX, REMEMBER_TOOL } from "./memory.ts";
import { modelInUse } from "./model-in-use.ts";
import type { SessionState } from "./state.ts";
import { NO_USAGE, type Usage } from "./usage.ts";

/** What a provider adds to a prompt with tools by itself: its own words about them. Tokens. */
const PROVIDER_PROMPT_TOKENS = 1_000;

/** An image never counts more than this, whatever its size: providers scale it down. */
const IMAGE_TOKENS_MAX = 50_000;
/** Anthropic scales it down further. */
const ANTHROPIC_IMAGE_TOKENS_MAX = 5_000;

/** Structure around each part (roles, ids, types) in bytes. */
const PART_OVERHEAD_BYTES = 120;

export function worstCaseTokens(state: SessionState): number {
  return (state.counted?.tokens ?? fixedTokens(state)) + suffixBytes(state) + state.max_tokens;
}

function fixedTokens({ config }: SessionState): number {
  return (config?.versions.prompt_bytes ?? 0) + PROVIDER_PROMPT_TOKENS;
}

function suffixBytes(state: SessionState): number {
  const image = modelInUse(state).provider === "anthropic" ? ANTHROPIC_IMAGE_TOKENS_MAX : IMAGE_TOKENS_MAX;
  return state.messages
    .slice(state.counted?.messages ?? 0)
    .reduce((sum, message) => sum + messageBytes(message, image), 0);
}

/** A token of code or prose is about so many bytes. */
const BYTES_PER_TOKEN = 3;

/** What the next prompt is likely to have, and how much of it was sent before. Tokens; no bound. */
export function likelyTokens(state: SessionState): { readonly prompt: number; readonly cached: number } {
  const { tokens = 0, cleared } = state.counted ?? {};
  const counted = Math.max(0, tokens - (cleared?.freed ?? 0));
  const fresh = suffixBytes(state) + (state.counted === null ? fixedTokens(state) : 0);
  return { prompt: counted + Math.ceil(fresh / BYTES_PER_TOKEN), cached: Math.min(counted, cleared?.same ?? counted) };
}

/** What a part is likely to have. Tokens; no bound. */
export function partTokens(part: ContentPart): number {
  return Math.ceil(
    (PART_OVERHEAD_BYTES + partBytes(part, ANTHROPIC_IMAGE_TOKENS_MAX * BYTES_PER_TOKEN)) / BYTES_PER_TOKEN,
  );
}

/** What a text is likely to have. Tokens; no bound. */
export function textTokens(text: string): number {
  return bytesTokens(bytes(text));
}

export function bytesTokens(count: number): number {
  return Math.ceil(count / BYTES_PER_TOKEN);
}

/**
 * What a call of so many tokens costs at most is what the dearest of these costs: all of the answer used, all of the prompt
 * written to the cache, or read from it, or neither. Which of them is dearest differs by model.
 */
export function worstCaseUsages(tokens: number, max_tokens: number): readonly Usage[] {
  const prompt = Math.max(0, tokens - max_tokens);
  const answer = { ...NO_USAGE, output_tokens: max_tokens };
  return [
    { ...answer, cache_write_5m_tokens: prompt },
    { ...answer, input_tokens: prompt },
    { ...answer, cache_read_tokens: prompt },
  ];
}

/** @returns an upper bound of the tokens a message adds to a prompt. */
function messageBytes({ parts }: Message, image: number): number {
  return parts.reduce((sum, part) => sum + PART_OVERHEAD_BYTES + partBytes(part, image) + memoryBytes(part), 0);
}

/** What is put in for references to memories when the part is sent (`engine/memory/texts.ts`). */
function memoryBytes(part: ContentPart): number {
  const { from, by } = part.origin;
  if (part.type === "text" && from === RECALL_ORIGIN.from && by === RECALL_ORIGIN.by) return RECALLED_BYTES_MAX;
  if (part.type === "tool_use" && part.name === REMEMBER_TOOL)
    return MEMORY_BYTES_MAX * memoryTokensIn(JSON.stringify(part)).length;
  if (part.type !== "text" && part.type !== "thinking") return 0;
  if (from !== "model" && from !== "belay") return 0;
  return (
    MEMORY_BYTES_MAX *
    (memoryTokensIn(part.text).length +
      (part.opaque === undefined ? 0 : memoryTokensIn(JSON.stringify(part.opaque)).length))
  );
}

function partBytes(part: ContentPart, image: number): number {
  switch (part.type) {
    case "image":
      return image;
    case "text":
      return bytes(part.text) + opaqueBytes(part);
    case "thinking":
      return bytes(part.text) + part.signature.length + opaqueBytes(part);
    case "redacted_thinking":
      return part.data.length;
    case "tool_use":
      return bytes(part.name) + bytes(JSON.stringify(part.input)) + opaqueBytes(part);
    case "tool_result":
      return part.content.reduce((sum, item) => sum + partBytes(item, image), 0);
  }
}

/** What a provider wants back with a part may be all there is of it: reasoning that only it can read. */
function opaqueBytes({ opaque }: { readonly opaque?: Opaque }): number {
  return opaque === undefined ? 0 : bytes(JSON.stringify(opaque.data));
}

function bytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}
