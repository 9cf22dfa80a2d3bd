/** What an event of a stream means for the call where it is no error of its own: the end reasons of all providers. */
import type { ErrorKind } from "../kernel/error-kind.ts";
import { asRecord, at, textAt } from "./json-view.ts";

const ENDS: { readonly [reason: string]: ErrorKind } = {
  // Anthropic
  max_tokens: "truncated",
  refusal: "refusal",
  pause_turn: "pause",
  model_context_window_exceeded: "context_overflow",
  // OpenAI and those that speak like it
  max_output_tokens: "truncated",
  length: "truncated",
  content_filter: "content_filter",
  // Google
  MAX_TOKENS: "truncated",
  SAFETY: "content_filter",
  RECITATION: "content_filter",
  BLOCKLIST: "content_filter",
  PROHIBITED_CONTENT: "content_filter",
  SPII: "content_filter",
  IMAGE_SAFETY: "content_filter",
  MALFORMED_FUNCTION_CALL: "truncated_tool_call",
};

/** @returns null when the event reports an error, or is not an event at all. */
export function streamSignal(event: unknown): ErrorKind | null {
  if (typeof event === "string" && event.trimStart().startsWith(":")) return "comment";
  if (asRecord(event) === null) return null;
  if (asRecord(at(event, "error")) !== null || asRecord(at(event, "response", "error")) !== null) return null;
  const type = textAt(event, "type");
  if (type === "error" || Object.keys(asRecord(event) ?? {}).some((key) => key.endsWith("Exception"))) return null;
  if (type === "ping") return "comment";
  const reason = endReason(event);
  if (reason !== null) return Object.hasOwn(ENDS, reason) ? (ENDS[reason] ?? "unknown_event") : "unknown_event";
  if (type === "response.refusal.done" || type === "response.refusal.delta") return "refusal";
  return "unknown_event";
}

function endReason(event: unknown): string | null {
  return (
    textAt(event, "delta", "stop_reason") ??
    textAt(event, "stop_reason") ??
    textAt(event, "response", "incomplete_details", "reason") ??
    textAt(event, "choices", 0, "finish_reason") ??
    textAt(event, "candidates", 0, "finishReason") ??
    textAt(event, "promptFeedback", "blockReason")
  );
}
