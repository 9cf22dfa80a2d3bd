/**
 * What providers say in words where no code says it. Used only after codes and status; the first that matches wins.
 * Each stands beside a real sample, and a test holds that the sample gets its kind.
 */
import type { ErrorKind } from "../kernel/error-kind.ts";

export interface TextPattern {
  readonly kind: ErrorKind;
  readonly pattern: RegExp;
  readonly sample: string;
}

const p = (kind: ErrorKind, pattern: RegExp, sample: string): TextPattern => ({ kind, pattern, sample });

/** Why a request was rejected: for 400, 403, 404, 413, 422, and texts without a status. */
export const REQUEST_PATTERNS: readonly TextPattern[] = [
  // --- money ------------------------------------------------------------------------------------------------------
  p(
    "quota_exhausted",
    /reached your specified (workspace )?API usage limits/i,
    "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
  ),
  p(
    "quota_exhausted",
    /reached your specified (workspace )?API usage limits/i,
    "You have reached your specified workspace API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
  ),
  p(
    "quota_exhausted",
    /key limit exceeded/i,
    "Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys",
  ),
  p(
    "billing",
    /credit balance is too low/i,
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
  ),
  p(
    "billing",
    /account is not active, please check your billing|billing (account|to be) (is )?(not )?enabled|enable billing/i,
    "Your account is not active, please check your billing details on our website.",
  ),
  p(
    "billing",
    /insufficient (credits|balance|funds)|requires more credits/i,
    "Insufficient credits. Add more using https://openrouter.ai/settings/credits",
  ),
  p(
    "billing",
    /insufficient (credits|balance|funds)|requires more credits/i,
    "This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 41213.",
  ),

  // --- history ----------------------------------------------------------------------------------------------------
  p(
    "orphan_tool_use",
    /`tool_use` ids were found without `tool_result` blocks/i,
    "messages.2: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_01A09q90qw90lq917835lq9. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
  ),
  p(
    "orphan_tool_use",
    /no tool output found for (function|custom tool|local shell|computer) call/i,
    "No tool output found for function call call_9f2b1d.",
  ),
  p(
    "orphan_tool_use",
    /'tool_calls' must be followed by tool messages/i,
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: call_abc",
  ),
  p(
    "orphan_tool_use",
    /number of function response parts/i,
    "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
  ),
  p(
    "orphan_tool_use",
    /function call turn comes immediately after a user turn/i,
    "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
  ),
  p(
    "orphan_tool_use",
    /Expected toolResult blocks/i,
    "Expected toolResult blocks at messages.2.content for the following Ids: tooluse_kZJMlvQmRJ6eAyJE5GIl7Q",
  ),
  p(
    "orphan_tool_result",
    /unexpected `tool_use_id` found in `tool_result` blocks/i,
    "messages.0.content.1: unexpected `tool_use_id` found in `tool_result` blocks: toolu_01. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
  ),
  p(
    "orphan_tool_result",
    /role 'tool' must be a response to a prece+ding message/i,
    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
  ),
  p(
    "orphan_tool_result",
    /no tool call found for (function|custom tool) call output/i,
    "No tool call found for function call output with call_id call_abc.",
  ),
  p(
    "orphan_tool_result",
    /number of toolResult blocks .* exceeds the number of toolUse blocks/i,
    "The number of toolResult blocks at messages.2.content exceeds the number of toolUse blocks of previous turn.",
  ),

  // --- thinking ---------------------------------------------------------------------------------------------------
  p(
    "thinking_signature",
    /invalid `signature` in `thinking` block/i,
    "messages.1.content.0: Invalid `signature` in `thinking` block",
  ),
  p(
    "thinking_signature",
    /missing a thought_signature/i,
    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly.",
  ),
  p(
    "thinking_signature",
    /encrypted content .*could not be (verified|decrypted)/i,
    "The encrypted content gAAAAA could not be verified. Reason: Encrypted content organization_id did not match the target organization.",
  ),
  p(
    "thinking_modified",
    /`redacted_thinking` blocks in the latest assistant message cannot be modified/i,
    "messages.3.content.1: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.",
  ),
  p(
    "thinking_order",
    /Expected `thinking` or `redacted_thinking`, but found/i,
    "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.",
  ),
  p(
    "reasoning_pairing",
    /of type 'reasoning' was provided without its required following item/i,
    "Item 'rs_68a' of type 'reasoning' was provided without its required following item.",
  ),
  p(
    "reasoning_pairing",
    /was provided without its required 'reasoning' item/i,
    "Item 'fc_68b' of type 'function_call' was provided without its required 'reasoning' item: 'rs_68a'.",
  ),

  // --- size: input and output together before input alone ------------------------------------------------------------
  p(
    "max_tokens_overflow",
    /input length and `max_tokens` exceed context limit/i,
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again",
  ),
  p(
    "max_tokens_overflow",
    /`?inputs`? tokens \+ `?max_new_tokens`? must be/i,
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 4000 `inputs` tokens and 5000 `max_new_tokens`",
  ),
  p(
    "max_tokens_overflow",
    /input token count \+ `?max_tokens`?/i,
    "The input token count + `max_tokens` parameter must be less than the context length of the model being queried.",
  ),
  p(
    "max_tokens_overflow",
    /max_(completion_)?tokens is too large/i,
    "max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.",
  ),
  p(
    "max_tokens_overflow",
    /max_tokens: \d+ > \d+, which is the maximum allowed number of output tokens/i,
    "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5",
  ),
  p("context_overflow", /prompt is too long/i, "prompt is too long: 203456 tokens > 200000 maximum"),
  p(
    "context_overflow",
    /maximum context length/i,
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 131072 tokens. Please reduce the length of the messages.",
  ),
  p(
    "context_overflow",
    /maximum context length/i,
    "This endpoint's maximum context length is 262144 tokens. However, you requested about 300011 tokens. Please reduce the length of either one.",
  ),
  p(
    "context_overflow",
    /maximum prompt length/i,
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
  ),
  p(
    "context_overflow",
    /reduce the length of the messages/i,
    "Please reduce the length of the messages or completion.",
  ),
  p(
    "context_overflow",
    /prompt token count of \d+ exceeds the limit/i,
    "prompt token count of 207123 exceeds the limit of 128000",
  ),
  p(
    "context_overflow",
    /exceeds the available context size/i,
    "the request exceeds the available context size, try increasing it",
  ),
  p(
    "context_overflow",
    /(greater|longer) than the context length|exceeded max context length/i,
    "The number of tokens to keep from the initial prompt is greater than the context length",
  ),
  p("context_overflow", /context window exceeds limit/i, "invalid params, context window exceeds limit"),
  p(
    "context_overflow",
    /exceeded model token limit/i,
    "Invalid request: Your request exceeded model token limit: 262144 (requested: 300000)",
  ),
  p(
    "context_overflow",
    /too large for model with \d+ maximum context length/i,
    "Prompt contains 140000 tokens, too large for model with 131072 maximum context length",
  ),
  p(
    "context_overflow",
    /exceeds the context window|context[_ ](length|window)[_ ]exceeded/i,
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
  ),
  p(
    "context_overflow",
    /input token count .*exceeds the maximum number of tokens/i,
    "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
  ),
  p("context_overflow", /input is too long/i, "Input is too long for requested model."),
  p(
    "context_overflow",
    /input length .*exceed/i,
    "Input length 9000 exceeds the maximum allowed length of 8192 tokens.",
  ),
  p(
    "request_too_large",
    /request exceeds the maximum size|request entity too large|payload too large|413 Request Entity/i,
    "Request exceeds the maximum size",
  ),

  // --- policy, credentials, access ------------------------------------------------------------------------------------
  p(
    "content_filter",
    /output blocked by content filtering policy|content management policy|requires moderation|was flagged/i,
    "Output blocked by content filtering policy",
  ),
  p(
    "content_filter",
    /output blocked by content filtering policy|content management policy|requires moderation|was flagged/i,
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
  ),
  p(
    "auth",
    /API key not valid|API key expired|incorrect API key|invalid (x-)?api[- ]key/i,
    "API key not valid. Please pass a valid API key.",
  ),
  p(
    "permission",
    /location is not supported|country, region, or territory not supported/i,
    "User location is not supported for the API use.",
  ),
  p("permission", /organization has been disabled/i, "This organization has been disabled."),
];

