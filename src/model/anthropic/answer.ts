/**
 * Builds one answer from the events of a stream. Knows nothing of HTTP or time.
 *
 * A1: an answer is complete only after `message_stop`; nothing is handed out before.
 * A2: tool input is the parsed JSON of an object, or the answer is `truncated_tool_call`.
 * A3: unknown events are skipped: the provider may add some at any time.
 * A4: usage is what was reported. An answer without it fails as `protocol`.
 */
import type { ModelPart, Origin } from "../../kernel/content.ts";
import type { StopReason } from "../../kernel/state.ts";
import type { Usage } from "../../kernel/usage.ts";
import { type Block, collectBlocks, partOf } from "./blocks.ts";
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
import { finalUsage, startUsage } from "../usage.ts";

const STOPS: { readonly [reason: string]: StopReason } = {
  end_turn: "end_turn",
  tool_use: "tool_use",
  max_tokens: "max_tokens",
  stop_sequence: "stop_sequence",
  pause_turn: "pause_turn",
  refusal: "refusal",
  model_context_window_exceeded: "context_window",
};

export function buildAnswer(
  asked: { readonly provider: string; readonly model: string },
  options: Pick<ModelCallOptions, "onDelta" | "toolCallId">,
): AnswerBuilder {
  const origin: Origin = { from: "model", by: asked.model };
  const blocks = collectBlocks(options.onDelta);
  let model: string | null = null;
  let reported: Usage | null = null;
  let started = false;
  let outputCounted = false;
  let reason: string | null = null;
  let done = false;

  const handlers: { readonly [name: string]: (event: unknown) => AnswerFault | null } = {
    message_start: (event) => {
      if (started) return protocolFault("The stream began a second message.");
      started = true;
      model = textAt(event, "message", "model");
      reported = startUsage(at(event, "message", "usage"));
      return reported === null ? protocolFault("The stream began without a usage report.") : null;
    },
    content_block_start: (event) =>
      faultOf(started ? blocks.start(event) : "A content block began before the message."),
    content_block_delta: (event) => faultOf(blocks.delta(event)),
    content_block_stop: (event) => faultOf(blocks.stop(event)),
    message_delta: (event) => {
      if (reported === null) return protocolFault("The message changed before it began.");
      reason = textAt(event, "delta", "stop_reason") ?? reason;
      const next = finalUsage(reported, at(event, "usage"));
      if (next !== null) {
        reported = next;
        outputCounted = true;
      }
      return null;
    },
    message_stop: () => {
      if (!started) return protocolFault("The message ended before it began.");
      done = true;
      return null;
    },
    error: (event) => {
      const { kind, after_ms } = classifyProviderError({ provider: asked.provider, event });
      return { kind, after_ms, message: errorText(event) ?? "The stream held an error without a message." };
    },
  };

  return {
    take: (name, data) => {
      const event = data === "" ? null : parseJson(data);
      const kind = name ?? textAt(event, "type") ?? "";
      const handler = Object.hasOwn(handlers, kind) ? handlers[kind] : undefined;
      if (handler === undefined) return null;
      if (asRecord(event) === null) {
        if (kind === "error") return { kind: "protocol", after_ms: null, message: data };
        return protocolFault(`The event ${kind} was not JSON: ${data.slice(0, 200)}`);
      }
      return handler(event);
    },
    stopped: () => done,
    finish: () => {
      if (!done || reported === null) return cutFault();
      if (!outputCounted) return protocolFault("The answer ended without a usage report.");
      return complete(blocks.inOrder(), reason, {
        origin,
        usage: reported,
        model: model ?? asked.model,
        toolCallId: options.toolCallId,
      });
    },
    partial: () => blocks.text(),
    usage: () => reported,
  };
}

interface Rest {
  readonly origin: Origin;
  readonly usage: Usage;
  readonly model: string;
  readonly toolCallId: ModelCallOptions["toolCallId"];
}

function complete(blocks: readonly Block[], reason: string | null, rest: Rest): CompleteAnswer | AnswerFault {
  const stop = reason !== null && Object.hasOwn(STOPS, reason) ? STOPS[reason] : undefined;
  if (stop === undefined)
    return protocolFault(`The answer ended with the stop reason ${reason ?? "null"}, which is not known.`);
  const cut = stop === "max_tokens" || stop === "context_window";
  const last = blocks.at(-1);
  // A call that stands last where the room ran out may look whole ("{}" of a call without its arguments) and is not.
  if (cut && last?.type === "tool_use") return truncatedCall(last.name);
  if (blocks.some((block) => !block.closed)) return protocolFault("The message ended with an open content block.");

  const parts: ModelPart[] = [];
  for (const block of blocks) {
    // A refusal's calls are not run: what a stopped answer asked for, it no longer asks for.
    if (block.type === "tool_use" && stop === "refusal") continue;
    const part = partOf(block, rest.origin, rest.toolCallId);
    if (part === "truncated") return truncatedCall(block.name);
    if (part !== null) parts.push(part);
  }
  const said = parts.some((part) => part.type === "tool_use" || (part.type === "text" && part.text.trim() !== ""));
  const calls = parts.some((part) => part.type === "tool_use");
  if (stop === "tool_use" && !calls) return protocolFault("The answer stopped for a tool call and held none.");
  if (!said && (stop === "end_turn" || stop === "stop_sequence")) {
    return { kind: "empty_response", after_ms: null, message: "The model answered with nothing." };
  }
  return { parts, stop, usage: rest.usage, model: rest.model };
}

function faultOf(message: string | null): AnswerFault | null {
  return message === null ? null : protocolFault(message);
}
