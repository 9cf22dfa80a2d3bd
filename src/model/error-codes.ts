/** Machine-readable names of errors over all providers, and HTTP statuses. A name means the same wherever it appears. */
import type { ErrorKind } from "../kernel/error-kind.ts";

/**
 * `request` marks a name that only says "something in the request": the words then say what, and without words it is
 * the kind given.
 */
export interface CodeMeaning {
  readonly kind: ErrorKind;
  readonly vague?: "request" | "spend";
}

const is = (kind: ErrorKind): CodeMeaning => ({ kind });
const rejected: CodeMeaning = { kind: "invalid_request", vague: "request" };
const limited: CodeMeaning = { kind: "rate_limit", vague: "spend" };
/** Read after the words, because providers put spent credit and moderation under it too. */
const forbidden: CodeMeaning = { kind: "permission", vague: "request" };

/** Lower-case names. */
const CODES: { readonly [code: string]: CodeMeaning } = {
  // Anthropic: `error.details.error_code`
  enforced_spend_limit_reached: is("quota_exhausted"),
  contract_spend_limit_reached: is("quota_exhausted"),
  linked_organization_spend_limit_reached: is("quota_exhausted"),
  linked_organization_billing_unavailable: is("billing"),
  ramp_limit_exceeded: is("rate_limit"),
  organization_on_hold: is("permission"),
  request_body_too_large_after_decoding: is("request_too_large"),
  cmek_context_unavailable: is("server_error"),
  cmek_key_unreachable: is("server_error"),
  cmek_key_disabled: is("permission"),
  cmek_key_network_blocked: is("permission"),
  // Anthropic: `error.type`
  invalid_request_error: rejected,
  authentication_error: is("auth"),
  billing_error: is("billing"),
  permission_error: forbidden,
  not_found_error: is("not_found"),
  conflict_error: is("conflict"),
  request_too_large: is("request_too_large"),
  rate_limit_error: limited,
  api_error: is("server_error"),
  timeout_error: is("timeout"),
  overloaded_error: is("overloaded"),
  // OpenAI: `error.code` and `error.type`
  invalid_api_key: is("auth"),
  invalid_authentication: is("auth"),
  ip_not_authorized: is("auth"),
  unsupported_country_region_territory: is("permission"),
  model_not_found: is("not_found"),
  context_length_exceeded: is("context_overflow"),
  rate_limit_exceeded: limited,
  slow_down: is("rate_limit"),
  requests: limited,
  tokens: limited,
  insufficient_quota: is("quota_exhausted"),
  credit_balance_exhausted: is("quota_exhausted"),
  billing_hard_limit_reached: is("quota_exhausted"),
  spend_limit_reached: is("quota_exhausted"),
  usage_limit_reached: is("quota_exhausted"),
  billing_not_active: is("billing"),
  server_error: is("server_error"),
  server_is_overloaded: is("overloaded"),
  service_unavailable: is("overloaded"),
  content_filter: is("content_filter"),
  content_policy_violation: is("content_filter"),
  invalid_encrypted_content: is("thinking_signature"),
  // OpenAI: `response.error.code`
  invalid_prompt: is("content_filter"),
  bio_policy: is("content_filter"),
  misalignment_policy_violation: is("content_filter"),
  image_content_policy_violation: is("content_filter"),
  data_residency_mismatch: is("permission"),
  vector_store_timeout: is("timeout"),
  invalid_image: rejected,
  invalid_image_format: rejected,
  invalid_base64_image: rejected,
  invalid_image_url: rejected,
  invalid_image_mode: rejected,
  image_too_large: rejected,
  image_too_small: rejected,
  image_parse_error: rejected,
  image_file_too_large: rejected,
  image_file_not_found: rejected,
  unsupported_image_media_type: rejected,
  empty_image_file: rejected,
  failed_to_download_image: rejected,
  // Google: `error.status` and `details[].reason`
  api_key_invalid: is("auth"),
  api_key_expired: is("auth"),
  invalid_argument: rejected,
  failed_precondition: rejected,
  out_of_range: rejected,
  unauthenticated: is("auth"),
  permission_denied: forbidden,
  not_found: is("not_found"),
  aborted: is("conflict"),
  already_exists: is("conflict"),
  resource_exhausted: limited,
  internal: is("server_error"),
  unavailable: is("overloaded"),
  deadline_exceeded: is("timeout"),
  // Bedrock: exception names
  validationexception: rejected,
  accessdeniedexception: forbidden,
  unrecognizedclientexception: is("auth"),
  expiredtokenexception: is("auth"),
  invalidsignatureexception: is("auth"),
  resourcenotfoundexception: is("not_found"),
  conflictexception: is("conflict"),
  throttlingexception: limited,
  toomanyrequestsexception: limited,
  servicequotaexceededexception: is("quota_exhausted"),
  modelnotreadyexception: is("overloaded"),
  modelerrorexception: is("server_error"),
  modelstreamerrorexception: is("server_error"),
  modeltimeoutexception: is("timeout"),
  internalserverexception: is("server_error"),
  serviceunavailableexception: is("overloaded"),
};

export function codeMeaning(code: string): CodeMeaning | null {
  const name = code.toLowerCase();
  return Object.hasOwn(CODES, name) ? (CODES[name] ?? null) : null;
}

const STATUSES: { readonly [status: number]: CodeMeaning } = {
  401: is("auth"),
  402: is("billing"),
  403: forbidden,
  404: is("not_found"),
  405: is("not_found"),
  407: is("auth"),
  408: is("timeout"),
  409: is("conflict"),
  410: is("not_found"),
  413: is("request_too_large"),
  424: is("server_error"), // Bedrock: the model failed
  429: limited,
  451: forbidden,
  503: is("overloaded"),
  504: is("timeout"),
  522: is("timeout"),
  524: is("timeout"),
  529: is("overloaded"),
  598: is("timeout"),
};

/** Null: the status says nothing about a failure. */
export function statusMeaning(status: number | null): CodeMeaning | null {
  if (status === null || status < 300) return null;
  if (status < 400) return is("not_found"); // a redirect is not followed: the base URL is wrong
  return STATUSES[status] ?? (status < 500 ? rejected : is("server_error"));
}
