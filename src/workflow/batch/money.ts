/** What a job costs in a batch: at most, and likely. */
import type { NanoDollars } from "../../kernel/money.ts";
import { addMoney, NO_MONEY } from "../../kernel/money.ts";
import { NO_USAGE, totalTokens, type Usage } from "../../kernel/usage.ts";
import type { PriceTable } from "../../model/model.ts";
import type { Job } from "./job.ts";

/** A token of code or prose is about so many bytes. For estimates; a bound takes one. */
export const BYTES_PER_TOKEN = 4;
/** Structure around the texts of a request (roles, types), in bytes. */
const OVERHEAD_BYTES = 200;

export interface JobBytes {
  readonly system: number;
  readonly messages: number;
}

export function bytesOf({ system, messages }: Job): JobBytes {
  const text = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  return { system: Buffer.byteLength(system), messages: text + OVERHEAD_BYTES };
}

/** A token is at least one byte. What all jobs share may be written to the cache, for an hour; all of the answer is used. */
export function worstUsage({ system, messages }: JobBytes, max_tokens: number): Usage {
  return { ...NO_USAGE, input_tokens: messages, cache_write_1h_tokens: system, output_tokens: max_tokens };
}

export interface WorstCase {
  readonly tokens: number;
  /** Null without a known price. */
  readonly cost: NanoDollars | null;
}

export const NO_CASE: WorstCase = { tokens: 0, cost: NO_MONEY };

export async function worstCaseOf(prices: PriceTable, provider: string, job: Job): Promise<WorstCase> {
  const usage = worstUsage(bytesOf(job), job.max_tokens);
  const priced = await prices.batchCostOf(provider, job.model, usage);
  return { tokens: totalTokens(usage), cost: priced?.cost ?? null };
}

export function addCase(a: WorstCase, b: WorstCase): WorstCase {
  return {
    tokens: a.tokens + b.tokens,
    cost: a.cost === null || b.cost === null ? null : addMoney(a.cost, b.cost),
  };
}
