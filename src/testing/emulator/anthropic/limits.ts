/** Rate limits as Anthropic tells and words them (platform.claude.com, "Rate limits"). */
import type { ApiError, LimitWords } from "../dialect.ts";
import type { Level, Refusal } from "../limits/limits.ts";
import { apiError } from "./api-error.ts";

/** What is left of tokens is told in whole thousands, to the nearest. */
const ROUNDED_TO = 1_000;
const SECOND_MS = 1_000;
const SALES =
  "You may also contact sales at https://claude.com/contact-sales to discuss your options for a rate limit increase.";

export const anthropicLimits: LimitWords = {
  rates: ["requests", "input_tokens", "output_tokens"],
  headers: limitHeaders,
  error: limitError,
  retryHeaders,
};

function limitHeaders(levels: readonly Level[], now: number): { readonly [name: string]: string } {
  const tokens = levels.filter(({ name }) => name !== "requests");
  // Where no workspace has limits of its own, both directions together.
  const all: Told[] =
    tokens.length === 0
      ? []
      : [
          {
            name: "tokens",
            limit: sum(tokens.map(({ limit }) => limit)),
            left: sum(tokens.map(({ left }) => left)),
            fullMs: Math.max(...tokens.map(({ fullMs }) => fullMs)),
          },
        ];
  const headers: { [name: string]: string } = {};
  for (const { name, limit, left, fullMs } of [...levels, ...all]) {
    const header = `anthropic-ratelimit-${name.replace("_", "-")}`;
    const remaining = name === "requests" ? left : Math.round(left / ROUNDED_TO) * ROUNDED_TO;
    headers[`${header}-limit`] = String(limit);
    headers[`${header}-remaining`] = String(remaining);
    headers[`${header}-reset`] = secondsOf(now + fullMs);
  }
  return headers;
}

type Told = Omit<Level, "name"> & { readonly name: string };

function limitError(refusal: Refusal, model: string, now: number): ApiError {
  const type = "rate_limit_error";
  switch (refusal.what) {
    case "spend":
      return {
        status: 429,
        type,
        message: `You have reached your API usage limits: your organization has crossed its monthly API usage threshold, set based on your organization's API tier. You will regain access on ${nextMonth(now)} at 00:00 UTC.`,
        details: { error_code: "enforced_spend_limit_reached" },
      };
    case "concurrency":
      return apiError(
        429,
        type,
        "Number of concurrent connections has exceeded your rate limit. Please try again later or contact sales at https://claude.com/contact-sales to discuss your options for a rate limit increase.",
      );
    default:
      return apiError(
        429,
        type,
        `This request would exceed your organization's rate limit of ${refusal.limit.toLocaleString("en-US")} ${refusal.what.replace("_", " ")} per minute (org: org-emulator, model: ${model}). For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current usage. Please reduce the prompt length or the maximum tokens requested, or try again later. ${SALES}`,
      );
  }
}

/** Whole seconds, rounded up: earlier retries fail. */
function retryHeaders(waitMs: number): { readonly [name: string]: string } {
  return { "retry-after": String(Math.max(1, Math.ceil(waitMs / SECOND_MS))) };
}

/** `2026-11-21T15:31:00Z`, rounded up. */
function secondsOf(ms: number): string {
  return new Date(Math.ceil(ms / SECOND_MS) * SECOND_MS).toISOString().replace(".000Z", "Z");
}

function nextMonth(now: number): string {
  const date = new Date(now);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)).toISOString().slice(0, 10);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
