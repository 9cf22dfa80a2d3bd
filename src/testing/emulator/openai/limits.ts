/** Rate limits as OpenAI tells and words them (platform.openai.com, "Rate limits" and "Error codes"). */
import type { ApiError, LimitWords } from "../dialect.ts";
import type { Level, Refusal } from "../limits/limits.ts";
import { errorOfKind } from "./api-error.ts";
import { duration } from "./common.ts";

const PAGE = "https://platform.openai.com/account/rate-limits";
const SECOND_MS = 1_000;
const SHORT = { requests: "RPM", tokens: "TPM" } as const;

export const openaiLimits: LimitWords = {
  rates: ["requests", "tokens"],
  headers: limitHeaders,
  error: limitError,
  retryHeaders,
};

function limitHeaders(levels: readonly Level[]): { readonly [name: string]: string } {
  const headers: { [name: string]: string } = {};
  for (const { name, limit, left, fullMs } of levels) {
    headers[`x-ratelimit-limit-${name}`] = String(limit);
    headers[`x-ratelimit-remaining-${name}`] = String(left);
    headers[`x-ratelimit-reset-${name}`] = fullMs === 0 ? "0s" : duration(fullMs);
  }
  return headers;
}

function limitError(refusal: Refusal, model: string): ApiError {
  switch (refusal.what) {
    case "spend":
      return errorOfKind("quota");
    case "concurrency":
      // OpenAI documents no such limit: these words are the emulator's.
      return reached("requests", `Too many concurrent requests for ${model}: Limit ${refusal.limit}.`);
    case "requests":
    case "tokens":
      return rateReached(refusal.what, refusal, model);
    case "input_tokens":
    case "output_tokens":
      // Not among the rates above: nothing of this provider is refused for it.
      return reached("tokens", `Rate limit reached for ${model} on ${refusal.what}.`);
  }
}

function retryHeaders(waitMs: number): { readonly [name: string]: string } {
  return { "retry-after": String(Math.max(1, Math.ceil(waitMs / SECOND_MS))), "retry-after-ms": String(waitMs) };
}

type Rate = Extract<Refusal, { readonly requested: number }>;

function rateReached(what: keyof typeof SHORT, rate: Rate, model: string): ApiError {
  const where = `${model} in organization org-emulator on ${what} per min (${SHORT[what]}): Limit ${rate.limit}`;
  if (rate.never)
    return reached(
      what,
      `Request too large for ${where}, Requested ${rate.requested}. The input or output tokens must be reduced in order to run successfully. Visit ${PAGE} to learn more.`,
    );
  const used = `Used ${rate.limit - rate.left}, Requested ${rate.requested}.`;
  const again = rate.told ? ` Please try again in ${duration(rate.waitMs)}.` : "";
  return reached(what, `Rate limit reached for ${where}, ${used}${again} Visit ${PAGE} to learn more.`);
}

function reached(type: string, message: string): ApiError {
  return { status: 429, type, message, param: null, code: "rate_limit_exceeded" };
}
