/** What a provider demands of a conversation, and what of it may differ from one request to the next. */
import type { Message } from "../../src/kernel/content.ts";
import type { ToolCallId } from "../../src/kernel/ids.ts";

/** @returns what a provider would refuse, or null */
export function problemOf(messages: readonly Message[]): string | null {
  if (messages[0]?.role !== "user") return "the conversation does not begin with the user";
  let open: readonly ToolCallId[] = [];
  for (const [index, message] of messages.entries()) {
    if (index > 0 && message.role === messages[index - 1]?.role)
      return `message ${index} has the role of the one before`;
    if (message.parts.length === 0) return `message ${index} is empty`;
    if (message.role === "assistant") {
      open = message.parts.flatMap((part) => (part.type === "tool_use" ? [part.call] : []));
      continue;
    }
    const results = message.parts.flatMap((part) => (part.type === "tool_result" ? [part.call] : []));
    if (results.join() !== open.join()) return `message ${index} answers ${results.join()}, asked was ${open.join()}`;
    const first = message.parts.findIndex((part) => part.type !== "tool_result");
    if (first !== -1 && message.parts.slice(first).some((part) => part.type === "tool_result"))
      return `message ${index} has a result after something else`;
    open = [];
  }
  return open.length > 0 ? `the calls ${open.join()} have no result` : null;
}

/** Parts are never changed once they are in a state, so each is written out once. */
const texts = new WeakMap<object, string>();

function textOf(part: object): string {
  const known = texts.get(part) ?? JSON.stringify(part);
  texts.set(part, known);
  return known;
}

/** Whether the second conversation begins with all of the first: whole messages, and of the last one at least its parts. */
export function extendsHistory(before: readonly Message[], after: readonly Message[]): boolean {
  return before.every((message, index) => {
    const other = after[index];
    if (other?.role !== message.role) return false;
    const last = index === before.length - 1;
    if (last ? other.parts.length < message.parts.length : other.parts.length !== message.parts.length) return false;
    return message.parts.every((part, i) => textOf(part) === textOf(other.parts[i] ?? {}));
  });
}
