/** A turn of a scenario as Anthropic's message: whole, and as the events of a stream. */
import { parseJson } from "../../../model/json-view.ts";
import { type Answer, chunks, event as streamEvent, type StreamEvent } from "../dialect.ts";
import { signatureOf } from "./wire.ts";

type Block = { readonly [key: string]: unknown; readonly type: string };

export function wholeMessage(answer: Answer): object {
  return {
    ...envelope(answer),
    content: contentBlocks(answer),
    stop_reason: stopReason(answer),
    stop_sequence: null,
    ...(answer.usage && { usage: { ...startUsage(answer), output_tokens: answer.usage.output } }),
  };
}

export function messageEvents(answer: Answer): readonly StreamEvent[] {
  const { usage } = answer;
  return [
    event("message_start", {
      message: {
        ...envelope(answer),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        ...(usage && { usage: { ...startUsage(answer), output_tokens: 1 } }),
      },
    }),
    event("ping", {}),
    ...contentBlocks(answer).flatMap((block, index) => blockEvents(answer, block, index)),
    event("message_delta", {
      delta: { stop_reason: stopReason(answer), stop_sequence: null },
      ...(usage && { usage: { output_tokens: usage.output } }),
    }),
    event("message_stop", {}, { part: "end" }),
  ];
}

export function event(name: string, data: object, more: Partial<StreamEvent> = {}): StreamEvent {
  return { ...streamEvent(name, { type: name, ...data }), ...more };
}

function envelope({ id, model }: Answer): object {
  return { id: `msg_${id}`, type: "message", role: "assistant", model };
}

function stopReason({ said }: Answer): string {
  return said.stop === "content_filter" ? "refusal" : said.stop;
}

function contentBlocks({ said, id }: Answer): readonly Block[] {
  const blocks: Block[] = [];
  if (said.think !== null) blocks.push({ type: "thinking", thinking: said.think, signature: signatureOf(said.think) });
  if (said.redacted !== null) blocks.push({ type: "redacted_thinking", data: said.redacted });
  if (said.text !== null) blocks.push({ type: "text", text: said.text });
  for (const [index, { tool, json }] of said.calls.entries()) {
    // An input that was cut is no JSON: a whole message shows it as empty.
    blocks.push({ type: "tool_use", id: `toolu_${id}_${index + 1}`, name: tool, input: parseJson(json) ?? {} });
  }
  return blocks;
}

function blockEvents(answer: Answer, block: Block, index: number): readonly StreamEvent[] {
  const chunk = answer.turn.chunk_chars;
  const delta = (data: object, part: StreamEvent["part"] = "other", text?: string): StreamEvent =>
    event("content_block_delta", { index, delta: data }, { part, ...(text !== undefined && { delta: text }) });
  const start = (content_block: object): StreamEvent => event("content_block_start", { index, content_block });
  const stop = event("content_block_stop", { index });
  switch (block.type) {
    case "text":
      return [
        start({ type: "text", text: "" }),
        ...chunks(String(block["text"]), chunk).map((text) => delta({ type: "text_delta", text }, "text", text)),
        stop,
      ];
    case "thinking":
      return [
        start({ type: "thinking", thinking: "", signature: "" }),
        ...chunks(String(block["thinking"]), chunk).map((thinking) =>
          delta({ type: "thinking_delta", thinking }, "thinking", thinking),
        ),
        delta({ type: "signature_delta", signature: block["signature"] }),
        stop,
      ];
    case "tool_use": {
      const json = answer.said.calls[Number(String(block["id"]).split("_").at(-1)) - 1]?.json ?? "{}";
      return [
        start({ ...block, input: {} }),
        delta({ type: "input_json_delta", partial_json: "" }),
        ...chunks(json, chunk).map((partial_json) =>
          delta({ type: "input_json_delta", partial_json }, "json", partial_json),
        ),
        stop,
      ];
    }
    default:
      return [start(block), stop];
  }
}

function startUsage({ usage }: Answer): object {
  if (usage === null) return {};
  return {
    input_tokens: usage.input,
    cache_read_input_tokens: usage.read,
    cache_creation_input_tokens: usage.write5m + usage.write1h,
    cache_creation: { ephemeral_5m_input_tokens: usage.write5m, ephemeral_1h_input_tokens: usage.write1h },
    service_tier: "standard",
  };
}
