/** What the provider checks before it answers, in its own words: a request that it would refuse must not pass a test. */
import { asRecord, at, countAt, type JsonRecord, textAt } from "../../../model/json-view.ts";
import { takesAdaptiveThinking } from "../../../model/anthropic/thinking.ts";
import { type ApiError, recordsOf, type RequestHead } from "../dialect.ts";
import { apiError, invalid } from "./api-error.ts";
import { blocksOf, signatureOf, type WireMessage, wireMessages } from "./wire.ts";

const CACHE_MARKS_MAX = 4;
const BUDGET_TOKENS_MIN = 1_024;
/** Since this version, sampling parameters are refused. */
const NO_SAMPLING_SINCE = "2026-10-21";

export function headError({ headers, apiKey }: RequestHead): ApiError | null {
  const bearer = /^Bearer (.+)$/i.exec(headers["authorization"] ?? "")?.[1];
  const key = headers["x-api-key"] ?? bearer;
  if (key === undefined || key === "") return apiError(401, "authentication_error", "x-api-key header is required");
  if (apiKey !== null && key !== apiKey) return apiError(401, "authentication_error", "invalid x-api-key");
  if (headers["anthropic-version"] === undefined) return invalid("anthropic-version: header is required");
  return null;
}

/** @param kind counting tokens needs no `max_tokens`. */
export function bodyError(body: unknown, version: string, kind: "create" | "count"): ApiError | null {
  if (asRecord(body) === null) return invalid("Input should be a valid dictionary");
  const message =
    fieldFault(body, version, kind) ?? markFault(body) ?? toolFault(body) ?? messageFault(body) ?? thinkingFault(body);
  return message === null ? null : invalid(message);
}

function fieldFault(body: unknown, version: string, kind: "create" | "count"): string | null {
  if (textAt(body, "model") === null) return "model: Field required";
  if (kind === "create" && at(body, "max_tokens") === undefined) return "max_tokens: Field required";
  if (kind === "create" && (countAt(body, "max_tokens") ?? 0) < 1)
    return "max_tokens: Input should be greater than or equal to 1";
  if (!Array.isArray(at(body, "messages"))) return "messages: Field required";
  const sampling = ["temperature", "top_p", "top_k"].find((name) => at(body, name) !== undefined);
  if (sampling !== undefined && version >= NO_SAMPLING_SINCE) return `${sampling}: Extra inputs are not permitted`;
  return null;
}

function markFault(body: unknown): string | null {
  const marks = marksOf(body);
  if (marks.length > CACHE_MARKS_MAX)
    return `A maximum of ${CACHE_MARKS_MAX} blocks with cache_control may be provided. Found ${marks.length}.`;
  const thinking = marks.find(({ block }) => block["type"] === "thinking" || block["type"] === "redacted_thinking");
  if (thinking)
    return `${thinking.path}.${String(thinking.block["type"])}.cache_control: Extra inputs are not permitted`;
  const empty = marks.find(({ block }) => block["type"] === "text" && block["text"] === "");
  if (empty) return `${empty.path}: cache_control cannot be set for empty text blocks`;
  const late = marks.findIndex(({ hour }, i) => hour && marks.slice(0, i).some((before) => !before.hour));
  return late < 0
    ? null
    : `${marks[late]?.path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: \`tools\`, \`system\`, \`messages\`.`;
}

interface Mark {
  readonly path: string;
  readonly block: JsonRecord;
  readonly hour: boolean;
}

/** In the order in which they are read. What the request marks by itself is one of them. */
function marksOf(body: unknown): readonly Mark[] {
  const blocks: (readonly [string, JsonRecord])[] = [
    ...recordsOf(at(body, "tools")).map((tool, i) => [`tools.${i}`, tool] as const),
    ...blocksOf(at(body, "system")).map((block, i) => [`system.${i}`, block] as const),
    ...wireMessages(body).flatMap(({ blocks: parts }, i) =>
      parts.map((block, j) => [`messages.${i}.content.${j}`, block] as const),
    ),
  ];
  const own = asRecord(at(body, "cache_control"));
  return [...blocks, ...(own ? [["request", { cache_control: own }] as const] : [])].flatMap(([path, block]) => {
    const mark = asRecord(block["cache_control"]);
    return mark === null ? [] : [{ path, block, hour: mark["ttl"] === "1h" }];
  });
}

