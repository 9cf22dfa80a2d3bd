/** How messages and the open batch of tool calls grow. Used by the folds; a tool call always gets exactly one result. */
import type { Message, ModelPart, PlainPart, ToolResultPart } from "./content.ts";
import type { ToolCallId } from "./ids.ts";
import type { SessionState, ToolCall } from "./state.ts";

/** Adds what a user (or belay) says. While calls are open it waits in the inbox: results must follow their calls directly. */
export function say(state: SessionState, parts: readonly PlainPart[]): SessionState {
  if (state.batch.length > 0) return { ...state, inbox: [...state.inbox, ...parts] };
  return { ...state, messages: addUserParts(state.messages, parts), stop: null };
}

/** Adds what the next request says by the way: a session that was done stays done. A turn that the model paused is not broken. */
export function note(state: SessionState, parts: readonly PlainPart[]): SessionState {
  if (state.batch.length > 0) return { ...state, inbox: [...state.inbox, ...parts] };
  if (state.stop === "pause_turn") return state;
  return { ...state, messages: addUserParts(state.messages, parts) };
}

/** Replaces one call of the open batch. An unknown id changes nothing. */
export function withCall(state: SessionState, id: ToolCallId, change: (call: ToolCall) => ToolCall): SessionState {
  return { ...state, batch: state.batch.map((call) => (call.part.call === id ? change(call) : call)) };
}

/** When every call has its result, moves them into the messages, in the order of the calls. */
export function closeBatch(state: SessionState): SessionState {
  const results = state.batch.flatMap((call): ToolResultPart[] => (call.result ? [call.result] : []));
  if (state.batch.length === 0 || results.length < state.batch.length) return state;
  return {
    ...state,
    messages: addUserParts(state.messages, [...results, ...state.inbox]),
    batch: [],
    inbox: [],
    stop: null,
  };
}

/** Adds an answer. What follows a turn that the model paused joins it, so that roles alternate. */
export function addAnswer(messages: readonly Message[], parts: readonly ModelPart[]): readonly Message[] {
  const last = messages.at(-1);
  if (parts.length === 0) return messages;
  if (last?.role !== "assistant") return [...messages, { role: "assistant", parts }];
  return [...messages.slice(0, -1), { role: "assistant", parts: [...last.parts, ...parts] }];
}

/** What follows a user message joins it. */
function addUserParts(
  messages: readonly Message[],
  parts: readonly (PlainPart | ToolResultPart)[],
): readonly Message[] {
  const last = messages.at(-1);
  if (last?.role !== "user") return [...messages, { role: "user", parts }];
  return [...messages.slice(0, -1), { role: "user", parts: [...last.parts, ...parts] }];
}
