/** Requests and options for tests of models. */
import type { Message, TextPart, ToolResultPart, ToolUsePart } from "../../../src/kernel/content.ts";
import { createIds, type ToolCallId } from "../../../src/kernel/ids.ts";
import type { JsonObject } from "../../../src/kernel/json.ts";
import type { ModelCallOptions, ModelDelta, ModelRequest, ToolSchema } from "../../../src/model/model.ts";
import type { Clock } from "../../../src/kernel/clock.ts";

export const READ_TOOL: ToolSchema = {
  name: "read",
  description: "Reads a file.",
  input: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
};
export const WRITE_TOOL: ToolSchema = { ...READ_TOOL, name: "write", description: "Writes a file." };

export const text = (words: string): TextPart => ({ type: "text", text: words, origin: { from: "user" } });
export const user = (...parts: (TextPart | ToolResultPart)[]): Message => ({ role: "user", parts });

export function toolUse(provider_id: string, name = "read", input: JsonObject = { path: "a" }): ToolUsePart {
  return { type: "tool_use", call: callId(provider_id), provider_id, name, input, origin: { from: "model" } };
}

export function toolResult(provider_id: string, words: string, is_error = false): ToolResultPart {
  const content = words === "" ? [] : [text(words)];
  return { type: "tool_result", call: callId(provider_id), provider_id, is_error, content, origin: { from: "tool" } };
}

export function request(changes: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: "claude-sonnet-4-5",
    system: "You are careful.",
    tools: [READ_TOOL],
    messages: [user(text("read a"))],
    thinking_from: 0,
    max_tokens: 4_096,
    thinking_tokens: null,
    ...changes,
  };
}

export interface Listening extends ModelCallOptions {
  readonly deltas: ModelDelta[];
}

/** Options whose deltas are kept. */
export function listening(
  signal: AbortSignal = new AbortController().signal,
  onDelta: (delta: ModelDelta) => void = () => {},
): Listening {
  const deltas: ModelDelta[] = [];
  let byte = 0;
  const ids = createIds(
    () => 1_750_000_000_000,
    (n) => new Uint8Array(n).fill(byte++),
  );
  return {
    signal,
    deltas,
    toolCallId: () => ids.toolCall(),
    onDelta: (delta) => {
      deltas.push(delta);
      onDelta(delta);
    },
  };
}

/** The machine's clock: for what really crosses a socket. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done, { once: true });
    }),
};

function callId(provider_id: string): ToolCallId {
  return `call_${provider_id}` as ToolCallId; // a test's own id, of the right shape
}
