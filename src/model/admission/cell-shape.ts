/**
 * The shape of what stands in a cell, to tell what was not written by this version: read as if it were, it would stop every call
 * of the account.
 */
import * as z from "zod";
import { isErrorKind } from "../../kernel/error-kind.ts";
import { lazy } from "../../kernel/lazy.ts";

const bucket = lazy(() =>
  z
    .object({ limit: z.number().positive(), level: z.number(), at: z.number(), window_ms: z.number().positive() })
    .nullable(),
);

/** The id and the party, then numbers. */
function row(numbers: number) {
  return z
    .array(z.union([z.string(), z.number()]))
    .length(2 + numbers)
    .refine((values) => values.every((value, i) => typeof value === (i < 2 ? "string" : "number")));
}

const limiter = lazy(() =>
  z.object({
    buckets: z.object({ requests: bucket(), tokens: bucket(), input_tokens: bucket(), output_tokens: bucket() }),
    charges: z.array(z.array(z.number()).min(1)),
    served: z.array(z.tuple([z.string(), z.number()])),
    count: z.number(),
    learned: z.object({
      outputs: z.array(z.number()),
      shares: z.array(z.number()),
      duration_ms: z.number().nullable(),
    }),
    headers: z.enum(["unknown", "told", "none"]),
    asked_at: z.number(),
    window: z
      .object({ size: z.number().positive(), doubling: z.boolean(), successes: z.number(), cut_at: z.number() })
      .nullable(),
    blocked_until: z.number(),
    blocks: z.number(),
  }),
);

const cell = lazy(() =>
  z.object({
    provider: z.string(),
    model: z.string(),
    account: z.string(),
    written_at: z.number(),
    base: z.number(),
    turns: z.array(row(6)),
    queue: z.array(row(5)),
    limiter: limiter(),
    breaker: z.object({
      failures: z.array(z.number()),
      open_until: z.number().nullable(),
      openings: z.number(),
      probe: z.string().nullable(),
    }),
    last_latency_ms: z.number().nullable(),
    last_error: z.object({ kind: z.string().refine(isErrorKind), message: z.string(), at: z.number() }).nullable(),
  }),
);

export function isCell(value: unknown): boolean {
  return cell().safeParse(value).success;
}
