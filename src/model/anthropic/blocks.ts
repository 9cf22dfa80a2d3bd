/**
 * The content blocks of one answer while they arrive: opened, extended and closed in the provider's order. What a block
 * turns into in the end is said here, too.
 *
 * C1: unknown blocks and deltas are skipped; a delta for a block of another kind is against the protocol.
 * C2: a tool input is the parsed JSON of an object, or the block is `truncated`.
 */
import type { ModelPart, Origin } from "../../kernel/content.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { asRecord, at, countAt, parseJson, textAt } from "../json-view.ts";
import type { ModelCallOptions } from "../model.ts";

export interface Block {
  readonly type: "text" | "thinking" | "redacted_thinking" | "tool_use" | "skipped";
  /** Text, thinking, redacted data, or a tool input's JSON. */
  text: string;
  signature: string;
  readonly id: string;
  readonly name: string;
  /** Input that came whole with the block's start. */
  readonly input: unknown;
  closed: boolean;
}

/** Each takes an event and returns what is against the protocol in it, or null. */
export interface Blocks {
  start(event: unknown): string | null;
  delta(event: unknown): string | null;
  stop(event: unknown): string | null;
  inOrder(): readonly Block[];
  /** All text so far. */
  text(): string;
}

type OnDelta = ModelCallOptions["onDelta"];

export function collectBlocks(onDelta: OnDelta): Blocks {
  const blocks = new Map<number, Block>();
  const inOrder = (): readonly Block[] => [...blocks].sort(([a], [b]) => a - b).map(([, block]) => block);
  const openAt = (event: unknown): Block | null => {
    const block = blocks.get(countAt(event, "index") ?? -1);
    return block === undefined || block.closed ? null : block;
  };
  return {
    inOrder,
    start: (event) => {
      const index = countAt(event, "index");
      if (index === null || blocks.has(index)) return "A content block began out of order.";
      const block = openBlock(at(event, "content_block"));
      if (block.type === "tool_use" && (block.id === "" || block.name === "")) {
        return "A tool call came without an id or a name.";
      }
      blocks.set(index, block);
      if (block.type === "tool_use") onDelta({ type: "tool_use", name: block.name });
      else if ((block.type === "text" || block.type === "thinking") && block.text !== "") {
        onDelta({ type: block.type, text: block.text });
      }
      return null;
    },
    delta: (event) => {
      const block = openAt(event);
      if (block === null) return "A delta came for a content block that is not open.";
      return extend(block, at(event, "delta"), onDelta);
    },
    stop: (event) => {
      const block = openAt(event);
      if (block === null) return "A content block ended that was not open.";
      block.closed = true;
      return null;
    },
    text: () =>
      inOrder()
        .flatMap((block) => (block.type === "text" ? [block.text] : []))
        .join(""),
  };
}

/** @returns null for a block that is nothing to us. */
export function partOf(
  block: Block,
  origin: Origin,
  toolCallId: ModelCallOptions["toolCallId"],
): ModelPart | "truncated" | null {
  switch (block.type) {
    case "text":
      return block.text === "" ? null : { type: "text", text: block.text, origin };
    case "thinking":
      return { type: "thinking", text: block.text, signature: block.signature, origin };
    case "redacted_thinking":
      return { type: "redacted_thinking", data: block.text, origin };
    case "tool_use": {
      const input = inputOf(block);
      if (input === null) return "truncated";
      return { type: "tool_use", call: toolCallId(), provider_id: block.id, name: block.name, input, origin };
    }
    case "skipped":
      return null;
  }
}

/** C2. A call without arguments sends no JSON at all. */
function inputOf(block: Block): JsonObject | null {
  const input = block.text.trim() === "" ? asRecord(block.input ?? {}) : asRecord(parseJson(block.text));
  // It came out of JSON.parse, of this block or of the whole event, so its values are JSON.
  return input as JsonObject | null;
}

function openBlock(block: unknown): Block {
  const base = { text: "", signature: "", id: "", name: "", input: null, closed: false };
  switch (textAt(block, "type")) {
    case "text":
      return { ...base, type: "text", text: textAt(block, "text") ?? "" };
    case "thinking":
      return {
        ...base,
        type: "thinking",
        text: textAt(block, "thinking") ?? "",
        signature: textAt(block, "signature") ?? "",
      };
    case "redacted_thinking":
      return { ...base, type: "redacted_thinking", text: textAt(block, "data") ?? "" };
    case "tool_use":
      return {
        ...base,
        type: "tool_use",
        id: textAt(block, "id") ?? "",
        name: textAt(block, "name") ?? "",
        input: at(block, "input"),
      };
    default:
      return { ...base, type: "skipped" };
  }
}

function extend(block: Block, delta: unknown, onDelta: OnDelta): string | null {
  const kind = textAt(delta, "type");
  if (block.type === "skipped") return null;
  if (kind === "text_delta" && block.type === "text") {
    const text = textAt(delta, "text") ?? "";
    block.text += text;
    onDelta({ type: "text", text });
  } else if (kind === "thinking_delta" && block.type === "thinking") {
    const text = textAt(delta, "thinking") ?? "";
    block.text += text;
    onDelta({ type: "thinking", text });
  } else if (kind === "signature_delta" && block.type === "thinking") {
    block.signature += textAt(delta, "signature") ?? "";
  } else if (kind === "input_json_delta" && block.type === "tool_use") {
    const json = textAt(delta, "partial_json") ?? "";
    block.text += json;
    if (json !== "") onDelta({ type: "tool_input", json });
  } else if (kind === "text_delta" || kind === "thinking_delta" || kind === "input_json_delta") {
    return `A ${kind} came for a block of another kind.`;
  }
  return null;
}
