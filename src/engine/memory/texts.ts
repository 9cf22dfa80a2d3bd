/**
 * References back to what they stand for, when a request is sent. The store is asked anew in each run: what was forgotten since is
 * `[forgotten]` for the model, in whatever session had it.
 *
 * T1: only what the model said and what a recall put there is looked at: a reference in what a tool or a person brought in, or in
 *     what belay quotes of it (CONTINUITY, a summary), stays as it is.
 * T2: what a provider signed is sent to the letter or not at all: thinking that held what is forgotten is left out.
 * T3: what is put into a recall stays on its line, ends no mark there, and is no longer than the text (`RECALLED_BYTES_MAX`).
 */
import type { Message, ModelPart, PlainPart, TextPart, ToolResultPart, ToolUsePart } from "../../kernel/content.ts";
import { withoutMarks } from "../../context/frame.ts";
import type { MemoryId } from "../../kernel/ids.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { type Memory, memoryTokensIn, RECALL_ORIGIN, REMEMBER_TOOL, replaceMemoryTokens } from "../../kernel/memory.ts";
import type { Memories } from "../../store/memories.ts";
import type { Drive } from "../run.ts";
import { mapTexts } from "./references.ts";

const FORGOTTEN = "[forgotten]";

/** Null where it is gone. */
type Texts = Map<MemoryId, Pick<Memory, "text" | "resolves"> | null>;

interface Loaded {
  readonly texts: Texts;
  /** A message never changes, and what is sent for it stays the same object for as long: a provider's mapping of it is kept by it. */
  readonly sent: WeakMap<Message, Message>;
  readonly plain: WeakSet<Message>;
}

const runs = new WeakMap<Drive, Loaded>();

/** The messages as they are sent; itself where no memory is referred to. */
export async function withMemories(messages: readonly Message[], run: Drive): Promise<readonly Message[]> {
  const loaded = runs.get(run) ?? { texts: new Map(), sent: new WeakMap(), plain: new WeakSet() };
  runs.set(run, loaded);
  const fresh = messages.filter((message) => !loaded.plain.has(message) && !loaded.sent.has(message));
  const wanted = new Set<MemoryId>();
  for (const message of fresh) {
    const ids = referencesIn(message);
    if (ids.length === 0) loaded.plain.add(message);
    for (const id of ids) if (!loaded.texts.has(id)) wanted.add(id);
  }
  await load([...wanted], loaded.texts, run);
  return messages.map((message) => {
    if (loaded.plain.has(message)) return message;
    const known = loaded.sent.get(message) ?? restoreMemories(message, loaded.texts);
    loaded.sent.set(message, known);
    return known;
  });
}

/** What this run has shown the model of memories so far. */
export function shownMemories(run: Drive): readonly Pick<Memory, "id" | "text">[] {
  return [...(runs.get(run)?.texts ?? [])].flatMap(([id, memory]) =>
    memory === null ? [] : [{ id, text: memory.text }],
  );
}

/** A call as a person is to see it: with the texts, as they are now. */
export async function withMemoryTexts(
  part: ToolUsePart,
  store: Memories,
  of: Pick<Memory, "tenant" | "principal">,
): Promise<ToolUsePart> {
  const ids = memoryTokensIn(part.name === REMEMBER_TOOL ? JSON.stringify(part.input) : "");
  if (ids.length === 0) return part;
  const texts: Texts = new Map((await store.getMemories(of, ids)).map((memory) => [memory.id, memory]));
  return { ...part, input: mapTexts(part.input, (text) => withTexts(text, texts)) };
}

async function load(ids: readonly MemoryId[], texts: Texts, run: Drive): Promise<void> {
  if (ids.length === 0) return;
  const { tenant, principal } = run.state();
  for (const id of ids) texts.set(id, null);
  for (const memory of await run.host.store.getMemories({ tenant, principal }, ids)) texts.set(memory.id, memory);
}

function referencesIn({ role, parts }: Message): readonly MemoryId[] {
  const texts = role === "user" ? parts.flatMap((part) => (isRecall(part) ? [part.text] : [])) : parts.flatMap(textsOf);
  return texts.flatMap(memoryTokensIn);
}

/** T1. */
function isRecall(part: PlainPart | ToolResultPart): part is TextPart {
  const { from, by } = part.origin;
  return part.type === "text" && from === RECALL_ORIGIN.from && by === RECALL_ORIGIN.by;
}

function textsOf(part: ModelPart): readonly string[] {
  switch (part.type) {
    case "text":
    case "thinking":
      return [part.text, ...opaqueText(part)];
    case "tool_use":
      return [...(part.name === REMEMBER_TOOL ? [JSON.stringify(part.input)] : []), ...opaqueText(part)];
    case "redacted_thinking":
      return [];
  }
}

function opaqueText({ opaque }: { readonly opaque?: { readonly data: JsonObject } }): readonly string[] {
  return opaque === undefined ? [] : [JSON.stringify(opaque.data)];
}

export function restoreMemories(message: Message, texts: Texts): Message {
  if (message.role === "user") {
    return {
      ...message,
      parts: message.parts.map((part) =>
        isRecall(part) ? { ...part, text: withTexts(part.text, texts, inLine) } : part,
      ),
    };
  }
  const parts = message.parts.flatMap((part) => restoredPart(part, texts));
  // A message without a part is none.
  return {
    ...message,
    parts: parts.length > 0 ? parts : [{ type: "text", text: FORGOTTEN, origin: { from: "model" } }],
  };
}

function restoredPart(part: ModelPart, texts: Texts): readonly ModelPart[] {
  if (part.type === "redacted_thinking") return [part];
  const { opaque, ...said } = part;
  const whole = opaque === undefined || !hasForgotten(opaqueText(part), texts);
  const kept = opaque === undefined || !whole ? {} : { opaque: { ...opaque, data: restoredJson(opaque.data, texts) } };
  switch (said.type) {
    case "thinking":
      // T2.
      return !whole || hasForgotten([said.text], texts)
        ? []
        : [{ ...said, text: withTexts(said.text, texts), ...kept }];
    case "text":
      return [{ ...said, text: withTexts(said.text, texts), ...kept }];
    case "tool_use":
      return [{ ...said, input: said.name === REMEMBER_TOOL ? restoredJson(said.input, texts) : said.input, ...kept }];
  }
}

function restoredJson(data: JsonObject, texts: Texts): JsonObject {
  return mapTexts(data, (text) => withTexts(text, texts));
}

function withTexts(text: string, texts: Texts, shown = (said: string): string => said): string {
  return replaceMemoryTokens(text, (id, of) => shown(texts.get(id)?.[of] ?? FORGOTTEN));
}

/** T3. */
function inLine(text: string): string {
  return withoutMarks(text.replaceAll(/\s+/g, " "), "(");
}

function hasForgotten(all: readonly string[], texts: Texts): boolean {
  return all.flatMap(memoryTokensIn).some((id) => texts.get(id) == null);
}
