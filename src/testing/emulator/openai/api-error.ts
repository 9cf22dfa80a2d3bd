/** Errors as OpenAI words and shapes them, the same for both of its APIs. */
import type { ApiError, RequestHead } from "../dialect.ts";
import type { ErrorWord } from "../error-word.ts";

const KEYS_PAGE = "https://platform.openai.com/account/api-keys";
const ERRORS_PAGE = "https://platform.openai.com/docs/guides/error-codes/api-errors";

export function invalid(message: string, param: string | null = null, code: string | null = null): ApiError {
  return { status: 400, type: "invalid_request_error", message, param, code };
}

export function missing(param: string): ApiError {
  return invalid(`Missing required parameter: '${param}'.`, param, "missing_required_parameter");
}

export function wrongType(param: string, expected: string, got: unknown): ApiError {
  return invalid(
    `Invalid type for '${param}': expected ${expected}, but got ${typeName(got)} instead.`,
    param,
    "invalid_type",
  );
}

export function headError({ headers, apiKey }: RequestHead): ApiError | null {
  const key = /^Bearer (.+)$/i.exec(headers["authorization"] ?? "")?.[1] ?? headers["api-key"] ?? "";
  if (key === "") {
    return unauthorized(
      `You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API from your browser and are prompted for a username and password. You can obtain an API key from ${KEYS_PAGE}.`,
      null,
    );
  }
  if (apiKey === null || key === apiKey) return null;
  return unauthorized(
    `Incorrect API key provided: ${masked(key)}. You can find your API key at ${KEYS_PAGE}.`,
    "invalid_api_key",
  );
}

export function errorBody({ message, type, param, code }: ApiError): object {
  return { error: { message, type, param: param ?? null, code: code ?? null } };
}

/** Statuses that OpenAI does not send stand for what it sends in their place. */
export function errorForStatus(status: number): ApiError {
  if (status === 402) return errorOfKind("quota");
  if (status === 529) return errorOfKind("overloaded");
  const known = BY_STATUS[status];
  if (known) return { status, param: null, ...known };
  return status >= 500
    ? { status, type: "server_error", message: SERVER_ERROR, param: null, code: null }
    : { status, type: "invalid_request_error", message: "Bad request", param: null, code: null };
}

export function errorOfKind(kind: ErrorWord): ApiError {
  switch (kind) {
    case "auth":
      return errorForStatus(401);
    case "billing":
    case "quota":
      return {
        status: 429,
        type: "insufficient_quota",
        message: `You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: ${ERRORS_PAGE}.`,
        param: null,
        code: "insufficient_quota",
      };
    case "permission":
      return errorForStatus(403);
    case "not_found":
      return errorForStatus(404);
    case "invalid_request":
      return errorForStatus(400);
    case "too_large":
      return errorForStatus(413);
    case "context_overflow":
      return invalid(
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "input",
        "context_length_exceeded",
      );
    case "rate_limit":
      return errorForStatus(429);
    case "overloaded":
      return errorForStatus(503);
    case "server_error":
      return errorForStatus(500);
    case "timeout":
      return errorForStatus(504);
  }
}

/** What the in-stream words of a scenario, which are Anthropic's, are called here. */
export function codeOf(type: string): string {
  return CODES[type] ?? type;
}

const CODES: { readonly [type: string]: string } = {
  overloaded_error: "server_is_overloaded",
  api_error: "server_error",
  timeout_error: "server_error",
  rate_limit_error: "rate_limit_exceeded",
  authentication_error: "invalid_api_key",
  billing_error: "insufficient_quota",
  invalid_request_error: "invalid_prompt",
};

const SERVER_ERROR =
  "The server had an error while processing your request. Sorry about that! You can retry your request, or contact us through our help center at help.openai.com if the error persists.";

type Known = Pick<ApiError, "type" | "message"> & { readonly code: string | null };
const BY_STATUS: { readonly [status: number]: Known } = {
  400: { type: "invalid_request_error", message: "Bad request", code: null },
  401: {
    type: "invalid_request_error",
    message: `Incorrect API key provided: ${masked("sk-emulated-key")}. You can find your API key at ${KEYS_PAGE}.`,
    code: "invalid_api_key",
  },
  403: {
    type: "request_forbidden",
    message: "Country, region, or territory not supported",
    code: "unsupported_country_region_territory",
  },
  404: {
    type: "invalid_request_error",
    message: "The model `emulated-model` does not exist or you do not have access to it.",
    code: "model_not_found",
  },
  409: { type: "invalid_request_error", message: "Conflict", code: null },
  413: { type: "invalid_request_error", message: "Request body is too large.", code: null },
  422: { type: "invalid_request_error", message: "Unprocessable entity", code: null },
  429: {
    type: "tokens",
    message:
      "Rate limit reached for emulated-model in organization org-emulator on tokens per min (TPM): Limit 2000000, Used 1999000, Requested 2000. Please try again in 1s. Visit https://platform.openai.com/account/rate-limits to learn more.",
    code: "rate_limit_exceeded",
  },
  500: { type: "server_error", message: SERVER_ERROR, code: null },
  503: {
    type: "service_unavailable_error",
    message: "Our servers are currently overloaded. Please try again later.",
    code: "server_is_overloaded",
  },
  504: { type: "server_error", message: "The request timed out.", code: null },
};

function unauthorized(message: string, code: string | null): ApiError {
  return { status: 401, type: "invalid_request_error", message, param: null, code };
}

function masked(key: string): string {
  return key.length <= 8 ? "*".repeat(key.length) : `${key.slice(0, 4)}${"*".repeat(key.length - 8)}${key.slice(-4)}`;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  switch (typeof value) {
    case "object":
      return "an object";
    case "number":
      return Number.isInteger(value) ? "an integer" : "a decimal number";
    case "boolean":
      return "a boolean";
    default:
      return `a ${typeof value}`;
  }
}
