/**
 * Builds one answer from the stream parts of an AI SDK model (specification v4). Knows nothing of HTTP or time.
 *
 * A1: an answer is complete only after a `finish` part that names a known reason; `interrupted` and a stream without
 *     `finish` are cut streams, and nothing is handed out before.
 * A2: tool input is the parsed JSON of an object, or the answer is `truncated_tool_call`. A call that stands last where
 *     the room ran out is not run.
 * A3: unknown parts are skipped. So are calls that the provider ran itself: belay asked for none.
 * A4: usage is what was reported. An answer without it fails as `protocol`: a session's limits count tokens, and an
 *     answer that counts as nothing would never meet them.
 * A5: what a provider wants back with a part (`providerMetadata`) is kept as its `opaque`; the last one given for a part wins.
 */
import type { LanguageModelV4FinishReason, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { ModelPart } from "../../kernel/content.ts";
import type { StopReason } from "../../kernel/state.ts";
import type { Usage } from "../../kernel/usage.ts";
import { type AnswerFault, type CompleteAnswer, cutFault, protocolFault, truncatedCall } from "../answer-builder.ts";
import type { ModelCallOptions } from "../model.ts";
import { streamSignal } from "../stream-signals.ts";
import { type Block, collectBlocks, type PartContext, partOf } from "./blocks.ts";
import { usageOf } from "./usage.ts";

/** As `AnswerBuilder` of the adapters over HTTP, from parts in place of events. */
export interface PartsBuilder {
  /** Takes one part; a part of the type `error` is not for here. @returns what is wrong, or null to go on */
  take(part: LanguageModelV4StreamPart): AnswerFault | null;
  /** Call when the stream ended. @param whole false: it is known that something was still to come */
  finish(whole: boolean): CompleteAnswer | AnswerFault;
  /** The text that has arrived. */
  partial(): string;
  /** Null before the end: these providers count last. */
  usage(): Usage | null;
  /** What the provider calls this answer. */
  id(): string | null;
}

const STOPS: { readonly [Reason in LanguageModelV4FinishReason["unified"]]?: StopReason } = {
  stop: "end_turn",
  "tool-calls": "tool_use",
  length: "max_tokens",
  "content-filter": "content_filter",
};

export function buildAnswer(
  asked: { readonly provider: string; readonly model: string },
  { onDelta, toolCallId }: Pick<ModelCallOptions, "onDelta" | "toolCallId">,
): PartsBuilder {
  const blocks = collectBlocks(onDelta);
  let model: string | null = null;
  let id: string | null = null;
  let end: { readonly reason: LanguageModelV4FinishReason; readonly usage: Usage | null } | null = null;

  return {
    take: (part) => {
      if (part.type === "response-metadata") {
        model = part.modelId ?? model;
        id = part.id ?? id;
      }
      if (part.type === "finish") end = { reason: part.finishReason, usage: usageOf(part.usage) };
      return blocks.take(part);
    },
    finish: (whole) => {
      if (end === null || end.reason.unified === "interrupted") return cutFault();
      const stop = stopOf(end.reason);
      if (stop === undefined) return endFault(end.reason);
      const cut = blocks.unfinishedCall();
      if (cut !== undefined && !isRefused(stop)) return truncatedCall(cut);
      if (end.usage === null) return whole ? protocolFault("The answer ended without a usage report.") : cutFault();
      const made = partsOf(blocks.inOrder(), stop, {
        provider: asked.provider,
        origin: { from: "model", by: asked.model },
        toolCallId,
      });
      return "kind" in made ? made : { ...made, usage: end.usage, model: model ?? asked.model };
    },
    partial: () => blocks.text(),
    usage: () => end?.usage ?? null,
    id: () => id,
  };
}

/** Filtered, and yet ended of itself: it was the model that refused. */
function stopOf({ unified, raw }: LanguageModelV4FinishReason): StopReason | undefined {
  return unified === "content-filter" && (raw === "stop" || raw === "refusal") ? "refusal" : STOPS[unified];
}

function isRefused(stop: StopReason): boolean {
  return stop === "refusal" || stop === "content_filter";
}

/** An end that is no answer. */
function endFault({ raw }: LanguageModelV4FinishReason): AnswerFault {
  // The provider gave no reason at all: it had not come to its end.
  if (raw === undefined) return cutFault();
  const kind = streamSignal({ candidates: [{ finishReason: raw }] });
  if (kind === "truncated_tool_call")
    return { kind, after_ms: null, message: `The model's call was not well formed (${raw}); it was not run.` };
  return protocolFault(`The answer ended with the finish reason ${raw}, which is not known.`);
}

function partsOf(
  blocks: readonly Block[],
  said: StopReason,
  context: PartContext,
): Pick<CompleteAnswer, "parts" | "stop"> | AnswerFault {
  const last = blocks.at(-1);
  // A2. It may look whole ("{}" of a call without its arguments) and is not.
  if (said === "max_tokens" && last?.type === "call") return truncatedCall(last.name);
  const parts: ModelPart[] = [];
  for (const block of blocks) {
    // A filtered answer's calls are not run: what was stopped no longer asks for anything.
    if (block.type === "call" && isRefused(said)) continue;
    const part = partOf(block, context);
    if (part === "truncated") return truncatedCall(block.type === "call" ? block.name : "a tool");
    if (part !== null) parts.push(part);
  }
  const calls = parts.some(({ type }) => type === "tool_use");
  if (said === "tool_use" && !calls) return protocolFault("The answer stopped for a tool call and held none.");
  const text = parts.some((part) => part.type === "text" && part.text.trim() !== "");
  // Some servers say `stop` after calls: what was asked for is what counts.
  const stop = said === "end_turn" && calls ? "tool_use" : said;
  if (stop === "end_turn" && !text)
    return { kind: "empty_response", after_ms: null, message: "The model answered with nothing." };
  return { parts, stop };
}