/** A 429 that is a limit on spending, not on the rate: waiting a little does not help. */
export const SPEND_PATTERNS: readonly TextPattern[] = [
  p(
    "quota_exhausted",
    /reached your specified (workspace )?API usage limits/i,
    "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
  ),
  p(
    "quota_exhausted",
    /you exceeded your current quota, please check your plan and billing details/i,
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
  ),
  p(
    "quota_exhausted",
    /spend(ing)? (limit|cap)|credit balance|(monthly|daily|weekly) (usage|spend\w*|quota|token) (limit|cap)|billing hard limit|usage limit reached/i,
    "Your project has exceeded its monthly spending cap. Please go to AI Studio to manage your project spend cap.",
  ),
  p("quota_exhausted", /too many tokens per (day|month)/i, "Too many tokens per day, please wait before trying again."),
  p("quota_exhausted", /extra usage is required/i, "Extra usage is required for long context requests."),
  p(
    "quota_exhausted",
    /free-models-per-day/i,
    "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
  ),
];

/** Texts without status and code: what a connection, a proxy or another tool reports. */
export const TRANSPORT_PATTERNS: readonly TextPattern[] = [
  p(
    "stream_idle",
    /stream idle timeout|stream was idle|no data received/i,
    "Stream idle timeout - partial response received",
  ),
  p(
    "stream_cut",
    /stream (was )?(cut|closed|ended|terminated|disconnected)|(terminated|other side closed|premature close|unexpected (EOF|end of (file|stream|json input)))/i,
    "stream ended before message_stop",
  ),
  p(
    "stream_cut",
    /stream (was )?(cut|closed|ended|terminated|disconnected)|(terminated|other side closed|premature close|unexpected (EOF|end of (file|stream|json input)))/i,
    "terminated",
  ),
  p("dns", /ENOTFOUND|EAI_AGAIN|getaddrinfo/i, "getaddrinfo ENOTFOUND api.anthropic.com"),
  p("tls", /certificate|SSL routines|ERR_TLS|handshake failure/i, "unable to get local issuer certificate"),
  p("timeout", /ETIMEDOUT|timed? ?out|deadline exceeded/i, "Request timed out."),
  p(
    "network",
    /ECONNREFUSED|ECONNRESET|EPIPE|EHOSTUNREACH|ENETUNREACH|socket hang up|fetch failed|connection (error|reset|refused|lost)|network error/i,
    "connect ECONNREFUSED 127.0.0.1:443",
  ),
  p("overloaded", /overloaded/i, "Overloaded"),
  p(
    "rate_limit",
    /rate limit|too many requests/i,
    "Rate limit reached for gpt-5 in organization org-x on tokens per min (TPM): Limit 30000. Please try again in 41.724s.",
  ),
  p("server_error", /internal server error|bad gateway/i, "Internal server error"),
];

export function matchText(patterns: readonly TextPattern[], text: string): ErrorKind | null {
  return patterns.find(({ pattern }) => pattern.test(text))?.kind ?? null;
}
