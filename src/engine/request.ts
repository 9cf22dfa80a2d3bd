/** What is asked of the model, made from the state alone, and its hash for the journal. */
import type { SessionConfig } from "../kernel/config.ts";
import type { Message } from "../kernel/content.ts";
import { hashOf } from "../kernel/envelope.ts";
import { canonicalJson } from "../kernel/json.ts";
import { modelInUse } from "../kernel/model-in-use.ts";
import type { SessionState } from "../kernel/state.ts";
import type { ModelRequest } from "../model/model.ts";
import type { Prompt } from "./prompt.ts";

/** A request extends the one before it (G13): the fold only ever appends to messages. */
export function requestOf(state: SessionState, config: SessionConfig, { system, tools }: Prompt): ModelRequest {
  return {
    model: modelInUse(state).model,
    system,
    tools,
    messages: state.messages,
    thinking_from: state.thinking_from,
    max_tokens: state.max_tokens,
    thinking_tokens: config.thinking_tokens,
  };
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
