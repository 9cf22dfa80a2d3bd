/** What is asked of the model, made from the state alone, and its hash for the journal. */
import type { SessionConfig } from "../kernel/config.ts";
import type { Message } from "../kernel/content.ts";
import { hashOf } from "../kernel/envelope.ts";
import { canonicalJson } from "../kernel/json.ts";
import type { SessionState } from "../kernel/state.ts";
import type { ModelRequest } from "../model/model.ts";
import type { Prompt } from "./prompt.ts";

/** A request extends the one before it (G13): the fold only ever appends to messages. */
export function requestOf(state: SessionState, config: SessionConfig, { system, tools }: Prompt): ModelRequest {
  return {
    model: config.model,
    system,
    tools,
    messages: state.messages,
    thinking_from: state.thinking_from,
    max_tokens: state.max_tokens,
    thinking_tokens: config.thinking_tokens,
  };
}

/** A message never changes once it is in a state, so it is hashed once, however many requests hold it. */
const hashes = new WeakMap<Message, string>();

/** SHA-256 over all that a request says, as the journal knows it (secrets as their tokens): a replay comes to the same one. */
export function requestHash(request: ModelRequest, versions: Prompt["versions"]): string {
  const { system: _prompt, tools: _tools, messages, ...rest } = request;
  return hashOf(canonicalJson({ ...rest, ...versions, messages: messages.map(messageHash) }));
}

function messageHash(message: Message): string {
  const known = hashes.get(message);
  if (known !== undefined) return known;
  const hash = hashOf(canonicalJson(message));
  hashes.set(message, hash);
  return hash;
}
