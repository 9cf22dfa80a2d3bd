/** Errors as the provider words and shapes them. */

export interface ApiError {
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

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

export function errorBody(error: ApiError, requestId: string): object {
  return { type: "error", error: { type: error.type, message: error.message }, request_id: requestId };
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
