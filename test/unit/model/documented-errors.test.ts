/**
 * What providers document, and what was seen of them, row by row: each has a kind, shown on its real text. The other samples are
 * in `classify.test.ts`; what no text shows (a cut input, an empty answer) is tested where it is found.
 */
import { describe, expect, it } from "vitest";
import { PROVIDER_ERRORS } from "../../../src/kernel/provider-errors.ts";
import { classifyException, classifyProviderError, type ProviderErrorInput } from "../../../src/model/classify.ts";
import type { ErrorKind } from "../../../src/kernel/error-kind.ts";

type Row = readonly [
  documented: string,
  kind: ErrorKind,
  input: Omit<ProviderErrorInput, "provider">,
  after_ms?: number | null,
];

const error = (type: string, message: string, details?: object): object => ({
  type: "error",
  error: { type, message, ...(details ? { details } : {}) },
  request_id: "req_1",
});
const rejected = (message: string): Omit<ProviderErrorInput, "provider"> => ({
  http: 400,
  body: error("invalid_request_error", message),
});

const ANTHROPIC: readonly Row[] = [
  ["400 invalid_request_error", "invalid_request", rejected("max_tokens: Field required")],
  [
    "400 own spend limit",
    "quota_exhausted",
    rejected("You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."),
  ],
  [
    "400 own spend limit of a workspace",
    "quota_exhausted",
    rejected(
      "You have reached your specified workspace API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
    ),
  ],
  [
    "422 as invalid_request_error",
    "invalid_request",
    { http: 422, body: error("invalid_request_error", "Unprocessable") },
  ],
  ["401 authentication_error", "auth", { http: 401, body: error("authentication_error", "invalid x-api-key") }],
  [
    "402 billing_error",
    "billing",
    { http: 402, body: error("billing_error", "There's an issue with your billing or payment information.") },
  ],
  [
    "403 permission_error",
    "permission",
    {
      http: 403,
      body: error("permission_error", "Your API key does not have permission to use the specified resource."),
    },
  ],
  ["404 not_found_error", "not_found", { http: 404, body: error("not_found_error", "model: claude-3-nope") }],
  [
    "409 conflict_error",
    "conflict",
    { http: 409, body: error("conflict_error", "The resource is in a state that conflicts with the request.") },
  ],
  [
    "413 request_too_large",
    "request_too_large",
    { http: 413, body: error("request_too_large", "Request exceeds the maximum size") },
  ],
  [
    "413 of Cloudflare",
    "request_too_large",
    {
      http: 413,
      body: "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body><center><h1>413 Request Entity Too Large</h1></center><hr><center>cloudflare</center></body></html>",
    },
  ],
  [
    "429 rate_limit_error with retry-after",
    "rate_limit",
    {
      http: 429,
      headers: { "retry-after": "42" },
      body: error(
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 40,000 input tokens per minute.",
      ),
    },
    42_000,
  ],
  [
    "429 acceleration limit",
    "rate_limit",
    {
      http: 429,
      body: error(
        "rate_limit_error",
        "Your organization's usage is accelerating too quickly. Please scale up your usage more gradually.",
      ),
    },
  ],
  [
    "429 enforced_spend_limit_reached",
    "quota_exhausted",
    {
      http: 429,
      body: error("rate_limit_error", "Spend limit reached.", { error_code: "enforced_spend_limit_reached" }),
    },
    null,
  ],
  ["500 api_error", "server_error", { http: 500, body: error("api_error", "Internal server error") }],
  ["504 timeout_error", "timeout", { http: 504, body: error("timeout_error", "Request timed out") }],
  ["529 overloaded_error", "overloaded", { http: 529, body: error("overloaded_error", "Overloaded") }],
  ["in-stream overloaded_error", "overloaded", { http: 200, event: error("overloaded_error", "Overloaded") }],
  ["in-stream api_error", "server_error", { http: 200, event: error("api_error", "Internal server error") }],
  ["in-stream rate_limit_error", "rate_limit", { http: 200, event: error("rate_limit_error", "Rate limited") }],
  [
    "in-stream invalid_request_error",
    "invalid_request",
    { http: 200, event: error("invalid_request_error", "Something is wrong") },
  ],
  ["unknown events are skipped", "unknown_event", { http: 200, event: { type: "message_sparkle" } }],
  ["ping at any time", "comment", { http: 200, event: { type: "ping" } }],
  ["stop_reason max_tokens", "truncated", { event: { type: "message_delta", delta: { stop_reason: "max_tokens" } } }],
  ["stop_reason pause_turn", "pause", { event: { type: "message_delta", delta: { stop_reason: "pause_turn" } } }],
  [
    "stop_reason refusal",
    "refusal",
    {
      event: {
        type: "message_delta",
        delta: { stop_reason: "refusal", stop_details: { type: "refusal", category: "cyber", explanation: null } },
      },
    },
  ],
  [
    "stop_reason model_context_window_exceeded",
    "context_overflow",
    { event: { type: "message_delta", delta: { stop_reason: "model_context_window_exceeded" } } },
  ],
  ["prompt is too long", "context_overflow", rejected("prompt is too long: 203456 tokens > 200000 maximum")],
  [
    "input and max_tokens together",
    "max_tokens_overflow",
    rejected(
      "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again",
    ),
  ],
  [
    "tool_use without tool_result",
    "orphan_tool_use",
    rejected(
      "messages.2: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_01A09q90qw90lq917835lq9. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
    ),
  ],
  [
    "tool_result without tool_use",
    "orphan_tool_result",
    rejected(
      "messages.0.content.1: unexpected `tool_use_id` found in `tool_result` blocks: toolu_01A09q90qw90lq917835lq9. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
    ),
  ],
  [
    "invalid signature",
    "thinking_signature",
    rejected("messages.1.content.0: Invalid `signature` in `thinking` block"),
  ],
  [
    "thinking modified",
    "thinking_modified",
    rejected(
      "messages.3.content.1: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.",
    ),
  ],
  [
    "thinking order",
    "thinking_order",
    rejected(
      "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.",
    ),
  ],
  ["stream idle timeout", "stream_idle", { body: "Stream idle timeout - partial response received" }],
];

