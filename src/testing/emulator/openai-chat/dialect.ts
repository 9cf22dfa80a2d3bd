/** OpenAI's Chat Completions API, which many other servers speak too. */
import { asRecord, at, countAt, type JsonRecord, textAt } from "../../../model/json-view.ts";
import type { CacheBlock } from "../cache/prompt.ts";
import { type ApiError, type Asked, type Dialect, recordsOf } from "../dialect.ts";
import { errorBody, errorForStatus, errorOfKind, headError, invalid } from "../openai/api-error.ts";
import { contentText, DEFAULT_MODELS, looksLikeError, modelList, rateHeaders } from "../openai/common.ts";
import { openaiLimits } from "../openai/limits.ts";
import { completionEvents, errorEvents, wholeCompletion } from "./completion.ts";
import { bodyError } from "./validate.ts";

export const openaiChat: Dialect = {
  name: "openai-chat",
  defaultModels: DEFAULT_MODELS,
  requestIdHeader: "x-request-id",
  headError,
  bodyError,
  asked,
  overflow,
  cache: "automatic",
  blocks,
  whole: wholeCompletion,
  events: completionEvents,
  errorEvents,
  ping: () => null,
  errorBody,
  errorForStatus,
  errorOfKind: (kind) => (kind === "context_overflow" ? tooLong(128_001, 128_000) : errorOfKind(kind)),
  invalid: (message) => invalid(message),
  notFound: (method, path) => ({ ...invalid(`Invalid URL (${method} ${path})`), status: 404 }),
  tooLarge: () => errorForStatus(413),
  rateHeaders,
  limits: openaiLimits,
  modelList,
};

function asked(body: unknown): Asked {
  const messages = recordsOf(at(body, "messages"));
  const first = messages.find(({ role }) => role === "user")?.["content"];
  const last = messages.at(-1);
  const trailing = messages.slice(messages.findLastIndex(({ role }) => role !== "tool") + 1);
  return {
    task: contentText(first),
    identity: JSON.stringify([
      first ?? null,
      textAt(body, "prompt_cache_key"),
      textAt(body, "safety_identifier"),
      textAt(body, "user"),
    ]),
    step: messages.filter(({ role }) => role === "assistant").length,
    model: textAt(body, "model") ?? "",
    maxTokens: countAt(body, "max_completion_tokens") ?? countAt(body, "max_tokens"),
    stream: at(body, "stream") === true,
    system: messages
      .filter(({ role }) => role === "system" || role === "developer")
      .map(({ content }) => contentText(content))
      .join("\n"),
    userText: last?.["role"] === "user" ? contentText(last["content"]) : "",
    results: trailing.map(({ content }) => {
      const text = contentText(content);
      return { text, isError: looksLikeError(text) };
    }),
    lastWords: JSON.stringify(last ?? null),
  };
}

function overflow(body: unknown, input: number, limit: number): ApiError | null {
  const output = countAt(body, "max_completion_tokens") ?? countAt(body, "max_tokens") ?? 0;
  return input + output > limit ? tooLong(input + output, limit) : null;
}

function tooLong(tokens: number, limit: number): ApiError {
  return invalid(
    `This model's maximum context length is ${limit} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`,
    "messages",
    "context_length_exceeded",
  );
}

function blocks(body: unknown): readonly CacheBlock[] {
  const block = (path: string, value: JsonRecord): CacheBlock => ({ path, text: JSON.stringify(value), mark: null });
  const format = asRecord(at(body, "response_format"));
  return [
    ...recordsOf(at(body, "tools")).map((tool, i) => block(`tools.${i}`, tool)),
    ...(format === null ? [] : [block("response_format", format)]),
    ...recordsOf(at(body, "messages")).map((message, i) => block(`messages.${i}`, message)),
  ];
}
