/** Anthropic's Messages API. */
import { asRecord, at, countAt, textAt } from "../../../model/json-view.ts";
import type { CacheBlock } from "../cache/prompt.ts";
import {
  type ApiError,
  type Asked,
  type Dialect,
  REQUESTS_PER_MINUTE,
  type RateState,
  recordsOf,
  TOKENS_PER_MINUTE,
} from "../dialect.ts";
import { apiError, errorBody, errorForStatus, errorOfKind, invalid } from "./api-error.ts";
import { anthropicLimits } from "./limits.ts";
import { event, messageEvents, wholeMessage } from "./message.ts";
import { bodyError, headError } from "./validate.ts";
import { blocksOf, resultText, textOf, unmarked, wireMessages } from "./wire.ts";

export const anthropic: Dialect = {
  name: "anthropic",
  defaultModels: ["claude-sonnet-4-5", "claude-opus-4-5"],
  requestIdHeader: "request-id",
  headError,
  bodyError: (body, headers) => bodyError(body, headers["anthropic-version"] ?? "", "create"),
  asked,
  overflow,
  cache: "marked",
  blocks: promptBlocks,
  whole: wholeMessage,
  events: messageEvents,
  errorEvents: ({ type, message }) => [event("error", { error: { type, message } })],
  ping: () => event("ping", {}),
  errorBody,
  errorForStatus,
  errorOfKind,
  invalid,
  notFound: (method, path) => apiError(404, "not_found_error", `Not found: ${method} ${path}`),
  tooLarge: () => errorForStatus(413),
  rateHeaders,
  limits: anthropicLimits,
  modelList: (models) => {
    const data = models.map((id) => ({ type: "model", id, display_name: id, created_at: "2026-01-01T00:00:00Z" }));
    return { data, has_more: false, first_id: models[0] ?? null, last_id: models.at(-1) ?? null };
  },
};

function asked(body: unknown): Asked {
  const messages = wireMessages(body);
  const first = messages.find(({ role }) => role === "user")?.blocks ?? [];
  const last = messages.at(-1);
  return {
    task: textOf(first),
    identity: JSON.stringify([first.map(unmarked), textAt(body, "metadata", "user_id")]),
    step: messages.filter(({ role }) => role === "assistant").length,
    pauses: { open: last?.role === "assistant" ? textOf(last.blocks) : null },
    model: textAt(body, "model") ?? "",
    maxTokens: countAt(body, "max_tokens"),
    stream: at(body, "stream") === true,
    system: textOf(blocksOf(at(body, "system"))),
    userText: last?.role === "user" ? textOf(last.blocks) : "",
    results: (last?.blocks ?? [])
      .filter((block) => block["type"] === "tool_result")
      .map((block) => ({ text: resultText(block), isError: block["is_error"] === true })),
    lastWords: JSON.stringify(last?.blocks ?? null),
  };
}

function overflow(body: unknown, input: number, limit: number): ApiError | null {
  const output = countAt(body, "max_tokens") ?? 0;
  if (input > limit) return invalid(`prompt is too long: ${input} tokens > ${limit} maximum`);
  if (input + output <= limit) return null;
  return invalid(
    `input length and \`max_tokens\` exceed context limit: ${input} + ${output} > ${limit}, decrease input length or \`max_tokens\` and try again`,
  );
}

/** Tools, then the system prompt, then the messages. What changes how messages are read is part of their prefix. */
export function promptBlocks(body: unknown): readonly CacheBlock[] {
  const settings = { tool_choice: at(body, "tool_choice"), thinking: at(body, "thinking") };
  const blocks: CacheBlock[] = [
    ...recordsOf(at(body, "tools")).map((tool, i) => block(`tools.${i}`, tool)),
    ...blocksOf(at(body, "system")).map((part, i) => block(`system.${i}`, part)),
    { path: "settings", text: JSON.stringify(settings), mark: null, hidden: true },
    ...wireMessages(body).flatMap(({ role, blocks: parts }, i) =>
      parts.map((part, j) => block(`messages.${i}.content.${j}`, part, role)),
    ),
  ];
  const automatic = markOf(at(body, "cache_control"));
  const last = blocks.findLastIndex(({ text }) => !text.includes('"type":"thinking"'));
  return automatic === null
    ? blocks
    : blocks.map((entry, i) => (i === last && entry.mark === null ? { ...entry, mark: automatic } : entry));
}

function block(path: string, part: { readonly [key: string]: unknown }, role?: string): CacheBlock {
  const read = unmarked(part);
  return {
    path,
    text: JSON.stringify(role === undefined ? read : { role, ...read }),
    mark: markOf(part["cache_control"]),
  };
}

function markOf(mark: unknown): "5m" | "1h" | null {
  if (asRecord(mark) === null) return null;
  return textAt(mark, "ttl") === "1h" ? "1h" : "5m";
}

/** A window that goes down with every request and comes back each minute. */
function rateHeaders({ count, now, exhausted, resetMs }: RateState): { readonly [name: string]: string } {
  const reset = new Date(Math.ceil(now + resetMs)).toISOString();
  const limits = {
    requests: REQUESTS_PER_MINUTE,
    "input-tokens": TOKENS_PER_MINUTE,
    "output-tokens": TOKENS_PER_MINUTE / 5,
  };
  const entries = Object.entries(limits).flatMap(([name, limit]) => {
    const empty = exhausted !== null && name.endsWith(exhausted);
    return [
      [`anthropic-ratelimit-${name}-limit`, String(limit)],
      [`anthropic-ratelimit-${name}-remaining`, String(empty ? 0 : Math.max(0, limit - count))],
      [`anthropic-ratelimit-${name}-reset`, reset],
    ];
  });
  return Object.fromEntries(entries) as { readonly [name: string]: string }; // pairs of strings, as built above
}
