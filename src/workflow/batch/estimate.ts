/**
 * What given jobs are likely to cost, live and in a batch, with and without the cache; and which of the two is right. Tokens are
 * estimated from bytes: every number says on what it rests.
 */
import { addMoney, NO_MONEY, nanoDollars, type NanoDollars } from "../../kernel/money.ts";
import { NO_USAGE, type Usage } from "../../kernel/usage.ts";
import type { PriceTable } from "../../model/model.ts";
import { addCase, BYTES_PER_TOKEN, NO_CASE, type WorstCase, worstCaseOf } from "./money.ts";
import type { Job } from "./job.ts";
import type { ModelCensus } from "./source.ts";

/** Of `max_tokens`, what an answer is taken to use where nobody says how long answers are. */
export const OUTPUT_SHARE = 0.25;
/** How often a batch finds a shared prefix in the cache: its requests run at the same time, so not as often as live ones. */
export const BATCH_CACHE_HITS = 0.5;
/** Live calls one after the other find it nearly always. */
const LIVE_CACHE_HITS = 0.95;
/** Below this a provider keeps no prefix. Tokens. */
const CACHED_TOKENS_MIN = 1_024;

export interface Prices {
  readonly live: NanoDollars | null;
  readonly live_cached: NanoDollars | null;
  readonly batch: NanoDollars | null;
  readonly batch_cached: NanoDollars | null;
}

export interface Estimate extends Prices {
  readonly jobs: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Of the input, what jobs share and the provider can keep. */
  readonly shared_tokens: number;
}

/** @param answer_tokens what an answer is likely to have; null: a share of `max_tokens` */
export async function estimateOf(
  prices: PriceTable,
  provider: string,
  models: readonly ModelCensus[],
  answer_tokens: number | null,
): Promise<Estimate> {
  let sum: Estimate = {
    jobs: 0,
    input_tokens: 0,
    output_tokens: 0,
    shared_tokens: 0,
    live: NO_MONEY,
    live_cached: NO_MONEY,
    batch: NO_MONEY,
    batch_cached: NO_MONEY,
  };
  for (const census of models) {
    const mean = meanJob(census, answer_tokens);
    const times = (cost: { readonly cost: NanoDollars } | null): NanoDollars | null =>
      cost === null ? null : nanoDollars(cost.cost * census.jobs);
    const live = (usage: Usage): ReturnType<PriceTable["costOf"]> => prices.costOf(provider, census.model, usage);
    const batch = (usage: Usage): ReturnType<PriceTable["batchCostOf"]> =>
      prices.batchCostOf(provider, census.model, usage);
    sum = {
      jobs: sum.jobs + census.jobs,
      input_tokens: sum.input_tokens + mean.input * census.jobs,
      output_tokens: sum.output_tokens + mean.output * census.jobs,
      shared_tokens: sum.shared_tokens + mean.shared * census.jobs,
      live: plus(sum.live, times(await live(usageOf(mean, null)))),
      live_cached: plus(sum.live_cached, times(await live(usageOf(mean, LIVE_CACHE_HITS)))),
      batch: plus(sum.batch, times(await batch(usageOf(mean, null)))),
      batch_cached: plus(sum.batch_cached, times(await batch(usageOf(mean, BATCH_CACHE_HITS)))),
    };
  }
  return sum;
}

interface MeanJob {
  readonly input: number;
  readonly output: number;
  /** Of the input, what can be read from the cache. */
  readonly shared: number;
}

function meanJob(
  { jobs, system_bytes, message_bytes, max_tokens, shared_bytes }: ModelCensus,
  answer: number | null,
): MeanJob {
  const most = Math.ceil(max_tokens / jobs);
  const shared = Math.floor(shared_bytes / BYTES_PER_TOKEN);
  return {
    input: Math.ceil((system_bytes + message_bytes) / jobs / BYTES_PER_TOKEN),
    output: answer === null ? Math.ceil(most * OUTPUT_SHARE) : Math.min(answer, most),
    shared: jobs > 1 && shared >= CACHED_TOKENS_MIN ? shared : 0,
  };
}

/** @param hits share of the requests that find the shared part in the cache; null: nothing is cached */
function usageOf({ input, output, shared }: MeanJob, hits: number | null): Usage {
  if (hits === null || shared === 0) return { ...NO_USAGE, input_tokens: input, output_tokens: output };
  const read = Math.floor(shared * hits);
  return {
    ...NO_USAGE,
    input_tokens: Math.max(0, input - shared),
    cache_read_tokens: read,
    cache_write_1h_tokens: shared - read,
    output_tokens: output,
  };
}

function plus(a: NanoDollars | null, b: NanoDollars | null): NanoDollars | null {
  return a === null || b === null ? null : addMoney(a, b);
}

/** Every byte a token, all of every answer used: what is reserved before anything is sent. */
export async function worstCaseOfAll(
  prices: PriceTable,
  provider: string,
  jobs: AsyncIterable<{ readonly job: Job }>,
): Promise<WorstCase> {
  let sum = NO_CASE;
  for await (const { job } of jobs) sum = addCase(sum, await worstCaseOf(prices, provider, job));
  return sum;
}

/** A batch may take this long; most end within the first of them. Milliseconds. */
const BATCH_MS_MAX = 24 * 3_600_000;
const BATCH_MS_USUAL = 3_600_000;
/** Fewer jobs whose batch saves less than this are not worth the wait. Nano-dollars. */
const FEW_JOBS = 10;
const SAVING_MIN = 50_000_000;

export interface Advice {
  readonly choice: "batch" | "live";
  /** Sentences for people, the deciding one first. */
  readonly reasons: readonly string[];
  /** What the choice saves against the other; null without a known price. */
  readonly saves: NanoDollars | null;
}

export interface Circumstances {
  readonly provider: string;
  /** Whether the provider has batches. */
  readonly batches: boolean;
  /** The jobs need tools: a batch answers each once. */
  readonly tools: boolean;
  /** How long the answers can wait, in milliseconds; null: as long as it takes. */
  readonly within_ms: number | null;
}

export function adviceFor(estimate: Estimate, { provider, batches, tools, within_ms }: Circumstances): Advice {
  const { live_cached, batch_cached, batch } = estimate;
  const cheapest = batch === null || batch_cached === null ? null : Math.min(batch, batch_cached);
  const cheapestLive = live_cached === null || estimate.live === null ? null : Math.min(live_cached, estimate.live);
  const saves = cheapest === null || cheapestLive === null ? null : nanoDollars(cheapestLive - cheapest);
  const live = (...reasons: readonly string[]): Advice => ({
    choice: "live",
    reasons,
    saves: saves === null ? null : nanoDollars(-saves),
  });
  const shared = estimate.shared_tokens > 0 ? ["the jobs share a prompt that the cache keeps"] : [];
  if (tools) return live("the jobs need tools, and a job of a batch is answered once");
  if (!batches) return live(`${provider} has no batches`);
  if (within_ms !== null && within_ms < BATCH_MS_USUAL)
    return live("a batch may take longer than the answers can wait");
  if (saves !== null && saves <= 0) return live("with the cache, live calls cost no more than a batch", ...shared);
  if (estimate.jobs < FEW_JOBS && saves !== null && saves < SAVING_MIN)
    return live("so few jobs save too little to wait for");
  const risk =
    within_ms !== null && within_ms < BATCH_MS_MAX ? ["most batches end within an hour, but a day is allowed"] : [];
  return { choice: "batch", reasons: ["the answers can wait, and a batch costs less", ...shared, ...risk], saves };
}