function toolFault(body: unknown): string | null {
  const tools = at(body, "tools");
  if (!Array.isArray(tools)) return null;
  const names = tools.map((tool) => textAt(tool, "name") ?? "");
  const odd = names.findIndex((name) => !/^[a-zA-Z0-9_-]{1,128}$/.test(name));
  if (odd >= 0) return `tools.${odd}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`;
  return new Set(names).size < names.length ? "tools: Tool names must be unique." : null;
}

function messageFault(body: unknown): string | null {
  const messages = wireMessages(body);
  const [first] = messages;
  if (first === undefined) return "messages: at least one message is required";
  if (first.role !== "user") return 'messages: first message must use the "user" role';
  const doubled = messages.find((message, index) => message.role === messages[index - 1]?.role);
  if (doubled) {
    return `messages: roles must alternate between "user" and "assistant", but found multiple "${doubled.role}" roles in a row`;
  }
  for (const [index, message] of messages.entries()) {
    const fault = contentFault(messages, message, index) ?? pairFault(messages, message, index);
    if (fault !== null) return fault;
  }
  return null;
}

function contentFault(messages: readonly WireMessage[], message: WireMessage, index: number): string | null {
  const last = index === messages.length - 1;
  if (message.role !== "user" && message.role !== "assistant")
    return `messages.${index}.role: Input should be 'user' or 'assistant'`;
  if (message.blocks.length === 0 && !(last && message.role === "assistant")) {
    return `messages.${index}: all messages must have non-empty content except for the optional final assistant message`;
  }
  const faulty = message.blocks.map((block, position) => blockFault(block, `messages.${index}.content.${position}`));
  return faulty.find((fault) => fault !== null) ?? (last ? prefillFault(message) : null);
}

function blockFault(block: JsonRecord, path: string): string | null {
  const text = textAt(block, "text") ?? "";
  switch (block["type"]) {
    case "text":
      if (text === "") return "messages: text content blocks must be non-empty";
      return text.trim() === "" ? "messages: text content blocks must contain non-whitespace text" : null;
    case "tool_use":
      return asRecord(block["input"]) === null ? `${path}.tool_use.input: Input should be a valid dictionary` : null;
    case "thinking": {
      const signed = textAt(block, "signature") === signatureOf(textAt(block, "thinking") ?? "");
      return signed ? null : `${path}: Invalid \`signature\` in \`thinking\` block`;
    }
    default:
      return null;
  }
}

/** An answer that the model is to continue. */
function prefillFault(message: WireMessage): string | null {
  const text = message.role === "assistant" ? textAt(message.blocks.at(-1), "text") : null;
  return text === null || text === text.trimEnd()
    ? null
    : "messages: final assistant content cannot end with trailing whitespace";
}

/** Every tool call has its result in the next message, and every result its call in the one before. */
function pairFault(messages: readonly WireMessage[], message: WireMessage, index: number): string | null {
  const uses = ids(message, "tool_use", "id");
  const answered = new Set(ids(messages[index + 1], "tool_result", "tool_use_id"));
  const open = uses.filter((id) => !answered.has(id));
  if (message.role === "assistant" && open.length > 0) {
    return `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
  }
  if (new Set(uses).size < uses.length) return "messages: `tool_use` ids must be unique";
  const asked = new Set(ids(messages[index - 1], "tool_use", "id"));
  for (const [at_, block] of message.blocks.entries()) {
    const id = textAt(block, "tool_use_id");
    if (block["type"] === "tool_result" && !asked.has(id ?? "")) {
      return `messages.${index}.content.${at_}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
    }
  }
  return null;
}

function ids(message: WireMessage | undefined, type: string, key: string): readonly string[] {
  return (message?.blocks ?? []).flatMap((block: JsonRecord) => (block["type"] === type ? [String(block[key])] : []));
}

function thinkingFault(body: unknown): string | null {
  if (textAt(body, "thinking", "type") !== "enabled") return null;
  if (takesOnlyAdaptive(textAt(body, "model") ?? "")) {
    return '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.';
  }
  const budget = countAt(body, "thinking", "budget_tokens");
  if (budget === null) return "thinking.enabled.budget_tokens: Field required";
  if (budget < BUDGET_TOKENS_MIN)
    return `thinking.enabled.budget_tokens: Input should be greater than or equal to ${BUDGET_TOKENS_MIN}`;
  if (budget >= (countAt(body, "max_tokens") ?? Infinity))
    return "`max_tokens` must be greater than `thinking.budget_tokens`.";
  return null;
}

/** 4.6 still takes both forms. */
function takesOnlyAdaptive(model: string): boolean {
  return takesAdaptiveThinking(model) && !/4[-.]6/.test(model);
}
