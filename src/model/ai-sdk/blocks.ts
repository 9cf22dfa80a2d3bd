/** The content of an answer while it arrives: text, reasoning and calls, in the order in which they began. */
import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { ModelPart, Opaque, Origin } from "../../kernel/content.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { type AnswerFault, protocolFault } from "../answer-builder.ts";
import { asRecord, at, parseJson, textAt } from "../json-view.ts";
import type { ModelCallOptions } from "../model.ts";

interface TextBlock {
  readonly type: "text" | "reasoning";
  text: string;
  metadata: JsonObject | null;
}
interface CallBlock {
  readonly type: "call";
  readonly id: string;
  readonly name: string;
  readonly input: string;
  readonly metadata: JsonObject | null;
}
export type Block = TextBlock | CallBlock;

type PartOf<Type extends LanguageModelV4StreamPart["type"]> = Extract<
  LanguageModelV4StreamPart,
  { readonly type: Type }
>;

export interface Blocks {
  /** Takes a part; those that are no content are skipped. @returns what is against the protocol in it, or null */
  take(part: LanguageModelV4StreamPart): AnswerFault | null;
  inOrder(): readonly Block[];
  /** The name of a call that began and never came whole. */
  unfinishedCall(): string | undefined;
  /** All text so far. */
  text(): string;
}

export function collectBlocks(onDelta: ModelCallOptions["onDelta"]): Blocks {
  const blocks: Block[] = [];
  const open = new Map<string, TextBlock>();
  const calls = collectCalls(blocks, onDelta);

  const start = (type: TextBlock["type"], part: PartOf<"text-start" | "reasoning-start">): null => {
    const block: TextBlock = { type, text: "", metadata: metadataOf(part) };
    open.set(`${type}:${part.id}`, block);
    blocks.push(block);
    return null;
  };
  const grow = (type: TextBlock["type"], part: PartOf<"text-delta" | "reasoning-delta">): AnswerFault | null => {
    const block = open.get(`${type}:${part.id}`);
    if (block === undefined) return protocolFault(`A ${type} delta came for a block that is not open.`);
    block.text += part.delta;
    block.metadata = metadataOf(part) ?? block.metadata;
    if (part.delta !== "") onDelta({ type: type === "text" ? "text" : "thinking", text: part.delta });
    return null;
  };
  const close = (type: TextBlock["type"], part: PartOf<"text-end" | "reasoning-end">): AnswerFault | null => {
    const key = `${type}:${part.id}`;
    const block = open.get(key);
    if (block === undefined) return protocolFault(`A ${type} block ended that was not open.`);
    block.metadata = metadataOf(part) ?? block.metadata;
    open.delete(key);
    return null;
  };
  return {
    take: (part) => {
      switch (part.type) {
        case "text-start":
          return start("text", part);
        case "text-delta":
          return grow("text", part);
        case "text-end":
          return close("text", part);
        case "reasoning-start":
          return start("reasoning", part);
        case "reasoning-delta":
          return grow("reasoning", part);
        case "reasoning-end":
          return close("reasoning", part);
        case "tool-input-start":
          return calls.begin(part);
        case "tool-input-delta":
          return calls.input(part);
        case "tool-call":
          return calls.call(part);
        case "raw":
          return calls.hear(part.rawValue);
        default:
          return null;
      }
    },
    inOrder: () => blocks,
    unfinishedCall: calls.unfinished,
    text: () => blocks.flatMap((block) => (block.type === "text" ? [block.text] : [])).join(""),
  };
}

interface Calls {
  begin(part: PartOf<"tool-input-start">): null;
  input(part: PartOf<"tool-input-delta">): null;
  call(part: PartOf<"tool-call">): AnswerFault | null;
  /** A chunk of Chat Completions as it came. */
  hear(chunk: unknown): null;
  unfinished(): string | undefined;
}

