/**
 * Builds one answer from the events of a Responses stream. Knows nothing of HTTP or time.
 *
 * A1: an answer is complete only after `response.completed` or `response.incomplete`; nothing is handed out before.
 * A2: a part is made from the item that `response.output_item.done` holds; deltas are for whoever watches.
 * A3: tool input is the parsed JSON of an object, or the answer is `truncated_tool_call`.
 * A4: unknown events and items are skipped: the provider may add some at any time.
 * A5: usage is what was reported. An answer without it fails as `protocol`.
 */
import type { ModelPart } from "../../kernel/content.ts";
import type { StopReason } from "../../kernel/state.ts";
import type { Usage } from "../../kernel/usage.ts";
import {
  type AnswerBuilder,
  type AnswerFault,
  type CompleteAnswer,
  cutFault,
  errorText,
  protocolFault,
  truncatedCall,
} from "../answer-builder.ts";
import { classifyProviderError } from "../classify.ts";
import { asRecord, at, parseJson, textAt } from "../json-view.ts";
import type { ModelCallOptions } from "../model.ts";
import { PROVIDER } from "./answer-items.ts";
import { collectItems, isCall, isRefusal, type Items, partsOf } from "./items.ts";
import { openaiUsage } from "./usage.ts";

/** What ends an answer that is not complete. */
const INCOMPLETE: { readonly [reason: string]: StopReason } = {
  max_output_tokens: "max_tokens",
  content_filter: "content_filter",
};

export function buildAnswer(
  asked: { readonly model: string },
  options: Pick<ModelCallOptions, "onDelta" | "toolCallId">,
): AnswerBuilder {
  const items = collectItems(options.onDelta);
  let last: { readonly response: unknown; readonly whole: boolean } | null = null;
  let usage: Usage | null = null;
  let begun = false;

  const failed = (event: unknown): AnswerFault => {
    usage = openaiUsage(at(event, "response", "usage")) ?? usage;
    const { kind, after_ms } = classifyProviderError({ provider: PROVIDER, event });
    return { kind, after_ms, message: errorText(event) ?? "The stream held an error without a message." };
  };
  const ended = (whole: boolean) => (event: unknown) => {
    if (!begun) return protocolFault("The answer ended before it began.");
    last = { response: at(event, "response"), whole };
    usage = openaiUsage(at(event, "response", "usage"));
    return null;
  };
  const handlers: { readonly [type: string]: (event: unknown) => AnswerFault | null } = {
    "response.created": (event) => {
      if (begun) return protocolFault("The stream began a second answer.");
      begun = asRecord(at(event, "response")) !== null;
      return begun ? null : protocolFault("The stream began without an answer.");
    },
    "response.completed": ended(true),
    "response.incomplete": ended(false),
    "response.failed": failed,
    error: failed,
  };

  return {
    take: (name, data) => {
      const event = data === "" || data === "[DONE]" ? null : parseJson(data);
      const type = textAt(event, "type") ?? name ?? "";
      const handler = Object.hasOwn(handlers, type) ? handlers[type] : undefined;
      const known = handler !== undefined || items.knows(type);
      if (known && asRecord(event) === null)
        return protocolFault(`The event ${type} was not JSON: ${data.slice(0, 200)}`);
      if (handler !== undefined) return handler(event);
      // Some that speak this protocol put an error into the stream without naming it.
      if (asRecord(at(event, "error")) !== null && textAt(event, "type") === null) return failed(event);
      const wrong = items.take(type, event);
      return wrong === null ? null : protocolFault(wrong);
    },
    stopped: () => last !== null,
    finish: () => {
      if (last === null) return cutFault();
      if (usage === null) return protocolFault("The answer ended without a usage report.");
      const model = textAt(last.response, "model") ?? asked.model;
      const reason = last.whole ? null : (textAt(last.response, "incomplete_details", "reason") ?? "");
      return complete(items, reason, { asked, usage, model, toolCallId: options.toolCallId });
    },
    partial: () => items.text(),
    usage: () => usage,
  };
}

interface Rest {
  readonly asked: { readonly model: string };
  readonly usage: Usage;
  readonly model: string;
  readonly toolCallId: ModelCallOptions["toolCallId"];
}

/** @param reason why the answer is incomplete; null where it is complete */
function complete(items: Items, reason: string | null, rest: Rest): CompleteAnswer | AnswerFault {
  const all = items.inOrder();
  const cut = reason === null ? null : Object.hasOwn(INCOMPLETE, reason) ? (INCOMPLETE[reason] ?? null) : undefined;
  if (cut === undefined) {
    return protocolFault(`The answer is incomplete for the reason "${reason ?? ""}", which is not known.`);
  }
  if (cut === null && all.some(({ done }) => done === null)) {
    return protocolFault("The answer ended with an item that is not done.");
  }
  const refused = all.some(isRefusal);
  // Where the room ran out a call may look whole ("{}" of one without its arguments) and is not.
  const last = cut === "max_tokens" && !refused ? all.at(-1) : undefined;
  if (last !== undefined && isCall(last)) return truncatedCall(last.name);
  // What a stopped answer asked for, it no longer asks for.
  const asked = refused || cut === "content_filter" ? all.filter((item) => !isCall(item)) : all;
  const parts = partsOf(asked, { from: "model", by: rest.asked.model }, rest.toolCallId);
  if ("truncated" in parts) return truncatedCall(parts.truncated);
  if (cut === null && !saysSomething(parts)) {
    return { kind: "empty_response", after_ms: null, message: "The model answered with nothing." };
  }
  return { parts, stop: refused ? "refusal" : (cut ?? endOf(parts)), usage: rest.usage, model: rest.model };
}

function endOf(parts: readonly ModelPart[]): StopReason {
  return parts.some(({ type }) => type === "tool_use") ? "tool_use" : "end_turn";
}

function saysSomething(parts: readonly ModelPart[]): boolean {
  return parts.some((part) => part.type === "tool_use" || (part.type === "text" && part.text.trim() !== ""));
}
