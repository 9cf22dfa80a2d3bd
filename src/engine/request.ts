/** What is asked of the model, made from the state alone, and its hash for the journal. */
import type { SessionConfig } from "../kernel/config.ts";
import { SUMMARY_REQUEST } from "../context/plan-compaction.ts";
import { type Message, textPart } from "../kernel/content.ts";
import { hashOf } from "../kernel/envelope.ts";
import { canonicalJson } from "../kernel/json.ts";
import { modelInUse } from "../kernel/model-in-use.ts";
import type { CallPurpose, SessionState } from "../kernel/state.ts";
import type { ModelRequest } from "../model/model.ts";
import type { Prompt } from "./prompt.ts";

/** A request extends the one before it (G13): the fold only ever appends to messages. */
export function requestOf(
  state: SessionState,
  config: SessionConfig,
  { system, tools }: Prompt,
  purpose: CallPurpose = "turn",
): ModelRequest {
  return {
    model: modelInUse(state).model,
    system,
    tools,
    messages: purpose === "turn" ? state.messages : askingForSummary(state.messages),
    thinking_from: state.thinking_from,
    max_tokens: state.max_tokens,
    thinking_tokens: config.thinking_tokens,
  };
}

/** The same request as ever, so that all of it is read from the provider's cache, with another end. */
function askingForSummary(messages: readonly Message[]): readonly Message[] {
  const part = textPart(SUMMARY_REQUEST, { from: "belay" });
  const last = messages.at(-1);
  if (last?.role !== "user") return [...messages, { role: "user", parts: [part] }];
  return [...messages.slice(0, -1), { role: "user", parts: [...last.parts, part] }];
}

/** What a summary may have at most. Tokens. */
const SUMMARY_TOKENS_MAX = 4_096;
/** A token is at least one byte: what asks for a summary comes out of what was reserved for the answer. */
const ASKING_TOKENS = Buffer.byteLength(SUMMARY_REQUEST) + 200;

/** Of what was reserved for an answer, what the request may ask for. */
export function answerTokens(reserved: number, purpose: CallPurpose, { thinking_tokens }: SessionConfig): number {
  if (purpose === "turn") return reserved;
  return Math.max(1, Math.min(SUMMARY_TOKENS_MAX + (thinking_tokens ?? 0), reserved - ASKING_TOKENS));
}

/** SHA-256 over all that a request says, as the journal knows it (secrets as their tokens): a replay comes to the same one. */
export function requestHash(request: ModelRequest, versions: Prompt["versions"]): string {
  const { system: _prompt, tools: _tools, messages, ...rest } = request;
  return hashOf(canonicalJson({ ...rest, ...versions, messages: chainOf(messages).at(-1) ?? null }));
}

interface Chain {
  readonly messages: readonly Message[];
  /** Of each message with all before it. */
  readonly hashes: readonly string[];
}

/** By the first message, which stands in every request of a session. */
const chains = new WeakMap<Message, Chain>();

/**
 * Each hash covers its message and the hash before. A message never changes once it is in a state, and a request extends the
 * one before it: what an earlier request began with is not hashed again, however long the session is.
 */
function chainOf(messages: readonly Message[]): readonly string[] {
  const [first] = messages;
  if (first === undefined) return [];
  const known = chains.get(first);
  const same = known === undefined ? 0 : sameFromTheFront(known.messages, messages);
  const hashes = known?.hashes.slice(0, same) ?? [];
  for (const message of messages.slice(same)) hashes.push(hashOf(`${hashes.at(-1) ?? ""}${canonicalJson(message)}`));
  chains.set(first, { messages, hashes });
  return hashes;
}

function sameFromTheFront(a: readonly Message[], b: readonly Message[]): number {
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  return same;
}
