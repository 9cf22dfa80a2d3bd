import { describe, expect, it } from "vitest";
import { ERROR_TABLE, type ErrorKind } from "../../../src/kernel/error-kind.ts";
import { classifyProviderError, type ProviderErrorInput } from "../../../src/model/classify.ts";
import { REQUEST_PATTERNS, SPEND_PATTERNS, TRANSPORT_PATTERNS } from "../../../src/model/patterns.ts";

type Row = readonly [kind: ErrorKind, input: ProviderErrorInput, after_ms?: number | null];

const anthropic = (
  http: number,
  type: string,
  message: string,
  details?: object,
  headers?: Record<string, string>,
): ProviderErrorInput => ({
  provider: "anthropic",
  http,
  body: { type: "error", error: { type, message, ...(details ? { details } : {}) }, request_id: "req_1" },
  ...(headers ? { headers } : {}),
});
const openai = (http: number, error: object, headers?: Record<string, string>): ProviderErrorInput => ({
  provider: "openai",
  http,
  body: { error },
  ...(headers ? { headers } : {}),
});
const gemini = (http: number, status: string, message: string, details?: readonly object[]): ProviderErrorInput => ({
  provider: "gemini",
  http,
  body: { error: { code: http, status, message, ...(details ? { details } : {}) } },
});
const rejected = (message: string): ProviderErrorInput => anthropic(400, "invalid_request_error", message);

