/**
 * What goes into a batch of OpenAI's Responses and comes out of it.
 *
 * L1: a request is mapped as a live one, without a summary of its reasoning: nobody watches, and an account that gets none would
 *     learn so for every request, a day later.
 * L2: a result is read by the builder of live answers.
 */
import { NO_USAGE } from "../../kernel/usage.ts";
import { errorText } from "../answer-builder.ts";
import { classifyProviderError } from "../classify.ts";
import { at, countAt, parseJson, textAt } from "../json-view.ts";
import type { LoadBlob } from "../load-blob.ts";
import { modelFailure } from "../model-failure.ts";
import type { ModelCallOptions } from "../model.ts";
import { buildAnswer } from "../openai/answer.ts";
import { PROVIDER } from "../openai/answer-items.ts";
import { openaiParams, withoutSummary } from "../openai/request.ts";
import type { BatchRequest, BatchResult } from "./batch.ts";
import { wholeAnswer } from "./whole-answer.ts";

export const ENDPOINT = "/v1/responses";

export async function requestLine(
  { custom_id, request }: BatchRequest,
  loadBlob: LoadBlob | undefined,
): Promise<string> {
  const { stream: _, ...body } = withoutSummary(await openaiParams(request, {}, loadBlob));
  return JSON.stringify({ custom_id, method: "POST", url: ENDPOINT, body });
}

export interface Reading {
  readonly toolCallId: ModelCallOptions["toolCallId"];
  readonly secrets: readonly string[];
}

/** Of requests that were never carried out. */
const UNANSWERED: { readonly [code: string]: "expired" | "canceled" } = {
  batch_expired: "expired",
  batch_cancelled: "canceled",
};

/** @returns null where the line is no result of a request */
export function resultOf(line: string, { toolCallId, secrets }: Reading): BatchResult | null {
  const parsed = parseJson(line);
  const custom_id = textAt(parsed, "custom_id");
  if (custom_id === null) return null;
  const http = countAt(parsed, "response", "status_code");
  const request_id = textAt(parsed, "response", "request_id");
  const body = at(parsed, "response", "body");
  if (http === 200) {
    const builder = buildAnswer({ model: textAt(body, "model") ?? "" }, { toolCallId, onDelta: () => undefined });
    return wholeAnswer({ custom_id, builder, events: eventsOf(body), request_id, secrets });
  }
  const code = textAt(parsed, "error", "code") ?? "";
  if (Object.hasOwn(UNANSWERED, code)) return { ok: true, custom_id, answer: UNANSWERED[code] ?? "expired" };
  if (http === null && at(parsed, "error") === undefined) return null;
  const told = http === null ? { error: at(parsed, "error") } : body;
  const { kind, after_ms } = classifyProviderError({ provider: PROVIDER, http, body: told });
  const message = errorText(told) ?? "The request failed, and the result does not say why.";
  // What was refused is not billed.
  const facts = { kind, message, http, request_id, retry_after_ms: after_ms, usage: NO_USAGE };
  return { ok: true, custom_id, answer: modelFailure(facts, secrets) };
}

const ENDS: { readonly [status: string]: string } = {
  completed: "response.completed",
  incomplete: "response.incomplete",
  failed: "response.failed",
};

/** L2. A whole response as its stream would have brought it. */
function eventsOf(response: unknown): readonly object[] {
  const output: unknown = at(response, "output");
  const items = Array.isArray(output) ? (output as readonly unknown[]) : [];
  const type = ENDS[textAt(response, "status") ?? ""];
  return [
    { type: "response.created", response },
    ...items.flatMap((item, output_index) => [
      { type: "response.output_item.added", output_index, item },
      { type: "response.output_item.done", output_index, item },
    ]),
    ...(type === undefined ? [] : [{ type, response }]),
  ];
}
