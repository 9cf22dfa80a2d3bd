/** What OpenAI's two APIs share: limits told in durations, the list of models, and what only reasoning models refuse. */
import { parseJson, textAt } from "../../../model/json-view.ts";
import { at } from "../../../model/json-view.ts";
import { type ApiError, REQUESTS_PER_MINUTE, type RateState, TOKENS_PER_MINUTE } from "../dialect.ts";
import { invalid } from "./api-error.ts";

export const DEFAULT_MODELS = ["gpt-5", "gpt-4.1"];

export function rateHeaders({ count, exhausted, resetMs }: RateState): { readonly [name: string]: string } {
  return {
    "x-ratelimit-limit-requests": String(REQUESTS_PER_MINUTE),
    "x-ratelimit-limit-tokens": String(TOKENS_PER_MINUTE),
    "x-ratelimit-remaining-requests": String(exhausted === "requests" ? 0 : Math.max(0, REQUESTS_PER_MINUTE - count)),
    "x-ratelimit-remaining-tokens": String(exhausted === "tokens" ? 0 : Math.max(0, TOKENS_PER_MINUTE - count)),
    "x-ratelimit-reset-requests": duration(resetMs),
    "x-ratelimit-reset-tokens": duration(resetMs),
    "openai-organization": "org-emulator",
    "openai-version": "2020-10-01",
    "openai-processing-ms": "1",
  };
}

/** `12ms`, `1.5s`, `6m0s`, `1h2m3s`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.round(ms) / 1_000;
  if (seconds < 60) return `${seconds}s`;
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m${whole % 60}s`;
  return `${Math.floor(minutes / 60)}h${minutes % 60}m${whole % 60}s`;
}

export function modelList(models: readonly string[]): object {
  return {
    object: "list",
    data: models.map((id) => ({ id, object: "model", created: 1_767_225_600, owned_by: "emulator" })),
  };
}

/** The o-series and gpt-5 up to 5.0 take no sampling parameters. */
export function isReasoningModel(model: string): boolean {
  return /^(o\d|gpt-5(?!\.\d)(?!-chat))/.test(model);
}

const NAME = /^[a-zA-Z0-9_-]+$/;
const NAME_MAX = 64;

/** @param path of the name in the request */
export function toolNameFault(name: string | null, path: string): ApiError | null {
  if (name === null) return invalid(`Missing required parameter: '${path}'.`, path, "missing_required_parameter");
  if (name.length > NAME_MAX) return tooLong(path, NAME_MAX, name);
  if (NAME.test(name)) return null;
  return invalid(
    `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
    path,
    "invalid_value",
  );
}

export function tooLong(path: string, max: number, value: string): ApiError {
  return invalid(
    `Invalid '${path}': string too long. Expected a string with maximum length ${max}, but got a string with length ${value.length} instead.`,
    path,
    "string_above_max_length",
  );
}

/** A strict schema has every property required and no others. */
export function strictFault(name: string, schema: unknown, path: string): ApiError | null {
  const properties = at(schema, "properties");
  if (textAt(schema, "type") !== "object" || typeof properties !== "object" || properties === null) return null;
  const fault = (context: string): ApiError =>
    invalid(`Invalid schema for function '${name}': In context=(), ${context}`, path, "invalid_function_parameters");
  if (at(schema, "additionalProperties") !== false)
    return fault("'additionalProperties' is required to be supplied and to be false.");
  const required: unknown = at(schema, "required");
  const left = Object.keys(properties).find((key) => !Array.isArray(required) || !required.includes(key));
  if (left === undefined) return null;
  return fault(
    `'required' is required to be supplied and to be an array including every key in properties. Missing '${left}'.`,
  );
}

/** Neither API has a flag for a failed tool: what its output begins with, or says of itself, tells. */
export function looksLikeError(output: string): boolean {
  const parsed = parseJson(output);
  if (at(parsed, "is_error") === true || at(parsed, "error") !== undefined) return true;
  return /^\W{0,3}(tool )?error\b/i.test(output);
}

/** Text of a string, or of a list of parts. */
export function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: unknown) => textAt(part, "text") ?? textAt(part, "refusal") ?? "")
    .filter(Boolean)
    .join("\n");
}