const ANTHROPIC: readonly Row[] = [
  ["invalid_request", rejected("messages.0.content: Input should be a valid list")],
  [
    "quota_exhausted",
    rejected("You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."),
  ],
  [
    "quota_exhausted",
    rejected("You have reached your specified workspace API usage limits. You will regain access on 2026-12-01."),
  ],
  [
    "billing",
    rejected(
      "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
    ),
  ],
  ["auth", anthropic(401, "authentication_error", "invalid x-api-key")],
  ["billing", anthropic(402, "billing_error", "There is an issue with your billing.")],
  [
    "permission",
    anthropic(403, "permission_error", "Your API key does not have permission to use the specified resource."),
  ],
  ["not_found", anthropic(404, "not_found_error", "model: claude-nope")],
  ["conflict", anthropic(409, "conflict_error", "Conflict")],
  ["request_too_large", anthropic(413, "request_too_large", "Request exceeds the maximum size")],
  [
    "request_too_large",
    { provider: "anthropic", http: 413, body: "<html><head><title>413 Request Entity Too Large</title></head></html>" },
  ],
  [
    "rate_limit",
    anthropic(429, "rate_limit_error", "This request would exceed your account's rate limit.", undefined, {
      "retry-after": "17",
    }),
    17_000,
  ],
  [
    "rate_limit",
    anthropic(429, "rate_limit_error", "Number of request tokens has exceeded your per-minute rate limit."),
  ],
  [
    "quota_exhausted",
    anthropic(429, "rate_limit_error", "Spend limit reached.", { error_code: "enforced_spend_limit_reached" }),
    null,
  ],
  [
    "quota_exhausted",
    anthropic(
      429,
      "rate_limit_error",
      "Contract.",
      { error_code: "contract_spend_limit_reached" },
      { "retry-after": "5" },
    ),
    null,
  ],
  [
    "rate_limit",
    anthropic(429, "rate_limit_error", "Too fast.", { error_code: "ramp_limit_exceeded" }, { "retry-after": "3" }),
    3_000,
  ],
  ["server_error", anthropic(500, "api_error", "Internal server error")],
  ["timeout", anthropic(504, "timeout_error", "Request timed out.")],
  ["overloaded", anthropic(529, "overloaded_error", "Overloaded")],
  ["context_overflow", rejected("prompt is too long: 203456 tokens > 200000 maximum")],
  [
    "max_tokens_overflow",
    rejected(
      "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again",
    ),
  ],
  [
    "orphan_tool_use",
    rejected(
      "messages.2: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_01. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
    ),
  ],
  [
    "orphan_tool_result",
    rejected(
      "messages.0.content.1: unexpected `tool_use_id` found in `tool_result` blocks: toolu_01. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
    ),
  ],
  ["thinking_signature", rejected("messages.1.content.0: Invalid `signature` in `thinking` block")],
  [
    "thinking_modified",
    rejected(
      "messages.1.content.2: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.",
    ),
  ],
  [
    "thinking_order",
    rejected(
      "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.",
    ),
  ],
  ["content_filter", rejected("Output blocked by content filtering policy")],
  // errors inside a stream with status 200
  [
    "overloaded",
    {
      provider: "anthropic",
      http: 200,
      event: { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    },
  ],
  [
    "server_error",
    { provider: "anthropic", event: { type: "error", error: { type: "api_error", message: "Internal server error" } } },
  ],
  [
    "rate_limit",
    {
      provider: "anthropic",
      event: 'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"slow"}}\n\n',
    },
  ],
  // other events
  ["truncated", { provider: "anthropic", event: { type: "message_delta", delta: { stop_reason: "max_tokens" } } }],
  ["refusal", { provider: "anthropic", event: { type: "message_delta", delta: { stop_reason: "refusal" } } }],
  ["pause", { provider: "anthropic", event: { type: "message_delta", delta: { stop_reason: "pause_turn" } } }],
  [
    "context_overflow",
    {
      provider: "anthropic",
      event: { type: "message_delta", delta: { stop_reason: "model_context_window_exceeded" } },
    },
  ],
  ["unknown_event", { provider: "anthropic", event: { type: "message_sparkled" } }],
  ["comment", { provider: "anthropic", event: { type: "ping" } }],
  ["comment", { provider: "anthropic", event: ": keep-alive" }],
];

const OPENAI: readonly Row[] = [
  [
    "context_overflow",
    openai(400, {
      message: "This model's maximum context length is 128000 tokens.",
      type: "invalid_request_error",
      param: "messages",
      code: "context_length_exceeded",
    }),
  ],
  [
    "invalid_request",
    openai(400, {
      message: "Invalid service_tier argument.",
      type: "invalid_request_error",
      param: "service_tier",
      code: "invalid_value",
    }),
  ],
  [
    "auth",
    openai(401, {
      message: "Incorrect API key provided: sk-xx.",
      type: "invalid_request_error",
      param: null,
      code: "invalid_api_key",
    }),
  ],
  [
    "auth",
    openai(401, { message: "You must be a member of an organization to use the API", type: "invalid_request_error" }),
  ],
  ["auth", openai(401, { message: "IP not authorized", type: "invalid_request_error", code: "ip_not_authorized" })],
  ["auth", openai(401, { message: "Invalid Authentication" })],
  [
    "permission",
    openai(403, {
      message: "Country, region, or territory not supported",
      type: "request_forbidden",
      code: "unsupported_country_region_territory",
    }),
  ],
  [
    "not_found",
    openai(404, {
      message: "The model `gpt-9` does not exist or you do not have access to it.",
      type: "invalid_request_error",
      code: "model_not_found",
    }),
  ],
  ["conflict", openai(409, { message: "Conflict" })],
  ["invalid_request", openai(422, { message: "Unprocessable" })],
  [
    "rate_limit",
    openai(429, {
      message:
        "Rate limit reached for gpt-5 in organization org-1 on tokens per min (TPM): Limit 30000, Used 28000, Requested 4000. Please try again in 41.724s.",
      type: "tokens",
      code: "rate_limit_exceeded",
    }),
    41_724,
  ],
  ["rate_limit", openai(429, { message: "Please try again in 6m0s.", code: "rate_limit_exceeded" }), 360_000],
  ["rate_limit", openai(429, { message: "slow down", code: "slow_down" }, { "retry-after-ms": "1200" }), 1_200],
  [
    "rate_limit",
    openai(
      429,
      { message: "Rate limit reached", code: "rate_limit_exceeded" },
      {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "12ms",
        "x-ratelimit-remaining-tokens": "100",
        "x-ratelimit-reset-tokens": "6m0s",
      },
    ),
    12,
  ],
  [
    "quota_exhausted",
    openai(
      429,
      {
        message: "You exceeded your current quota, please check your plan and billing details.",
        type: "insufficient_quota",
        code: "insufficient_quota",
      },
      { "retry-after": "1" },
    ),
    null,
  ],
  ["quota_exhausted", openai(429, { message: "No credits left", code: "credit_balance_exhausted" })],
  ["quota_exhausted", openai(429, { message: "You have reached your monthly spend limit." })],
  [
    "server_error",
    openai(500, { message: "The server had an error while processing your request", type: "server_error" }),
  ],
  ["overloaded", openai(503, { message: "Overloaded", code: "server_is_overloaded" }, { "retry-after": "7" }), 7_000],
  ["overloaded", openai(503, { message: "The engine is currently overloaded, please try again later" })],
  [
    "server_error",
    { provider: "openai", event: { type: "error", code: "server_error", message: "The server had an error" } },
  ],
  [
    "rate_limit",
    {
      provider: "openai",
      event: {
        type: "response.failed",
        response: { status: "failed", error: { code: "rate_limit_exceeded", message: "Please try again in 12ms." } },
      },
    },
    12,
  ],
  [
    "truncated",
    {
      provider: "openai",
      event: { type: "response.incomplete", response: { incomplete_details: { reason: "max_output_tokens" } } },
    },
  ],
  [
    "content_filter",
    {
      provider: "openai",
      event: { type: "response.incomplete", response: { incomplete_details: { reason: "content_filter" } } },
    },
  ],
  [
    "orphan_tool_use",
    openai(400, { message: "No tool output found for function call call_1.", type: "invalid_request_error" }),
  ],
  [
    "orphan_tool_use",
    openai(400, {
      message:
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
      type: "invalid_request_error",
    }),
  ],
  [
    "reasoning_pairing",
    openai(400, {
      message: "Item 'rs_1' of type 'reasoning' was provided without its required following item.",
      type: "invalid_request_error",
    }),
  ],
  [
    "reasoning_pairing",
    openai(400, {
      message: "Item 'fc_1' of type 'function_call' was provided without its required 'reasoning' item: 'rs_1'.",
      type: "invalid_request_error",
    }),
  ],
];

const RETRY_INFO = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "41s" };
const perDay = {
  "@type": "type.googleapis.com/google.rpc.QuotaFailure",
  violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier" }],
};
const GEMINI_QUOTA = "You exceeded your current quota, please check your plan and billing details.";

