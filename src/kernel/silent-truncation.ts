/**
 * Whether a provider cut the input without a word. Pure. What a provider counted for a prefix it must count again, and more,
 * for a request that extends it; where it counts clearly fewer tokens, it did not read all that was sent.
 *
 * Only like is compared with like (N1): the same run (so the same prompt, tools and settings), the same provider, the same
 * model as the provider names it, and counts that came from the provider. A compaction drops the count it is compared with.
 * N2: thinking may be left out by a provider as the conversation goes on, so as much as it can have counted is allowed for.
 */
import type { Message } from "./content.ts";
import { canonicalJson } from "./json.ts";
import { modelInUse } from "./model-in-use.ts";
import type { SessionState } from "./state.ts";
import { promptTokens, type Usage } from "./usage.ts";

/** What a count may fall by of itself: providers round, and cache counts are taken in blocks. Share of the prefix. */
const SLACK = 0.1;

export function cutsInput(state: SessionState, answer: { readonly model: string; readonly usage: Usage }): boolean {
  const before = state.counted?.reported;
  if (before === undefined || state.counted === null) return false;
  const like =
    before.run === state.runs && before.provider === modelInUse(state).provider && before.model === answer.model;
  const read = promptTokens(answer.usage);
  // Zero is what a provider reports that counts nothing.
  if (!like || read === 0) return false;
  const thought = state.messages.slice(0, state.counted.messages).reduce((sum, one) => sum + thinkingBytes(one), 0);
  return read + thought < before.prompt * (1 - SLACK);
}

/** A token is at least one byte, of the text or of what it was encrypted to. */
function thinkingBytes(message: Message): number {
  if (message.role === "user") return 0;
  return message.parts.reduce((sum, part) => {
    if (part.type === "redacted_thinking") return sum + part.data.length;
    if (part.type !== "thinking") return sum;
    const opaque = part.opaque === undefined ? 0 : canonicalJson(part.opaque.data).length;
    return sum + Buffer.byteLength(part.text, "utf8") + part.signature.length + opaque;
  }, 0);
}
