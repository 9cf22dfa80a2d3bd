/** OpenAI's Responses API. */
import { asRecord, at, countAt, textAt } from "../../../model/json-view.ts";
import type { CacheBlock } from "../cache/prompt.ts";
import type { Asked, Dialect } from "../dialect.ts";
import { recordsOf } from "../dialect.ts";
import { errorBody, errorForStatus, errorOfKind, headError, invalid } from "../openai/api-error.ts";
import { contentText, DEFAULT_MODELS, looksLikeError, modelList, rateHeaders } from "../openai/common.ts";
import { openaiLimits } from "../openai/limits.ts";
import { answersIn, itemsOf, OUTPUT_OF, typeOf } from "./input.ts";
import { errorEvents, responseEvents, wholeResponse } from "./response.ts";
import { bodyError } from "./validate.ts";

export const openaiResponses: Dialect = {
  name: "openai-responses",
  defaultModels: DEFAULT_MODELS,
  requestIdHeader: "x-request-id",
  headError,
  bodyError,
  asked,
  overflow: (_, input, limit) => (input > limit ? errorOfKind("context_overflow") : null),
  cache: "automatic",
  blocks,
  whole: wholeResponse,
  events: responseEvents,
  errorEvents,
  ping: () => null,
  errorBody,
  errorForStatus,
  errorOfKind,
  invalid: (message) => invalid(message),
  notFound: (method, path) => ({ ...invalid(`Invalid URL (${method} ${path})`), status: 404 }),
  tooLarge: () => errorForStatus(413),
  rateHeaders,
  limits: openaiLimits,
  modelList,
};

const OUTPUTS: ReadonlySet<string> = new Set(Object.values(OUTPUT_OF));

function asked(body: unknown): Asked {
  const items = itemsOf(body);
  const first = items.find((item) => item["role"] === "user")?.["content"];
  const last = items.at(-1);
  const trailing = items.slice(items.findLastIndex((item) => !OUTPUTS.has(typeOf(item))) + 1);
  return {
    task: contentText(first),
    identity: JSON.stringify([first ?? null, textAt(body, "prompt_cache_key"), textAt(body, "safety_identifier")]),
    step: answersIn(items),
    model: textAt(body, "model") ?? "",
    maxTokens: countAt(body, "max_output_tokens"),
    stream: at(body, "stream") === true,
    system: [
      textAt(body, "instructions") ?? "",
      ...items
        .filter((item) => item["role"] === "system" || item["role"] === "developer")
        .map((item) => contentText(item["content"])),
    ].join("\n"),
    userText: last?.["role"] === "user" ? contentText(last["content"]) : "",
    results: trailing.map((item) => {
      const text = contentText(item["output"]);
      return { text, isError: looksLikeError(text) };
    }),
    lastWords: JSON.stringify(last ?? null),
  };
}

/** In the order in which the prompt is rendered: tools, instructions, the form of the text, then the items. */
function blocks(body: unknown): readonly CacheBlock[] {
  const block = (path: string, value: unknown): CacheBlock => ({ path, text: JSON.stringify(value), mark: null });
  const instructions = textAt(body, "instructions");
  const format = asRecord(at(body, "text", "format"));
  return [
    ...recordsOf(at(body, "tools")).map((tool, i) => block(`tools.${i}`, tool)),
    ...(instructions === null ? [] : [block("instructions", instructions)]),
    ...(format === null ? [] : [block("text.format", format)]),
    ...itemsOf(body).map((item, i) => block(`input.${i}`, item)),
  ];
}