const GEMINI: readonly Row[] = [
  ["invalid_request", gemini(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")],
  [
    "auth",
    gemini(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [{ reason: "API_KEY_INVALID" }]),
  ],
  [
    "context_overflow",
    gemini(
      400,
      "INVALID_ARGUMENT",
      "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    ),
  ],
  [
    "thinking_signature",
    gemini(400, "INVALID_ARGUMENT", "Function call is missing a thought_signature in functionCall parts."),
  ],
  ["permission", gemini(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")],
  ["invalid_request", gemini(400, "FAILED_PRECONDITION", "Precondition check failed.")],
  ["permission", gemini(403, "PERMISSION_DENIED", "Your API key was reported as leaked.")],
  ["not_found", gemini(404, "NOT_FOUND", "models/gemini-9 is not found")],
  ["rate_limit", gemini(429, "RESOURCE_EXHAUSTED", GEMINI_QUOTA, [RETRY_INFO]), 41_000],
  ["rate_limit", gemini(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")],
  ["quota_exhausted", gemini(429, "RESOURCE_EXHAUSTED", GEMINI_QUOTA, [perDay, RETRY_INFO]), null],
  [
    "quota_exhausted",
    gemini(
      429,
      "RESOURCE_EXHAUSTED",
      "Your project has exceeded its monthly spending cap. Please go to AI Studio to manage it.",
    ),
  ],
  ["server_error", gemini(500, "INTERNAL", "An internal error has occurred.")],
  ["overloaded", gemini(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")],
  ["timeout", gemini(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")],
  [
    "overloaded",
    { provider: "google", http: 503, body: [{ error: { code: 503, status: "UNAVAILABLE", message: "busy" } }] },
  ],
  ["truncated", { provider: "gemini", event: { candidates: [{ finishReason: "MAX_TOKENS" }] } }],
  ["content_filter", { provider: "gemini", event: { candidates: [{ finishReason: "SAFETY" }] } }],
];

const openrouter = (http: number, error: object, headers?: Record<string, string>): ProviderErrorInput => ({
  ...openai(http, error, headers),
  provider: "openrouter",
});

const OTHERS: readonly Row[] = [
  ["invalid_request", openrouter(400, { code: 400, message: "Bad request" })],
  ["auth", openrouter(401, { code: 401, message: "No auth credentials found" })],
  [
    "billing",
    openrouter(402, {
      code: 402,
      message: "Insufficient credits. Add more using https://openrouter.ai/settings/credits",
    }),
    null,
  ],
  ["rate_limit", openrouter(402, { code: 402, message: "Credits are held" }, { "retry-after": "4" }), 4_000],
  [
    "quota_exhausted",
    openrouter(403, {
      code: 403,
      message: "Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys",
    }),
  ],
  [
    "content_filter",
    openrouter(403, {
      code: 403,
      message: "Input was flagged",
      metadata: { reasons: ["violence"], flagged_input: "…" },
    }),
  ],
  ["timeout", openrouter(408, { code: 408, message: "Your request timed out" })],
  ["rate_limit", openrouter(429, { code: 429, message: "You are being rate limited" })],
  [
    "server_error",
    openrouter(502, { code: 502, message: "Your chosen model is down or we received an invalid response from it" }),
  ],
  [
    "overloaded",
    openrouter(503, {
      code: 503,
      message: "There is no available model provider that meets your routing requirements",
    }),
  ],
  ["server_error", openrouter(200, { code: 502, message: "Provider returned error" })],
  [
    "rate_limit",
    openrouter(200, { code: 429, message: "Provider returned error", metadata: { raw: "{}", provider_name: "X" } }),
  ],
  [
    "context_overflow",
    openrouter(400, {
      code: 400,
      message: "Provider returned error",
      metadata: {
        provider_name: "Anthropic",
        raw: '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 203456 tokens > 200000 maximum"}}',
      },
    }),
  ],
  [
    "overloaded",
    {
      provider: "openrouter",
      http: 200,
      event: {
        id: "gen-1",
        choices: [{ finish_reason: "error" }],
        error: { code: 503, message: "Provider disconnected" },
      },
    },
  ],
  [
    "server_error",
    { provider: "bedrock", http: 424, body: { message: "The model errored", __type: "ModelErrorException" } },
  ],
  [
    "timeout",
    {
      provider: "bedrock",
      http: 408,
      headers: { "x-amzn-ErrorType": "ModelTimeoutException:http://internal.amazon.com/" },
      body: { message: "too slow" },
    },
  ],
  [
    "rate_limit",
    {
      provider: "bedrock",
      http: 429,
      headers: { "x-amzn-ErrorType": "ThrottlingException" },
      body: { message: "Too many requests, please wait before trying again." },
    },
  ],
  [
    "quota_exhausted",
    {
      provider: "bedrock",
      http: 429,
      body: {
        message: "Too many tokens per day, please wait before trying again.",
        __type: "com.amazon.coral.availability#ThrottlingException",
      },
    },
  ],
  ["overloaded", { provider: "bedrock", http: 503, body: { message: "busy", __type: "ServiceUnavailableException" } }],
  ["rate_limit", { provider: "bedrock", event: { throttlingException: { message: "Too many requests" } } }],
  [
    "server_error",
    { provider: "bedrock", event: { modelStreamErrorException: { message: "broken", originalStatusCode: 424 } } },
  ],
  [
    "context_overflow",
    {
      provider: "bedrock",
      http: 400,
      body: { message: "Input is too long for requested model.", __type: "ValidationException" },
    },
  ],
  [
    "context_overflow",
    {
      provider: "together",
      http: 403,
      body: {
        error: {
          message: "This model's maximum context length is 8193 tokens. However, you requested 9000 tokens.",
          type: "invalid_request_error",
        },
      },
    },
  ],
  [
    "max_tokens_overflow",
    {
      provider: "together",
      http: 403,
      body: {
        error: {
          message:
            "The input token count + `max_tokens` parameter must be less than the context length of the model being queried.",
        },
      },
    },
  ],
  [
    "permission",
    { provider: "together", http: 403, body: { error: { message: "Your API key has no access to this model." } } },
  ],
];

const UNKNOWN: readonly Row[] = [
  ["auth", { provider: "somewhere", http: 401, body: "" }],
  [
    "rate_limit",
    {
      provider: "somewhere",
      http: 429,
      headers: { "Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", Date: "Wed, 21 Oct 2026 07:28:00 GMT" },
      body: "Too Many Requests",
    },
    30_000,
  ],
  [
    "rate_limit",
    {
      provider: "somewhere",
      http: 429,
      headers: { "Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT" },
      now: Date.parse("2026-10-21T07:28:20Z"),
      body: null,
    },
    10_000,
  ],
  [
    "rate_limit",
    {
      provider: "somewhere",
      http: 429,
      headers: { "Retry-After": "Wed, 21 Oct 2020 07:28:30 GMT" },
      now: Date.parse("2026-10-21T07:28:20Z"),
      body: null,
    },
    0,
  ],
  ["server_error", { provider: "somewhere", http: 502, body: "<html><h1>502 Bad Gateway</h1></html>" }],
  [
    "overloaded",
    { provider: "somewhere", http: 503, body: "<html>Service Unavailable</html>", headers: { "retry-after": "1.5" } },
    1_500,
  ],
  [
    "rate_limit",
    {
      provider: "groq",
      http: 429,
      body: {
        error: {
          message:
            "Rate limit reached for model `x` on tokens per day (TPD): Limit 100000, Used 99000. Please try again in 14m24.5s.",
          type: "tokens",
          code: "rate_limit_exceeded",
        },
      },
    },
    864_500,
  ],
  ["timeout", { provider: "somewhere", http: 524, body: "" }],
  ["not_found", { provider: "somewhere", http: 302, body: "" }],
  ["protocol", { provider: "somewhere", http: 200, body: "<html>Log in to the network</html>" }],
  ["protocol", { provider: "somewhere", http: 200, body: "" }],
  ["protocol", { provider: "somewhere", http: 200, body: "OK" }],
  ["unknown", { provider: "somewhere" }],
  ["stream_idle", { provider: "somewhere", body: "Stream idle timeout - partial response received" }],
  ["network", { provider: "somewhere", http: null, body: "connect ECONNREFUSED 127.0.0.1:443" }],
  ["dns", { provider: "somewhere", http: null, body: "getaddrinfo ENOTFOUND api.anthropic.com" }],
  ["tls", { provider: "somewhere", http: null, body: "unable to get local issuer certificate" }],
];

describe("classifying what a provider answered", () => {
  const groups = {
    anthropic: ANTHROPIC,
    openai: OPENAI,
    gemini: GEMINI,
    "routers and others": OTHERS,
    "unknown providers": UNKNOWN,
  };
  for (const [name, rows] of Object.entries(groups)) {
    it.each(rows.map((row, index) => [index, row[0], row] as const))(
      `${name} %i is %s`,
      (_, __, [kind, input, after_ms]) => {
        const answer = classifyProviderError(input);
        expect(answer.kind).toBe(kind);
        if (after_ms !== undefined) expect(answer.after_ms).toBe(after_ms);
      },
    );
  }

  it("takes the body as text exactly as it takes it parsed", () => {
    const rows = Object.values(groups)
      .flat()
      .filter(([, input]) => typeof input.body === "object" && input.body !== null);
    for (const [kind, input] of rows) {
      expect(classifyProviderError({ ...input, body: JSON.stringify(input.body) }).kind).toBe(kind);
    }
  });

  it("never asks for a wait where waiting does not help", () => {
    for (const [, input] of Object.values(groups).flat()) {
      const { kind, after_ms } = classifyProviderError({ ...input, headers: { ...input.headers, "retry-after": "9" } });
      const { handling } = ERROR_TABLE[kind];
      if (handling !== "retry" && handling !== "wait") expect(after_ms).toBeNull();
    }
  });

  it("lets a machine-readable type win over words that say something else", () => {
    expect(classifyProviderError(anthropic(529, "overloaded_error", "prompt is too long")).kind).toBe("overloaded");
    expect(classifyProviderError(anthropic(500, "api_error", "rate limit")).kind).toBe("server_error");
  });

  it("survives bodies of any shape", () => {
    const shapes: readonly unknown[] = [
      null,
      0,
      true,
      [],
      [[]],
      {},
      { error: null },
      { error: [] },
      { error: "text" },
      { error: { message: 5 } },
      "\u0000",
      "{",
    ];
    for (const shape of shapes) {
      for (const http of [null, 200, 400, 429, 500]) {
        expect(ERROR_TABLE[classifyProviderError({ provider: "x", http, body: shape }).kind]).toBeDefined();
        expect(ERROR_TABLE[classifyProviderError({ provider: "x", http, event: shape }).kind]).toBeDefined();
      }
    }
  });
});

describe("every pattern", () => {
  const cases = [
    ...REQUEST_PATTERNS.map((entry) => [entry, 400] as const),
    ...SPEND_PATTERNS.map((entry) => [entry, 429] as const),
    ...TRANSPORT_PATTERNS.map((entry) => [entry, null] as const),
  ];
  it.each(cases.map(([entry, http]) => [entry.kind, entry.sample, entry, http] as const))(
    "%s is what says: %s",
    (kind, sample, entry, http) => {
      expect(entry.pattern.test(sample)).toBe(true);
      expect(classifyProviderError({ provider: "any", http, body: { error: { message: sample } } }).kind).toBe(kind);
    },
  );
});
