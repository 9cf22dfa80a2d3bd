/** For each kind of failed call, the fault that makes it happen again. */
import type { ErrorKind } from "../../kernel/error-kind.ts";
import type { PROVIDER_ERRORS } from "../../kernel/provider-errors.ts";
import type { FaultInput } from "../emulator/fault.ts";

type ProviderKind = keyof typeof PROVIDER_ERRORS;

export interface FailedCall {
  readonly kind: ErrorKind;
  readonly retry_after_ms: number | null;
}

/** @returns null for what no server does: a cut process, a name that is not resolved, a key that was not sent. */
export function faultOf({ kind, retry_after_ms }: FailedCall): FaultInput | null {
  // A kind that is none of a provider's has no entry.
  const fault = (FAULTS as { readonly [kind: string]: FaultInput | null })[kind] ?? null;
  if (fault === null || retry_after_ms === null || !("error" in fault)) return fault;
  return { ...fault, retry_after: Math.ceil(retry_after_ms / 1_000) };
}

function refusal(message: string): FaultInput {
  return { status: 400, body: { type: "error", error: { type: "invalid_request_error", message } } };
}

const FAULTS: { readonly [kind in ProviderKind]: FaultInput | null } = {
  auth: { error: "auth" },
  billing: { error: "billing" },
  quota_exhausted: { error: "quota" },
  permission: { error: "permission" },
  not_found: { error: "not_found" },
  conflict: { status: 409 },
  invalid_request: { error: "invalid_request" },
  request_too_large: { error: "too_large" },
  context_overflow: { error: "context_overflow" },
  circuit_open: null,
  max_tokens_overflow: refusal(
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again",
  ),
  silent_truncation: null,
  orphan_tool_use: refusal(
    "messages.2: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
  ),
  orphan_tool_result: refusal(
    "messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
  ),
  thinking_signature: refusal("messages.1.content.0: Invalid `signature` in `thinking` block"),
  thinking_modified: refusal(
    "messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.",
  ),
  thinking_order: refusal(
    "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. When `thinking` is enabled, a final `assistant` message must start with a thinking block.",
  ),
  reasoning_pairing: refusal("Item 'rs_1' of type 'reasoning' was provided without its required following item."),
  rate_limit: { error: "rate_limit" },
  overloaded: { error: "overloaded" },
  server_error: { error: "server_error" },
  timeout: { error: "timeout" },
  network: { reset: true },
  dns: null,
  tls: null,
  protocol: { html: 200 },
  stream_cut: { cut_in_json: true },
  stream_idle: { silence_after_event: 3 },
  truncated: { cut_tool_json: true },
  truncated_tool_call: { truncated_json: true },
  refusal: null,
  content_filter: null,
  pause: null,
  empty_response: { empty: true },
  unknown_event: { wire: { unknown_events: true } },
  comment: { wire: { comments: true } },
  interrupted: null,
  unknown: null,
};
