/**
 * An answer as the items it came in: what it kept in `opaque` of its parts goes back; what another provider said goes back in
 * words alone, without its thinking.
 */
import type {
  ResponseInputItem,
  ResponseOutputMessage,
  ResponseReasoningItem,
} from "openai/resources/responses/responses";
import type { AssistantMessage, ModelPart, TextPart, ToolUsePart } from "../../kernel/content.ts";
import { canonicalJson, type JsonObject } from "../../kernel/json.ts";
import { textAt } from "../json-view.ts";
import { portableId } from "../provider-id.ts";

export const PROVIDER = "openai";
const NOTHING_SAID = "(nothing was said)";

type Content = ResponseOutputMessage["content"][number];

export function answerItems(message: AssistantMessage, dropReasoning: boolean): readonly ResponseInputItem[] {
  const reasoned = message.parts.flatMap((part) => (part.type === "thinking" ? (ownData(part) ?? []) : []));
  // Without its encrypted content the API would look for an item that it never stored.
  const withReasoning = !dropReasoning && reasoned.every((item) => textAt(item, "encrypted_content") !== null);
  // Q3.
  const withIds = withReasoning || reasoned.length === 0;
  const items: ResponseInputItem[] = [];
  const pending: JsonObject[] = [];
  for (const part of joinedTexts(message.parts)) {
    if ("type" in part && part.type === "thinking") {
      const data = ownData(part);
      if (data !== null && withReasoning) pending.push(data);
      continue;
    }
    // Q1: only now is it known that something follows; reasoning in which an answer was cut is not taken alone.
    items.push(...pending.splice(0).map((item) => item as unknown as ResponseReasoningItem)); // it came as one, and was kept whole
    items.push("texts" in part ? messageItem(part.texts, withIds) : callItem(part, withIds));
  }
  return items.length === 0 ? [{ role: "assistant", content: NOTHING_SAID }] : items;
}

/** The texts of one message item, which stand beside each other. */
interface Texts {
  readonly texts: readonly [TextPart, ...TextPart[]];
}

type Said = Texts | ToolUsePart | Extract<ModelPart, { readonly type: "thinking" }>;

/** In order; what says nothing, or nothing to this provider, is left out. */
function joinedTexts(parts: readonly ModelPart[]): readonly Said[] {
  const said: Said[] = [];
  for (const part of parts) {
    if (part.type === "redacted_thinking" || (part.type === "text" && part.text.trim() === "")) continue;
    const last = said.at(-1);
    if (part.type !== "text") said.push(part);
    else if (last !== undefined && "texts" in last && isSameItem(last.texts[0], part)) {
      said[said.length - 1] = { texts: [...last.texts, part] };
    } else said.push({ texts: [part] });
  }
  return said;
}

function isSameItem(a: TextPart, b: TextPart): boolean {
  const id = textAt(ownData(a), "id");
  return id !== null && id === textAt(ownData(b), "id");
}

function callItem(part: ToolUsePart, withId: boolean): ResponseInputItem {
  const id = withId ? textAt(ownData(part), "id") : null;
  return {
    type: "function_call",
    ...(id === null ? {} : { id }),
    call_id: portableId(part.provider_id),
    name: part.name,
    // Members in order, as in the journal: what is sent is the same before and after a resume.
    arguments: canonicalJson(part.input),
  };
}

function messageItem(texts: Texts["texts"], withId: boolean): ResponseInputItem {
  const data = ownData(texts[0]);
  const id = withId ? textAt(data, "id") : null;
  const named = textAt(data, "phase");
  // Models that name a phase want it back.
  const phase = named === "commentary" || named === "final_answer" ? ({ phase: named } as const) : {};
  if (id === null) return { role: "assistant", content: texts.map(({ text }) => text).join(""), ...phase };
  return { type: "message", id, role: "assistant", status: "completed", content: texts.map(contentOf), ...phase };
}

function contentOf(part: TextPart): Content {
  if (ownData(part)?.["refusal"] === true) return { type: "refusal", refusal: part.text };
  return { type: "output_text", text: part.text, annotations: [] };
}

function ownData({ opaque }: Pick<TextPart, "opaque">): JsonObject | null {
  return opaque?.provider === PROVIDER ? opaque.data : null;
}