const said = (message: string, facts: object = {}): object => ({
  error: { message, type: "invalid_request_error", param: null, code: null, ...facts },
});
const failed = (code: string, message: string): object => ({
  type: "response.failed",
  sequence_number: 9,
  response: { object: "response", status: "failed", error: { code, message } },
});

const OPENAI: readonly Row[] = [
  [
    "400 context_length_exceeded",
    "context_overflow",
    {
      http: 400,
      body: said("Your input exceeds the context window of this model. Please adjust your input and try again.", {
        code: "context_length_exceeded",
        param: "input",
      }),
    },
  ],
  [
    "400 invalid service_tier",
    "invalid_request",
    { http: 400, body: said("Invalid service_tier argument", { param: "service_tier" }) },
  ],
  ["401 invalid authentication", "auth", { http: 401, body: said("Invalid Authentication") }],
  [
    "401 incorrect API key",
    "auth",
    {
      http: 401,
      body: said(
        "Incorrect API key provided: sk-abc. You can find your API key at https://platform.openai.com/account/api-keys.",
        { code: "invalid_api_key" },
      ),
    },
  ],
  [
    "401 not in an organization",
    "auth",
    { http: 401, body: said("You must be a member of an organization to use the API") },
  ],
  ["401 address not allowed", "auth", { http: 401, body: said("IP not authorized", { code: "ip_not_authorized" }) }],
  [
    "403 region",
    "permission",
    {
      http: 403,
      body: said("Country, region, or territory not supported", {
        type: "request_forbidden",
        code: "unsupported_country_region_territory",
      }),
    },
  ],
  [
    "404 model_not_found",
    "not_found",
    {
      http: 404,
      body: said("The model `gpt-9` does not exist or you do not have access to it.", { code: "model_not_found" }),
    },
  ],
  ["409 conflict", "conflict", { http: 409, body: said("The resource was updated by another request.") }],
  ["422 unprocessable", "invalid_request", { http: 422, body: said("Unprocessable entity") }],
  [
    "429 rate_limit_exceeded for tokens",
    "rate_limit",
    {
      http: 429,
      body: said(
        "Rate limit reached for gpt-5 in organization org-x on tokens per min (TPM): Limit 30000, Used 28000, Requested 4000. Please try again in 41.724s. Visit https://platform.openai.com/account/rate-limits to learn more.",
        { type: "tokens", code: "rate_limit_exceeded" },
      ),
    },
    41_724,
  ],
  [
    "429 rate_limit_exceeded for requests",
    "rate_limit",
    {
      http: 429,
      body: said(
        "Rate limit reached for gpt-5 in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.",
        { type: "requests", code: "rate_limit_exceeded" },
      ),
    },
    20_000,
  ],
  ["429 slow_down", "rate_limit", { http: 429, body: said("Slow down", { code: "slow_down" }) }],
  ["503 slow_down", "rate_limit", { http: 503, body: said("Slow Down", { code: "slow_down" }) }],
  [
    "429 insufficient_quota",
    "quota_exhausted",
    {
      http: 429,
      headers: { "retry-after": "1" },
      body: said(
        "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
        { type: "insufficient_quota", code: "insufficient_quota" },
      ),
    },
    null,
  ],
  [
    "429 credit_balance_exhausted",
    "quota_exhausted",
    { http: 429, body: said("Your credit balance is exhausted.", { code: "credit_balance_exhausted" }) },
    null,
  ],
  ["429 spend limit", "quota_exhausted", { http: 429, body: said("You have reached your monthly spend limit.") }, null],
  [
    "500 server_error",
    "server_error",
    {
      http: 500,
      body: said("The server had an error while processing your request. Sorry about that!", { type: "server_error" }),
    },
  ],
  [
    "503 server_is_overloaded with Retry-After",
    "overloaded",
    {
      http: 503,
      headers: { "Retry-After": "9" },
      body: said("Our servers are currently overloaded. Please try again later.", {
        type: "service_unavailable_error",
        code: "server_is_overloaded",
      }),
    },
    9_000,
  ],
  [
    "503 engine overloaded",
    "overloaded",
    { http: 503, body: said("The engine is currently overloaded, please try again later") },
  ],
  [
    "stream error",
    "server_error",
    {
      event: {
        type: "error",
        sequence_number: 3,
        code: "server_error",
        message: "The server had an error processing your request. Sorry about that!",
        param: null,
      },
    },
  ],
  [
    "response.failed server_error",
    "server_error",
    { event: failed("server_error", "The model failed to generate a response.") },
  ],
  [
    "response.failed rate_limit_exceeded",
    "rate_limit",
    { event: failed("rate_limit_exceeded", "Rate limit reached. Please try again in 6m0s.") },
    360_000,
  ],
  [
    "response.failed invalid_prompt",
    "content_filter",
    {
      event: failed(
        "invalid_prompt",
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
      ),
    },
  ],
  ["response.failed bio_policy", "content_filter", { event: failed("bio_policy", "This request was blocked.") }],
  [
    "response.failed image_parse_error",
    "invalid_request",
    { event: failed("image_parse_error", "The image could not be read.") },
  ],
  [
    "response.failed data_residency_mismatch",
    "permission",
    { event: failed("data_residency_mismatch", "The project's region does not match.") },
  ],
  [
    "response.incomplete max_output_tokens",
    "truncated",
    {
      event: {
        type: "response.incomplete",
        response: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
      },
    },
  ],
  [
    "response.incomplete content_filter",
    "content_filter",
    {
      event: {
        type: "response.incomplete",
        response: { status: "incomplete", incomplete_details: { reason: "content_filter" } },
      },
    },
  ],
  [
    "response.refusal",
    "refusal",
    { event: { type: "response.refusal.done", refusal: "I’m sorry, but I can’t assist with that." } },
  ],
  [
    "no output for a call",
    "orphan_tool_use",
    { http: 400, body: said("No tool output found for function call call_9f2b1d.", { param: "input" }) },
  ],
  [
    "tool_calls without messages",
    "orphan_tool_use",
    {
      http: 400,
      body: said(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: call_abc",
        { param: "messages.[3].role" },
      ),
    },
  ],
  [
    "an output without a call",
    "orphan_tool_result",
    { http: 400, body: said("No tool call found for function call output with call_id call_abc.", { param: "input" }) },
  ],
  [
    "reasoning without its item",
    "reasoning_pairing",
    {
      http: 400,
      body: said("Item 'rs_68a' of type 'reasoning' was provided without its required following item.", {
        param: "input",
      }),
    },
  ],
  [
    "function_call without its reasoning",
    "reasoning_pairing",
    {
      http: 400,
      body: said(
        "Item 'fc_68b' of type 'function_call' was provided without its required 'reasoning' item: 'rs_68a'.",
        { param: "input" },
      ),
    },
  ],
  [
    "message without its reasoning",
    "reasoning_pairing",
    {
      http: 400,
      body: said("Item 'msg_68c' of type 'message' was provided without its required 'reasoning' item: 'rs_68a'.", {
        param: "input",
      }),
    },
  ],
  [
    "encrypted content of another organization",
    "thinking_signature",
    {
      http: 400,
      body: said(
        "The encrypted content gAAA... could not be verified. Reason: Encrypted content organization_id did not match the target organization.",
        { code: "invalid_encrypted_content" },
      ),
    },
  ],
];

