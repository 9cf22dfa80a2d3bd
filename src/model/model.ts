/**
 * The model port: one call, streamed, ending with one complete message or one classified failure. An adapter never
 * throws for what a provider or the network does, never retries, and never hands out a tool call before the stream
 * ended well.
 *
 * M1: `ok: true` only when the provider said that the answer is complete (Anthropic: `message_stop`; OpenAI:
 *     `response.completed` or `response.incomplete`).
 * M2: an aborted call resolves within a second, as `{ ok: false, aborted: true }`.
 * M3: tool input is parsed JSON of an object, or the call failed as `truncated_tool_call`.
 */
import type { Message, ModelPart } from "../kernel/content.ts";
import type { ErrorKind } from "../kernel/error-kind.ts";
import type { ToolCallId } from "../kernel/ids.ts";
import type { JsonObject } from "../kernel/json.ts";
import type { NanoDollars } from "../kernel/money.ts";
import type { StopReason } from "../kernel/state.ts";
import type { Usage } from "../kernel/usage.ts";

export interface Model {
  /** As in the configuration: `anthropic`, `openai`. */
  readonly provider: string;
  /** Tells the accounts of a provider apart without saying the key: calls of one account share its rate. */
  readonly account: string;
  call(request: ModelRequest, options: ModelCallOptions): Promise<ModelAnswer>;
}

/** Finds the adapter of a provider. One that is not used is not loaded. */
export interface Models {
  /** @throws HarnessError `config_invalid` when no provider has this name or its package is not installed */
  of(provider: string): Promise<Model>;
}

/** One model, whatever provider a session names. */
export function oneModel(model: Model): Models {
  return { of: () => Promise.resolve(model) };
}

export interface ToolSchema {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly input: JsonObject;
}

export interface ModelRequest {
  readonly model: string;
  readonly system: string;
  readonly tools: readonly ToolSchema[];
  /** Valid: roles alternate, every tool call has its result in the next message. */
  readonly messages: readonly Message[];
  /** Thinking of messages before this index is left out. */
  readonly thinking_from: number;
  readonly max_tokens: number;
  /** Null is off. */
  readonly thinking_tokens: number | null;
}

export interface ModelCallOptions {
  readonly signal: AbortSignal;
  /** Called in order while the answer arrives. Must not throw. */
  readonly onDelta: (delta: ModelDelta) => void;
  /** Mints an id for each tool call of the answer: ours, not the provider's. */
  readonly toolCallId: () => ToolCallId;
  /** The same for all calls of a session: providers that route by it find their cache again. Says nothing to the model. */
  readonly cache_key?: string;
}

export type ModelDelta =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string }
  | { readonly type: "tool_use"; readonly name: string }
  | { readonly type: "tool_input"; readonly json: string };

export type ModelAnswer = ModelSuccess | ModelFailure;

export interface ModelSuccess {
  readonly ok: true;
  readonly parts: readonly ModelPart[];
  readonly stop: StopReason;
  readonly usage: Usage;
  /** As the provider names it. */
  readonly model: string;
  readonly request_id: string | null;
  /** Null when the provider said nothing about it. */
  readonly rate: RateReport | null;
}

export interface ModelFailure {
  readonly ok: false;
  /** True when our own signal ended the call; `kind` is then `interrupted`. */
  readonly aborted: boolean;
  readonly kind: ErrorKind;
  /** The provider's own words, bounded, without secrets. */
  readonly message: string;
  readonly http: number | null;
  readonly request_id: string | null;
  /** What the provider asked to wait, in milliseconds. */
  readonly retry_after_ms: number | null;
  /**
   * Whether the request may have reached the provider, and so may have cost something. False only where that is known: no
   * credential, no address, no trusted connection, nobody listening.
   */
  readonly sent: boolean;
  /** Text that had arrived. */
  readonly partial: string;
  /** What was reported before the failure. */
  readonly usage: Usage | null;
  /** As of a success. */
  readonly rate: RateReport | null;
}

/** What a provider said about the account's rate, with an answer or with an error. */
export interface RateReport {
  /** When it was said: a report of a long answer is as old as the answer. Milliseconds since the epoch by our clock. */
  readonly at: number;
  readonly requests: RateBucket | null;
  /** Input and output together, where a provider counts them so (OpenAI). */
  readonly tokens: RateBucket | null;
  readonly input_tokens: RateBucket | null;
  readonly output_tokens: RateBucket | null;
  /** Headers about the rate that could not be read: `name: value`, bounded. */
  readonly ignored: readonly string[];
}

export interface RateBucket {
  /** Of a minute, unless the provider says otherwise. */
  readonly limit: number | null;
  readonly remaining: number | null;
  /** When it is full again (Anthropic) or its window ends, in milliseconds since the epoch by our clock. */
  readonly reset_at: number | null;
}

/** Finds what a call cost. Null when the table has no price: unknown, never zero. */
export interface PriceTable {
  /** @returns the cost and the table's entry that matched */
  costOf(
    provider: string,
    model: string,
    usage: Usage,
  ): Promise<{ readonly cost: NanoDollars; readonly price: string } | null>;
  /** What the same costs in a batch; null without a price or where the provider has no batches. */
  batchCostOf(
    provider: string,
    model: string,
    usage: Usage,
  ): Promise<{ readonly cost: NanoDollars; readonly price: string } | null>;
  /** Tokens that a request and its answer may have together; null where it is not known. */
  contextWindow(provider: string, model: string): Promise<number | null>;
}

/** Limits of one call, in milliseconds. */
export interface ModelTimeouts {
  /** Until the response's headers are there. */
  readonly connect_ms: number;
  /** Between two events of the stream (a ping counts). */
  readonly idle_ms: number;
  /** From the request to the end of the answer. */
  readonly total_ms: number;
}

export const MODEL_TIMEOUTS: ModelTimeouts = { connect_ms: 60_000, idle_ms: 120_000, total_ms: 1_800_000 };