function collectCalls(blocks: Block[], onDelta: ModelCallOptions["onDelta"]): Calls {
  const begun = new Map<string, string>();
  const wireIds = new Set<string>();
  const callBefore = (same: (call: CallBlock) => boolean): CallBlock | undefined =>
    blocks.find((block) => block.type === "call" && same(block)) as CallBlock | undefined; // its type was just looked at
  /** The package gives a call that comes a second time an id of its own, which never was on the wire. */
  const isEcho = ({ toolCallId, toolName, input }: PartOf<"tool-call">): boolean =>
    wireIds.size > 0 &&
    !wireIds.has(toolCallId) &&
    callBefore((one) => one.name === toolName && one.input === input && wireIds.has(one.id)) !== undefined;

  return {
    begin: (part) => {
      if (part.providerExecuted === true) return null;
      begun.set(part.id, part.toolName);
      onDelta({ type: "tool_use", name: part.toolName });
      return null;
    },
    input: ({ id, delta }) => {
      if (begun.has(id) && delta !== "") onDelta({ type: "tool_input", json: delta });
      return null;
    },
    call: (part) => {
      const { toolCallId: id, toolName: name, input } = part;
      const announced = begun.delete(id);
      if (part.providerExecuted === true || isEcho(part)) return null;
      if (id === "" || name === "") return protocolFault("A tool call came without an id or a name.");
      const same = callBefore((one) => one.id === id);
      if (same !== undefined) {
        // An event that came twice is no second call.
        const again = same.name === name && same.input === input;
        return again ? null : protocolFault(`Two different tool calls came with the id ${id}.`);
      }
      if (!announced) {
        // A provider that sends calls whole.
        onDelta({ type: "tool_use", name });
        onDelta({ type: "tool_input", json: input });
      }
      blocks.push({ type: "call", id, name, input, metadata: metadataOf(part) });
      return null;
    },
    hear: (chunk) => {
      const calls = at(chunk, "choices", 0, "delta", "tool_calls");
      for (const call of Array.isArray(calls) ? calls : []) {
        const id = textAt(call, "id");
        if (id !== null) wireIds.add(id);
      }
      return null;
    },
    unfinished: () => begun.values().next().value,
  };
}

export interface PartContext {
  readonly provider: string;
  readonly origin: Origin;
  readonly toolCallId: ModelCallOptions["toolCallId"];
}

/** @returns null for a block that says nothing and that nobody wants back */
export function partOf(block: Block, { origin, provider, toolCallId }: PartContext): ModelPart | "truncated" | null {
  const opaque: { readonly opaque?: Opaque } =
    block.metadata === null ? {} : { opaque: { provider, data: block.metadata } };
  switch (block.type) {
    case "text":
      return block.text === "" && block.metadata === null
        ? null
        : { type: "text", text: block.text, origin, ...opaque };
    case "reasoning": {
      if (block.text === "" && block.metadata === null) return null;
      // Whose thinking it is has to be known when it goes back, so `opaque` is there even where nothing is in it.
      const data = block.metadata ?? {};
      return { type: "thinking", text: block.text, signature: "", origin, opaque: { provider, data } };
    }
    case "call": {
      const input = inputOf(block.input);
      if (input === null) return "truncated";
      return {
        type: "tool_use",
        call: toolCallId(),
        provider_id: block.id,
        name: block.name,
        input,
        origin,
        ...opaque,
      };
    }
  }
}

/** A call without arguments sends no JSON at all. */
function inputOf(text: string): JsonObject | null {
  // It came out of JSON.parse, so its values are JSON.
  return (text.trim() === "" ? {} : asRecord(parseJson(text))) as JsonObject | null;
}

/** As JSON: what is undefined in it is left out, so that a journal can hold it. */
function metadataOf({ providerMetadata }: { readonly providerMetadata?: unknown }): JsonObject | null {
  if (asRecord(providerMetadata) === null) return null;
  // It came out of JSON.parse, so its values are JSON.
  const data = JSON.parse(JSON.stringify(providerMetadata)) as JsonObject;
  return Object.values(data).some((value) => Object.keys(asRecord(value) ?? {}).length > 0) ? data : null;
}
