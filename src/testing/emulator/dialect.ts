/**
 * What one provider's API is to the emulator. A scenario is written once; a dialect reads requests and writes answers in
 * its provider's words. Everything else (which turn, which fault, the bytes on the wire, the cache) is the same for all.
 */
import type { JsonRecord } from "../../model/json-view.ts";
import type { CacheBlock, CacheKind, PromptUsage } from "./cache/prompt.ts";
import type { ErrorWord } from "./error-word.ts";
import type { Level, RateName, Refusal } from "./limits/limits.ts";
import type { Stop, Turn } from "./scenario.ts";

export const DIALECTS = ["anthropic", "openai-responses", "openai-chat"] as const;
export type DialectName = (typeof DIALECTS)[number];

/** An error as the provider words it. `code` and `param` are OpenAI's. */
export interface ApiError {
  readonly status: number;
  readonly type: string;
  readonly message: string;
  readonly code?: string | null;
  readonly param?: string | null;
  /** Anthropic's. */
  readonly details?: { readonly error_code: string };
}

export interface RequestHead {
  /** Lower-case names. */
  readonly headers: { readonly [name: string]: string };
  /** The only key that is let in; null lets any in. */
  readonly apiKey: string | null;
}

/** What a request asks, in words that every dialect has. */
export interface Asked {
  /** The text of the first user message. */
  readonly task: string;
  /** What this conversation is recognised by, to the byte. */
  readonly identity: string;
  /** How many answers of the model the request holds; with `pauses`, how many messages of the model. */
  readonly step: number;
  /**
   * Of a dialect in which the answers of a paused turn are one message. `open` is the text of the last message where the
   * model said it, which it is to go on with.
   */
  readonly pauses?: { readonly open: string | null };
  readonly model: string;
  /** How long the answer may be; null: it does not say. */
  readonly maxTokens: number | null;
  readonly stream: boolean;
  readonly system: string;
  /** Of the last message, where the user said it. */
  readonly userText: string;
  /** Of the last message. */
  readonly results: readonly { readonly text: string; readonly isError: boolean }[];
  readonly lastWords: string;
}

/** A turn as it will be said: faults that change the answer itself have been applied. */
export interface Said {
  readonly think: string | null;
  readonly redacted: string | null;
  readonly text: string | null;
  readonly calls: readonly { readonly tool: string; readonly json: string }[];
  readonly stop: Stop;
}

export interface Answer {
  readonly said: Said;
  readonly turn: Turn;
  readonly model: string;
  /** Part of every id, so that the same step gets the same ids again. */
  readonly id: string;
  /** As it came, with what was kept of earlier responses put in. */
  readonly body: unknown;
  /** Null: the answer does not say its usage. */
  readonly usage: AnswerUsage | null;
  /** Seconds since the epoch. */
  readonly created: number;
  /** The name of the field in which Chat Completions shows its reasoning; null: it does not. */
  readonly reasoningField: string | null;
}

export interface AnswerUsage extends PromptUsage {
  readonly output: number;
  readonly reasoning: number;
}

/** @param part what a fault looks for: deltas by what they carry, `end` without which a stream is not complete. */
export interface StreamEvent {
  readonly name: string | null;
  readonly data: object | string;
  readonly part: "text" | "thinking" | "json" | "end" | "other";
  /** Of a delta, as it stands in the data. */
  readonly delta?: string;
}

export interface StreamError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | undefined;
  readonly form?: "event" | "nested" | "failed" | undefined;
}

export interface Dialect {
  readonly name: DialectName;
  readonly defaultModels: readonly string[];
  readonly requestIdHeader: string;
  headError(head: RequestHead): ApiError | null;
  bodyError(body: unknown, headers: RequestHead["headers"]): ApiError | null;
  asked(body: unknown, headers: RequestHead["headers"]): Asked;
  /** @returns the refusal of a request of `input` tokens where the window has `limit`. */
  overflow(body: unknown, input: number, limit: number): ApiError | null;
  readonly cache: CacheKind;
  /** Everything that the model reads, in the order in which it is cached. */
  blocks(body: unknown): readonly CacheBlock[];
  whole(answer: Answer): object;
  events(answer: Answer): readonly StreamEvent[];
  /** Inside a stream, after the events that were sent. */
  errorEvents(error: StreamError, answer: Answer, sent: number): readonly StreamEvent[];
  ping(): StreamEvent | null;
  errorBody(error: ApiError, requestId: string): object;
  errorForStatus(status: number): ApiError;
  errorOfKind(kind: ErrorWord): ApiError;
  invalid(message: string): ApiError;
  notFound(method: string, path: string): ApiError;
  tooLarge(): ApiError;
  /** Where no limits are enforced. */
  rateHeaders(rate: RateState): { readonly [name: string]: string };
  readonly limits: LimitWords;
  modelList(models: readonly string[]): object;
}

/** How a provider tells the limits that are enforced. */
export interface LimitWords {
  /** What it limits, in the order in which it looks. */
  readonly rates: readonly RateName[];
  /** @param now milliseconds since the epoch */
  headers(levels: readonly Level[], now: number): { readonly [name: string]: string };
  error(refusal: Refusal, model: string, now: number): ApiError;
  retryHeaders(waitMs: number): { readonly [name: string]: string };
}

export interface RateState {
  /** Requests answered so far. */
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** What is used up, by a fault; null: nothing. */
  readonly exhausted: "requests" | "tokens" | null;
  /** Milliseconds until it is full again. */
  readonly resetMs: number;
}

export const REQUESTS_PER_MINUTE = 4_000;
export const TOKENS_PER_MINUTE = 2_000_000;

export function event(name: string | null, data: object | string, part: StreamEvent["part"] = "other"): StreamEvent {
  return { name, data, part };
}

/** By code points: a chunk never ends inside a character. */
export function chunks(text: string, size: number): readonly string[] {
  const points = [...text];
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) =>
    points.slice(i * size, (i + 1) * size).join(""),
  );
}

/** What a broken request may hold where an object should be. */
export function recordsOf(value: unknown): readonly JsonRecord[] {
  if (!Array.isArray(value)) return [];
  return value.map((item: unknown) =>
    // An object that is neither null nor an array may be read by any string key.
    typeof item === "object" && item !== null && !Array.isArray(item) ? (item as JsonRecord) : {},
  );
}
