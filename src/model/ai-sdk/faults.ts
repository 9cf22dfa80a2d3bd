/**
 * What an AI SDK model threw or put into its stream, as one of our kinds. The classes of its errors are known by their
 * names: a model that a user hands in may bring its own copy of the package that defines them.
 */
import type { Clock } from "../../kernel/clock.ts";
import type { ErrorKind } from "../../kernel/error-kind.ts";
import { HarnessError, InvariantError } from "../../kernel/harness-error.ts";
import { errorText, protocolFault } from "../answer-builder.ts";
import { classifyProviderError } from "../classify.ts";
import { classifyException, reachedNobody } from "../exception.ts";
import { asRecord, at, countAt, parseJson, textAt } from "../json-view.ts";
import type { HeaderMap } from "../rate-state.ts";
import { type CallFault, describe } from "../thrown.ts";

export interface FaultContext {
  readonly provider: string;
  readonly clock: Clock;
  /** Whether a response had begun. */
  readonly answered: boolean;
  readonly requestId: (headers: HeaderMap) => string | null;
}

/** The SDK's errors that say by their name alone what is wrong. */
const NAMES: { readonly [name: string]: ErrorKind } = {
  AI_LoadAPIKeyError: "auth",
  AI_LoadSettingError: "config_invalid",
  AI_NoSuchModelError: "not_found",
  AI_UnsupportedFunctionalityError: "invalid_request",
  AI_InvalidPromptError: "invalid_request",
  AI_InvalidArgumentError: "invalid_request",
  AI_EmptyResponseBodyError: "protocol",
  AI_InvalidResponseDataError: "protocol",
  AI_JSONParseError: "protocol",
};
/** `InvalidResponseDataError` of @ai-sdk/openai-compatible for a stream that just ends. */
const CUT = /stream ended without a finish reason/i;

/** @param error what was thrown, or the error of a part of the stream */
export function faultOf(error: unknown, context: FaultContext): CallFault {
  if (error instanceof InvariantError) throw error;
  if (error instanceof HarnessError)
    return { kind: error.kind, message: `${error.happened} ${error.todo}`, after_ms: null };
  const status = countAt(error, "statusCode");
  if (status !== null && status >= 300) return refused(error, status, context);
  const message = textAt(error, "message") ?? "";
  if (CUT.test(message)) return { kind: "stream_cut", after_ms: null, message };
  const known = NAMES[textAt(error, "name") ?? ""];
  if (known !== undefined) return { kind: known, after_ms: null, message: describe(error) };
  // A chunk that is not of the shape the SDK knows may well be the provider's error in a shape of its own.
  if (textAt(error, "name") === "AI_TypeValidationError") return unknownChunk(at(error, "value"), context);
  if (error instanceof Error) return thrown(error, context);
  return spoken(error, context);
}

/** The provider answered with a status: an `APICallError`, or an error in the stream that carries one. */
function refused(error: unknown, status: number, { provider, clock, answered, requestId }: FaultContext): CallFault {
  const headers = headersOf(at(error, "responseHeaders"));
  const text = textAt(error, "responseBody");
  const body = text === null ? asError(at(error, "data") ?? error) : (parseJson(text) ?? text);
  const { kind, after_ms } = classifyProviderError({ provider, http: status, headers, body, now: clock.now() });
  const words = errorText(body) ?? textAt(error, "message") ?? "";
  const message = words.trim() === "" ? `The provider answered with ${status}.` : words;
  // In a stream the response's own status stays: what it had begun may have been spent.
  return answered
    ? { kind, after_ms, message }
    : { kind, after_ms, message, http: status, request_id: requestId(headers), headers };
}

/** A part `error` that holds what the provider said and no exception. */
function spoken(error: unknown, { provider }: FaultContext): CallFault {
  const event = asError(error);
  const { kind, after_ms } = classifyProviderError({ provider, event });
  return { kind, after_ms, message: errorText(event) ?? "The stream held an error without a message." };
}

function unknownChunk(value: unknown, context: FaultContext): CallFault {
  if (at(value, "error") !== undefined || at(value, "type") === "error") return spoken(value, context);
  return protocolFault(
    `The stream held something else than the provider's protocol: ${JSON.stringify(value).slice(0, 200)}`,
  );
}

function thrown(error: Error, { answered }: FaultContext): CallFault {
  const kind = classifyException(error);
  // Once the answer had begun, a lost connection is a cut stream.
  const cut = answered && kind === "network";
  const sent = answered || !reachedNobody(error);
  return { kind: cut ? "stream_cut" : kind, after_ms: null, message: describe(error), sent };
}

/** As the providers write it: `{error: {…}}`. */
function asError(value: unknown): unknown {
  const inside = typeof value === "string" ? (parseJson(value) ?? value) : value;
  return typeof inside === "string" || at(inside, "error") !== undefined ? inside : { error: inside };
}

export function headersOf(headers: unknown): HeaderMap {
  const entries = Object.entries(asRecord(headers) ?? {});
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (typeof value === "string" ? [[name.toLowerCase(), value]] : [])),
  );
}