const google = (code: number, status: string, message: string, details?: readonly object[]): object => ({
  error: { code, status, message, ...(details ? { details } : {}) },
});

const GEMINI: readonly Row[] = [
  [
    "400 INVALID_ARGUMENT",
    "invalid_request",
    { http: 400, body: google(400, "INVALID_ARGUMENT", "Request contains an invalid argument.") },
  ],
  [
    "400 FAILED_PRECONDITION",
    "permission",
    { http: 400, body: google(400, "FAILED_PRECONDITION", "User location is not supported for the API use.") },
  ],
  [
    "400 billing not enabled",
    "billing",
    {
      http: 400,
      body: google(
        400,
        "FAILED_PRECONDITION",
        "Gemini API free tier is not available in your country. Please enable billing on your project in Google AI Studio.",
      ),
    },
  ],
  [
    "403 PERMISSION_DENIED",
    "permission",
    { http: 403, body: google(403, "PERMISSION_DENIED", "Your API key doesn't have the required permissions.") },
  ],
  [
    "404 NOT_FOUND",
    "not_found",
    { http: 404, body: google(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta") },
  ],
  [
    "429 RESOURCE_EXHAUSTED",
    "rate_limit",
    {
      http: 429,
      body: google(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).", [
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "27.5s" },
      ]),
    },
    27_500,
  ],
  [
    "500 INTERNAL",
    "server_error",
    {
      http: 500,
      body: google(
        500,
        "INTERNAL",
        "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
      ),
    },
  ],
  [
    "503 UNAVAILABLE",
    "overloaded",
    { http: 503, body: google(503, "UNAVAILABLE", "The model is overloaded. Please try again later.") },
  ],
  [
    "504 DEADLINE_EXCEEDED",
    "timeout",
    { http: 504, body: google(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.") },
  ],
  [
    "missing thought_signature",
    "thinking_signature",
    {
      http: 400,
      body: google(
        400,
        "INVALID_ARGUMENT",
        "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly.",
      ),
    },
  ],
];

const router = (code: number, message: string, metadata?: object): object => ({
  error: { code, message, ...(metadata ? { metadata } : {}) },
  user_id: "user_1",
});
const quoted = (raw: object): object =>
  router(400, "Provider returned error", { provider_name: "X", raw: JSON.stringify(raw) });

const OPENROUTER: readonly Row[] = [
  ["400", "invalid_request", { http: 400, body: router(400, "model is not a valid model ID") }],
  ["401", "auth", { http: 401, body: router(401, "No auth credentials found") }],
  [
    "402 without Retry-After is final",
    "billing",
    { http: 402, body: router(402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits") },
    null,
  ],
  [
    "403 moderation",
    "content_filter",
    {
      http: 403,
      body: router(403, "Your chosen model requires moderation and your input was flagged", {
        reasons: ["violence"],
        flagged_input: "…",
        provider_name: "X",
        model_slug: "y",
      }),
    },
  ],
  ["408", "timeout", { http: 408, body: router(408, "Your request timed out") }],
  ["429", "rate_limit", { http: 429, body: router(429, "You are being rate limited") }],
  [
    "502",
    "server_error",
    { http: 502, body: router(502, "Your chosen model is down or we received an invalid response from it") },
  ],
  [
    "503",
    "overloaded",
    { http: 503, body: router(503, "There is no available model provider that meets your routing requirements") },
  ],
  ["200 with an error in the body", "rate_limit", { http: 200, body: router(429, "Provider returned error") }],
  [
    "200 with an error in the stream",
    "server_error",
    {
      http: 200,
      event: {
        id: "gen-1",
        object: "chat.completion.chunk",
        error: { code: 502, message: "Provider disconnected unexpectedly" },
        choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }],
      },
    },
  ],
  [
    "upstream text in metadata.raw",
    "context_overflow",
    { http: 400, body: quoted(error("invalid_request_error", "prompt is too long: 203456 tokens > 200000 maximum")) },
  ],
  [
    "upstream code in metadata.raw",
    "quota_exhausted",
    { http: 400, body: quoted(said("You exceeded your current quota", { code: "insufficient_quota" })) },
  ],
  [
    "upstream text that is no JSON",
    "context_overflow",
    {
      http: 400,
      body: router(400, "Provider returned error", {
        provider_name: "X",
        raw: "This model's maximum context length is 128000 tokens.",
      }),
    },
  ],
  ["keep-alive comments", "comment", { http: 200, event: ": OPENROUTER PROCESSING" }],
];

const BEDROCK: readonly Row[] = [
  [
    "424 in the stream",
    "server_error",
    {
      http: 200,
      event: {
        modelStreamErrorException: {
          message: "The model stream failed.",
          originalStatusCode: 424,
          originalMessage: "x",
        },
      },
    },
  ],
  [
    "408 in the stream",
    "timeout",
    { http: 200, event: { modelTimeoutException: { message: "The request took too long to process." } } },
  ],
  [
    "429 in the stream",
    "rate_limit",
    { http: 200, event: { throttlingException: { message: "Too many requests, please wait before trying again." } } },
  ],
  [
    "503 in the stream",
    "overloaded",
    {
      http: 200,
      event: { serviceUnavailableException: { message: "The service isn't currently available. Try again later." } },
    },
  ],
  [
    "500 in the stream",
    "server_error",
    {
      http: 200,
      event: { internalServerException: { message: "An internal server error occurred. Retry your request." } },
    },
  ],
  [
    "400 in the stream",
    "context_overflow",
    { http: 200, event: { validationException: { message: "Input is too long for requested model." } } },
  ],
  [
    "424",
    "server_error",
    {
      http: 424,
      body: {
        __type: "ModelErrorException",
        message: "The request failed due to an error while processing the model.",
      },
    },
  ],
];

const TOGETHER: readonly Row[] = [
  [
    "403 for an overflow",
    "context_overflow",
    {
      http: 403,
      body: said("This model's maximum context length is 8193 tokens. However, you requested 9000 tokens."),
    },
  ],
  ["403 that is one", "permission", { http: 403, body: said("You do not have access to this model.") }],
];

const RATE: readonly Row[] = [
  [
    "Anthropic's resets are RFC 3339",
    "rate_limit",
    {
      http: 429,
      headers: {
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2026-11-21T10:00:30Z",
      },
      now: Date.parse("2026-11-21T10:00:00Z"),
      body: error("rate_limit_error", "Rate limited"),
    },
    30_000,
  ],
  [
    "of priority tiers, too",
    "rate_limit",
    {
      http: 429,
      headers: {
        "anthropic-priority-input-tokens-remaining": "0",
        "anthropic-priority-input-tokens-reset": "2026-11-21T10:00:05Z",
      },
      now: Date.parse("2026-11-21T10:00:00Z"),
      body: error("rate_limit_error", "Rate limited"),
    },
    5_000,
  ],
  [
    "of subscriptions in seconds since the epoch",
    "rate_limit",
    {
      http: 429,
      headers: { "anthropic-ratelimit-unified-reset": "1795255205" },
      now: 1_795_255_200_000,
      body: error("rate_limit_error", "Rate limited"),
    },
    5_000,
  ],
  ["retry-after in seconds", "rate_limit", { http: 429, headers: { "retry-after": "3" }, body: said("slow") }, 3_000],
  [
    "retry-after-ms goes first",
    "rate_limit",
    { http: 429, headers: { "retry-after": "3", "retry-after-ms": "2500" }, body: said("slow") },
    2_500,
  ],
  [
    "OpenAI's resets are durations",
    "rate_limit",
    {
      http: 429,
      headers: { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1h2m3s" },
      body: said("slow"),
    },
    3_723_000,
  ],
  [
    "Azure's limits of 0 mean nothing",
    "rate_limit",
    {
      http: 429,
      headers: {
        "x-ratelimit-limit-tokens": "0",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "1h",
      },
      body: said("slow"),
    },
    null,
  ],
];

const DOCUMENTED: { readonly [provider: string]: readonly Row[] } = {
  anthropic: ANTHROPIC,
  openai: OPENAI,
  gemini: GEMINI,
  openrouter: OPENROUTER,
  bedrock: BEDROCK,
  together: TOGETHER,
  "rate headers": RATE,
};

describe("what is documented of", () => {
  for (const [provider, rows] of Object.entries(DOCUMENTED)) {
    it.each(rows.map((row) => [row[0], row[1], row] as const))(
      `${provider}: %s is %s`,
      (_, kind, [, , input, after_ms]) => {
        const found = classifyProviderError({ provider, ...input });
        expect(found.kind).toBe(kind);
        if (after_ms !== undefined) expect(found.after_ms).toBe(after_ms);
      },
    );
  }
});

/** Kinds that no text of a provider shows, and where they are shown. */
const ELSEWHERE: { readonly [kind in ErrorKind]?: string } = {
  silent_truncation: "kernel/silent-truncation.test.ts",
  truncated_tool_call: "the model contract",
  empty_response: "openai-answer.test.ts",
  stream_cut: "the model contract",
  interrupted: "the model contract",
  protocol: "the model contract",
  unknown: "classify.test.ts",
  circuit_open: "breaker.test.ts", // no provider says it
};

it("every kind of provider error is shown on a real text, or it is said where", () => {
  const connection = ["network", "dns", "tls"].filter((kind) =>
    [{ code: "ECONNREFUSED" }, { code: "ENOTFOUND" }, { code: "CERT_HAS_EXPIRED" }].some(
      (thrown) => classifyException(thrown) === kind,
    ),
  );
  const shown = new Set<string>([
    ...Object.values(DOCUMENTED).flatMap((rows) => rows.map(([, kind]) => kind)),
    ...connection,
  ]);
  const missing = Object.keys(PROVIDER_ERRORS).filter((kind) => !shown.has(kind) && !Object.hasOwn(ELSEWHERE, kind));
  expect(missing).toEqual([]);
});
