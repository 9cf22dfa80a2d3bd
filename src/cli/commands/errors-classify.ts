/** `belay errors classify`: provider answers in, kinds out, a line each. A bad line gives an error line, and the next is read. */
import { createInterface } from "node:readline";
import { ERROR_TABLE, isRetryable } from "../../kernel/error-kind.ts";
import { classifyProviderError, type ProviderErrorInput } from "../../model/classify.ts";
import type { Face } from "../face.ts";
import { systemClock } from "../../host/system-clock.ts";

/** A longer line is no answer of a provider. Characters. */
const LINE_CHARS_MAX = 4 * 1024 * 1024;

export async function classifyLines({ stdin, out }: Face): Promise<number> {
  let number = 0;
  for await (const line of createInterface({ input: stdin, crlfDelay: Infinity })) {
    number++;
    if (line.trim() === "") continue;
    if (out.gone) break;
    out.json(JSON.stringify(answerTo(line, number)));
    await out.ready();
  }
  return 0;
}

export function answerTo(line: string, number: number): Record<string, unknown> {
  const input = inputOf(line);
  if (typeof input === "string") return { error: `line ${number}: ${input}` };
  const { kind, after_ms } = classifyProviderError(input);
  return {
    kind,
    handling: ERROR_TABLE[kind].handling,
    retryable: isRetryable(kind),
    ...(after_ms === null ? {} : { after_ms }),
  };
}

/** The input, or what is wrong with the line. */
function inputOf(line: string): ProviderErrorInput | string {
  if (line.length > LINE_CHARS_MAX) return `it has more than ${LINE_CHARS_MAX} characters`;
  const value = parsed(line);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is no JSON object";
  const { provider, http, headers, body, event } = value as Record<string, unknown>; // an object has members of any kind
  if (typeof provider !== "string") return '"provider" must be a string';
  if (http !== undefined && http !== null && !Number.isInteger(http)) return '"http" must be a whole number';
  if (headers !== undefined && headers !== null && !isHeaders(headers)) return '"headers" must be an object of strings';
  return {
    provider,
    http: typeof http === "number" ? http : null,
    now: systemClock.now(),
    ...(isHeaders(headers) ? { headers } : {}),
    ...(body === undefined ? {} : { body }),
    ...(event === undefined ? {} : { event }),
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isHeaders(value: unknown): value is Record<string, string> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((one) => typeof one === "string")
  );
}
