/**
 * The output items of one answer while they arrive: added, extended by deltas, done. What an item turns into in the end is said
 * here, too.
 *
 * I1: a part is made from the item as it is when it is done; an item that never is, has the text of its deltas and no calls.
 * I2: unknown items and deltas are skipped.
 */
import type { ModelPart, Origin, TextPart } from "../../kernel/content.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { type JsonRecord, asRecord, at, countAt, parseJson, textAt } from "../json-view.ts";
import type { ModelCallOptions, ModelDelta } from "../model.ts";
import { PROVIDER } from "./answer-items.ts";

/** Between two paragraphs of a summary, which come as parts of their own. */
const PARAGRAPH = "\n\n";

export interface Item {
  readonly type: string;
  readonly name: string;
  /** Text of the deltas, of messages alone. */
  text: string;
  /** The item as it is when it is done; null until then. */
  done: JsonRecord | null;
}

export interface Items {
  knows(type: string): boolean;
  /** Takes an event. @returns what is against the protocol in it, or null. */
  take(type: string, event: unknown): string | null;
  inOrder(): readonly Item[];
  /** All text so far. */
  text(): string;
}

export function collectItems(onDelta: ModelCallOptions["onDelta"]): Items {
  const items = new Map<number, Item>();
  const inOrder = (): readonly Item[] => [...items].sort(([a], [b]) => a - b).map(([, item]) => item);
  const open = (event: unknown): Item | null => {
    const item = items.get(countAt(event, "output_index") ?? -1);
    return item === undefined || item.done !== null ? null : item;
  };
  /** A delta for an open item of a type. */
  const delta =
    (of: string, hear: (text: string) => ModelDelta) =>
    (event: unknown): string | null => {
      const item = open(event);
      if (item === null || item.type !== of) return `A delta came for an item that is no open ${of}.`;
      const text = textAt(event, "delta") ?? "";
      if (of === "message") item.text += text;
      if (text !== "") onDelta(hear(text));
      return null;
    };
  const handlers: { readonly [type: string]: (event: unknown) => string | null } = {
    "response.output_item.added": (event) => {
      const index = countAt(event, "output_index");
      if (index === null || items.has(index)) return "An item began out of order.";
      const item = openItem(at(event, "item"));
      if (isCall(item) && (item.name === "" || textAt(event, "item", "call_id") === null)) {
        return "A tool call came without an id or a name.";
      }
      items.set(index, item);
      if (isCall(item)) onDelta({ type: "tool_use", name: item.name });
      return null;
    },
    "response.output_text.delta": delta("message", (text) => ({ type: "text", text })),
    "response.refusal.delta": delta("message", (text) => ({ type: "text", text })),
    "response.reasoning_summary_text.delta": delta("reasoning", (text) => ({ type: "thinking", text })),
    "response.reasoning_text.delta": delta("reasoning", (text) => ({ type: "thinking", text })),
    "response.function_call_arguments.delta": delta("function_call", (json) => ({ type: "tool_input", json })),
    "response.reasoning_summary_part.added": (event) => {
      if ((countAt(event, "summary_index") ?? 0) > 0) onDelta({ type: "thinking", text: PARAGRAPH });
      return null;
    },
    "response.output_item.done": (event) => {
      const item = open(event);
      const done = asRecord(at(event, "item"));
      if (item === null || done === null || textAt(done, "type") !== item.type)
        return "An item ended that was not open.";
      item.done = done;
      return null;
    },
  };
  return {
    inOrder,
    knows: (type) => Object.hasOwn(handlers, type),
    take: (type, event) => (Object.hasOwn(handlers, type) ? (handlers[type]?.(event) ?? null) : null),
    text: () =>
      inOrder()
        .map((item) => item.text)
        .join(""),
  };
}

export function isCall(item: Item): boolean {
  return item.type === "function_call";
}

export function isRefusal({ done }: Item): boolean {
  return contents(done).some((content) => textAt(content, "type") === "refusal");
}

/** @returns the name of a call whose input is no whole JSON, where there is one */
export function partsOf(
  items: readonly Item[],
  origin: Origin,
  toolCallId: ModelCallOptions["toolCallId"],
): readonly ModelPart[] | { readonly truncated: string } {
  const parts: ModelPart[] = [];
  for (const item of items) {
    if (item.type === "message") parts.push(...textParts(item, origin));
    else if (item.type === "reasoning" && item.done !== null) parts.push(thinkingPart(item.done, origin));
    else if (isCall(item)) {
      const input = inputOf(item);
      if (input === null) return { truncated: item.name };
      const provider_id = textAt(item.done, "call_id") ?? "";
      const kept = opaqueOf({ id: textAt(item.done, "id") });
      parts.push({ type: "tool_use", call: toolCallId(), provider_id, name: item.name, input, origin, ...kept });
    }
  }
  return parts;
}

/** The whole item is kept: the encrypted reasoning is checked, and with it the id it came with. */
function thinkingPart(done: JsonRecord, origin: Origin): ModelPart {
  const paragraphs = [...list(at(done, "summary")), ...list(at(done, "content"))];
  const text = paragraphs.map((paragraph) => textAt(paragraph, "text") ?? "").join(PARAGRAPH);
  // It came out of JSON.parse, so its values are JSON.
  return { type: "thinking", text, signature: "", origin, opaque: { provider: PROVIDER, data: done as JsonObject } };
}

function textParts(item: Item, origin: Origin): readonly TextPart[] {
  // I1: an item that was cut has no id to go back with.
  if (item.done === null) return item.text === "" ? [] : [{ type: "text", text: item.text, origin }];
  const { done } = item;
  const facts = { id: textAt(done, "id"), phase: textAt(done, "phase") };
  return contents(done).flatMap((content): TextPart[] => {
    const refusal = textAt(content, "type") === "refusal";
    const text = textAt(content, refusal ? "refusal" : "text") ?? "";
    if (text === "") return [];
    return [{ type: "text", text, origin, ...opaqueOf(refusal ? { ...facts, refusal } : facts) }];
  });
}

function opaqueOf(facts: { readonly [name: string]: string | boolean | null }): Pick<TextPart, "opaque"> {
  const data = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null));
  return data["id"] === undefined ? {} : { opaque: { provider: PROVIDER, data } };
}

/** A3. A call that is not completed has lost the end of its input, however whole it looks. */
function inputOf({ done }: Item): JsonObject | null {
  if (done === null || textAt(done, "status") === "incomplete") return null;
  const text = textAt(done, "arguments") ?? "";
  // A call without arguments may send no JSON at all. What came out of JSON.parse is JSON.
  return (text.trim() === "" ? {} : asRecord(parseJson(text))) as JsonObject | null;
}

function contents(done: JsonRecord | null): readonly unknown[] {
  return textAt(done, "type") === "message" ? list(at(done, "content")) : [];
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function openItem(item: unknown): Item {
  return { type: textAt(item, "type") ?? "", name: textAt(item, "name") ?? "", text: "", done: null };
}
