/**
 * What goes into a Message Batch and comes out of it.
 *
 * L1: a request is mapped as a live one, but for its cache marks: what the requests of a batch share (tools and system) lives for
 *     an hour, since a batch takes longer than five minutes, and nothing behind it is marked, since nobody asks on from there.
 * L2: a result is read by the builder of live answers.
 */
import type { MessageCreateParamsNonStreaming, MessageParam } from "@anthropic-ai/sdk/resources/messages/messages";
import { NO_USAGE } from "../../kernel/usage.ts";
import { errorText } from "../answer-builder.ts";
import { buildAnswer } from "../anthropic/answer.ts";
import { anthropicParams } from "../anthropic/request.ts";
import { classifyProviderError } from "../classify.ts";
import { asRecord, at, parseJson, textAt } from "../json-view.ts";
import type { LoadBlob } from "../load-blob.ts";
import { modelFailure } from "../model-failure.ts";
import type { ModelCallOptions, ModelRequest } from "../model.ts";
import type { BatchRequest, BatchResult } from "./batch.ts";
import { wholeAnswer } from "./whole-answer.ts";

const PROVIDER = "anthropic";
const HOUR_MARK = { type: "ephemeral", ttl: "1h" } as const;

export async function requestLine(
  { custom_id, request }: BatchRequest,
  loadBlob: LoadBlob | undefined,
): Promise<string> {
  return JSON.stringify({ custom_id, params: await params(request, loadBlob) });
}

async function params(request: ModelRequest, loadBlob: LoadBlob | undefined): Promise<MessageCreateParamsNonStreaming> {
  const { stream: _, system, tools, messages, ...rest } = await anthropicParams(request, loadBlob);
  return {
    ...rest,
    ...(system === undefined || typeof system === "string" ? {} : { system: system.map(forAnHour) }),
    ...(tools === undefined ? {} : { tools: tools.map(forAnHour) }),
    messages: messages.map(unmarked),
  };
}

function unmarked(message: MessageParam): MessageParam {
  const { content } = message;
  if (typeof content === "string") return message;
  const blocks: readonly object[] = content;
  return { ...message, content: blocks.map(withoutMark) } as MessageParam; // the same blocks, whose mark is optional
}

function forAnHour<Block extends object>(block: Block): Block {
  return "cache_control" in block ? { ...block, cache_control: HOUR_MARK } : block;
}

function withoutMark(block: object): object {
  if (!("cache_control" in block)) return block;
  const { cache_control: _, ...rest } = block;
  return rest;
}

export interface Reading {
  readonly toolCallId: ModelCallOptions["toolCallId"];
  readonly secrets: readonly string[];
}

/** @returns null where the line is no result of a request */
export function resultOf(line: string, { toolCallId, secrets }: Reading): BatchResult | null {
  const parsed = parseJson(line);
  const custom_id = textAt(parsed, "custom_id");
  if (custom_id === null) return null;
  switch (textAt(parsed, "result", "type")) {
    case "succeeded": {
      const message = at(parsed, "result", "message");
      const builder = buildAnswer(
        { provider: PROVIDER, model: textAt(message, "model") ?? "" },
        { toolCallId, onDelta: () => undefined },
      );
      return wholeAnswer({ custom_id, builder, events: eventsOf(message), request_id: null, secrets });
    }
    case "errored": {
      const error = at(parsed, "result", "error");
      const { kind, after_ms } = classifyProviderError({ provider: PROVIDER, body: error });
      const message = errorText(error) ?? "The request failed, and the result does not say why.";
      const request_id = textAt(error, "request_id");
      // The provider does not bill what errored.
      const facts = { kind, message, retry_after_ms: after_ms, request_id, usage: NO_USAGE };
      return { ok: true, custom_id, answer: modelFailure(facts, secrets) };
    }
    case "expired":
      return { ok: true, custom_id, answer: "expired" };
    case "canceled":
      return { ok: true, custom_id, answer: "canceled" };
    default:
      return null;
  }
}

/** L2. A whole message as its stream would have brought it. */
function eventsOf(message: unknown): readonly object[] {
  const content: unknown = at(message, "content");
  const blocks = Array.isArray(content) ? (content as readonly unknown[]) : [];
  return [
    { type: "message_start", message: { ...asRecord(message), content: [] } },
    ...blocks.flatMap((content_block, index) => [
      { type: "content_block_start", index, content_block },
      { type: "content_block_stop", index },
    ]),
    {
      type: "message_delta",
      delta: { stop_reason: at(message, "stop_reason") },
      usage: at(message, "usage"),
    },
    { type: "message_stop" },
  ];
}
