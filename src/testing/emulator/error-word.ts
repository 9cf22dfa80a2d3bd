/** Errors that a scenario names without knowing who will ask. */
export const ERROR_WORDS = [
  "auth",
  "billing",
  "quota",
  "permission",
  "not_found",
  "invalid_request",
  "too_large",
  "context_overflow",
  "rate_limit",
  "overloaded",
  "server_error",
  "timeout",
] as const;
export type ErrorWord = (typeof ERROR_WORDS)[number];
