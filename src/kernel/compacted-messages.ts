/** What a compaction makes of the messages. Used by the fold; pure. */
import { type Message, type PlainPart, textPart, type ToolResultPart } from "./content.ts";
import { isUntrusted } from "./label.ts";
import type { ToolCallId } from "./ids.ts";
import type { SessionState } from "./state.ts";

interface Receipt {
  readonly call: ToolCallId;
  readonly receipt: string;
}

/** Puts a line in the place of each result. What strangers wrote is gone with it; that it was read stays in the session's label. */
export function clearResults(
  state: SessionState,
  cleared: readonly Receipt[],
  { freed, same }: { readonly freed: number; readonly same: number },
): SessionState {
  if (cleared.length === 0) return state;
  const receipts = new Map(cleared.map(({ call, receipt }) => [call, receipt]));
  const messages = state.messages.map((message) => withReceipts(message, receipts));
  const bytes = cleared.reduce((sum, { receipt }) => sum + Buffer.byteLength(receipt), 0);
  if (state.counted === null) return { ...state, messages };
  const { messages: counted, tokens, cleared: before } = state.counted;
  // The sum of what was counted and of the bytes that were put in bounds the prompt from above, as before.
  return {
    ...state,
    messages,
    counted: {
      messages: counted,
      tokens: tokens + bytes,
      cleared: { freed: (before?.freed ?? 0) + freed + bytes, same: Math.min(same, before?.same ?? same) },
    },
  };
}

function withReceipts(message: Message, receipts: ReadonlyMap<ToolCallId, string>): Message {
  if (message.role === "assistant") return message;
  if (!message.parts.some((part) => part.type === "tool_result" && receipts.has(part.call))) return message;
  return {
    ...message,
    parts: message.parts.map((part) => {
      const receipt = part.type === "tool_result" ? receipts.get(part.call) : undefined;
      return receipt === undefined || part.type !== "tool_result" ? part : withReceipt(part, receipt);
    }),
  };
}

function withReceipt(part: ToolResultPart, receipt: string): ToolResultPart {
  // A receipt may hold the beginning and the end of what strangers wrote, and what was secret.
  const untrusted = part.content.some(({ origin }) => isUntrusted(origin));
  const secret = part.content.some(({ origin }) => origin.secret === true);
  const origin = {
    from: "belay",
    by: "receipt",
    ...(untrusted ? { untrusted } : {}),
    ...(secret ? { secret } : {}),
  } as const;
  return { ...part, content: [textPart(receipt, origin)] };
}

/**
 * The conversation begins with `head`, followed by its last `kept` messages. These begin with an answer of the model, so that
 * roles alternate and every result follows its call.
 */
export function startAnew(state: SessionState, head: readonly PlainPart[], kept: number): SessionState {
  const tail = kept === 0 ? [] : state.messages.slice(-kept);
  const first: Message = { role: "user", parts: head };
  const messages = tail[0]?.role === "assistant" ? [first, ...tail] : joined(first, tail);
  const dropped = state.messages.length - tail.length - 1;
  return {
    ...state,
    messages,
    counted: null,
    thinking_from: Math.max(0, Math.min(messages.length, state.thinking_from - dropped)),
  };
}

function joined(first: Message, [second, ...rest]: readonly Message[]): readonly Message[] {
  if (second?.role !== "user" || first.role !== "user") return [first];
  return [{ role: "user", parts: [...first.parts, ...second.parts] }, ...rest];
}
