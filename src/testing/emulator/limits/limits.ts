/** The limits of a scenario, their grammar: what an account may use per minute, at once, and in all. */
import * as z from "zod";

const LIMIT_MAX = 1_000_000_000;
const BURST_S_MAX = 3_600;

const perMinute = (): z.ZodInt => z.int().min(1).max(LIMIT_MAX);
const perMillion = (): z.ZodNumber => z.number().min(0);

/** Each is absent where nothing limits it. */
const amounts = {
  requests: perMinute().optional(),
  /** Anthropic's: what was not read from the cache. */
  input_tokens: perMinute().optional(),
  /** Anthropic's. */
  output_tokens: perMinute().optional(),
  /** OpenAI's: of input and output together. */
  tokens: perMinute().optional(),
  /** Requests that are answered at the same time. */
  concurrency: z.int().min(1).max(LIMIT_MAX).optional(),
};

export const limits = z.strictObject({
  ...amounts,
  /** Of models that have limits of their own; what such a model does not name is as for all. */
  models: z.record(z.string(), z.strictObject(amounts)).optional(),
  /** What a key may spend in all. Dollars. */
  spend_usd: z.number().positive().optional(),
  /** Of every model, in dollars per million tokens. Absent: the price table's. */
  price: z
    .strictObject({
      input: perMillion(),
      output: perMillion(),
      cache_read: perMillion().optional(),
      cache_write_5m: perMillion().optional(),
      cache_write_1h: perMillion().optional(),
    })
    .optional(),
  /** How many seconds of refill may be used at once. */
  burst_s: z.number().positive().max(BURST_S_MAX).optional(),
  /** False: no rate headers and no retry-after, only refusals. */
  headers: z.boolean().default(true),
});

export type Limits = z.infer<typeof limits>;
export type LimitsInput = z.input<typeof limits>;

/** What is counted in a bucket. */
export const RATES = ["requests", "input_tokens", "output_tokens", "tokens"] as const;
export type RateName = (typeof RATES)[number];

/** The state of one bucket. */
export interface Level {
  readonly name: RateName;
  /** Per minute. */
  readonly limit: number;
  /** Never below 0. */
  readonly left: number;
  /** Milliseconds until it is full. */
  readonly fullMs: number;
}

/** Why a request is refused. */
export type Refusal =
  | {
      readonly what: RateName;
      /** Per minute. */
      readonly limit: number;
      readonly left: number;
      readonly requested: number;
      /** Milliseconds until it would be let in. */
      readonly waitMs: number;
      /** It is more than the bucket holds: it is never let in. */
      readonly never: boolean;
      /** Whether the answer may say how long to wait. */
      readonly told: boolean;
    }
  | { readonly what: "concurrency"; readonly limit: number }
  | { readonly what: "spend" };
