/** Errors as Anthropic words and shapes them. */
import type { ApiError } from "../dialect.ts";
import type { ErrorWord } from "../error-word.ts";

export function apiError(status: number, type: string, message: string): ApiError {
  return { status, type, message };
}

export function invalid(message: string): ApiError {
  return apiError(400, "invalid_request_error", message);
}

/** The body of the provider's own for a status. */
export function errorForStatus(status: number): ApiError {
  const [type, message] =
    BY_STATUS[status] ??
    (status >= 500 ? ["api_error", "Internal server error"] : ["invalid_request_error", "Bad request"]);
  return apiError(status, type, message);
}

export function errorOfKind(kind: ErrorWord): ApiError {
  switch (kind) {
    case "auth":
      return errorForStatus(401);
    case "billing":
      return invalid(
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
      );
    case "quota":
      return invalid(
        "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
      );
    case "permission":
      return errorForStatus(403);
    case "not_found":
      return apiError(404, "not_found_error", "model: emulated-model");
    case "invalid_request":
      return errorForStatus(400);
    case "too_large":
      return errorForStatus(413);
    case "context_overflow":
      return invalid("prompt is too long: 200001 tokens > 200000 maximum");
    case "rate_limit":
      return errorForStatus(429);
    case "overloaded":
      return errorForStatus(529);
    case "server_error":
      return errorForStatus(500);
    case "timeout":
      return errorForStatus(504);
  }
}

export function errorBody(error: ApiError, requestId: string): object {
  const { type, message, details } = error;
  return { type: "error", error: { type, message, ...(details && { details }) }, request_id: requestId };
}

const BY_STATUS: { readonly [status: number]: readonly [string, string] } = {
  400: ["invalid_request_error", "Bad request"],
  401: ["authentication_error", "invalid x-api-key"],
  402: ["billing_error", "Your account has a billing problem."],
  403: ["permission_error", "Your API key does not have permission to use the specified resource."],
  404: ["not_found_error", "Not found"],
  409: ["conflict_error", "Conflict"],
  413: ["request_too_large", "Request exceeds the maximum size"],
  429: ["rate_limit_error", "This request would exceed your account's rate limit. Please try again later."],
  500: ["api_error", "Internal server error"],
  504: ["timeout_error", "The request timed out."],
  529: ["overloaded_error", "Overloaded"],
};
