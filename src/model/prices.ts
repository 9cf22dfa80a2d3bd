/**
 * What a call costs, from the maintained table of @pydantic/genai-prices (offline; imported on the first question).
 *
 * P1: an unknown model has no price: null, never zero.
 * P2: amounts are rounded up to whole nano-dollars, so that a bound stays a bound.
 * P3: tokens written to the cache for an hour cost what the table says; where it says nothing, twice the input price.
 */
import type * as Prices from "@pydantic/genai-prices";
import { nanoFromDollars } from "../kernel/money.ts";
import { promptTokens, type Usage } from "../kernel/usage.ts";
import type { PriceTable } from "./model.ts";

const MILLION = 1_000_000;
/** P3. */
const HOUR_WRITE_FACTOR = 2;

/** Dollars per million tokens. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
  /** Absent: the input price. */
  readonly cache_read?: number;
  /** Absent: the input price. */
  readonly cache_write_5m?: number;
  /** Absent: twice the input price. */
  readonly cache_write_1h?: number;
}

export interface PriceOptions {
  /** By `provider/model`, exactly; they go before the table. */
  readonly overrides?: { readonly [model: string]: ModelPrice };
}

export function createPriceTable(options: PriceOptions = {}): PriceTable {
  return {
    costOf: async (provider, model, usage) => {
      const key = `${provider}/${model}`;
      const override = options.overrides && Object.hasOwn(options.overrides, key) ? options.overrides[key] : undefined;
      if (override) return { cost: nanoFromDollars(dollars(override, usage)), price: `override:${key}` };
      return fromTable(provider, model, usage);
    },
  };
}

function dollars(price: ModelPrice, usage: Usage): number {
  const perMillion =
    usage.input_tokens * price.input +
    usage.cache_read_tokens * (price.cache_read ?? price.input) +
    usage.cache_write_5m_tokens * (price.cache_write_5m ?? price.input) +
    usage.cache_write_1h_tokens * (price.cache_write_1h ?? price.input * HOUR_WRITE_FACTOR) +
    usage.output_tokens * price.output;
  return perMillion / MILLION;
}

type Table = Pick<typeof Prices, "calcPrice">;

/** What the table calls a provider. One that is not here has no price: a server of one's own, or one nobody knows. */
const TABLE_IDS: { readonly [provider: string]: string } = {
  anthropic: "anthropic",
  openai: "openai",
  google: "google",
  vertex: "google",
  azure: "azure",
  bedrock: "aws",
  openrouter: "openrouter",
};

/** In the command's bundle the first of the two holds Anthropic alone, which is loaded faster (scripts/bundle-plugins.ts). */
export function loadPrices(provider: string): Promise<Table> {
  return provider === "anthropic" ? import("@pydantic/genai-prices") : import("./every-price.ts");
}

/** Models that are remembered. A session asks for one or two; this only bounds a mistake. */
const FOUND_MAX = 100;

/** Where the table has a model; null where it has not. Looking one up tries the patterns of all before it. */
const found = new Map<string, Prices.Provider | null>();

function foundOnce({ calcPrice }: Table): Table["calcPrice"] {
  return (counts, model, options) => {
    const key = `${options?.providerId ?? ""}/${model}`;
    const known = found.get(key);
    if (known === null) return null;
    const result = calcPrice(counts, model, known === undefined ? options : { provider: known });
    if (known === undefined && found.size < FOUND_MAX)
      found.set(key, result === null ? null : { ...result.provider, models: [result.model] });
    return result;
  };
}

async function fromTable(provider: string, model: string, usage: Usage): ReturnType<PriceTable["costOf"]> {
  const providerId = Object.hasOwn(TABLE_IDS, provider) ? TABLE_IDS[provider] : undefined;
  if (providerId === undefined) return null;
  const calcPrice = foundOnce(await loadPrices(provider));
  const hour = usage.cache_write_1h_tokens;
  const counts = {
    // The table's input is the total, what went through the cache included.
    input_tokens: promptTokens(usage),
    cache_read_tokens: usage.cache_read_tokens,
    cache_write_tokens: usage.cache_write_5m_tokens + hour,
    output_tokens: usage.output_tokens,
  };
  const base = calcPrice(counts, model, { providerId });
  if (base === null) return null;
  const price = `${base.provider.id}/${base.model.id}`;
  if (hour === 0) return { cost: nanoFromDollars(base.total_price), price };
  if (base.model_price["cache_write_1h_mtok"] !== undefined) {
    const exact = calcPrice({ ...counts, cache_write_1h_tokens: hour }, model, { providerId });
    return exact === null ? null : { cost: nanoFromDollars(exact.total_price), price };
  }
  // P3: priced as fresh input twice. The total stays in the first count, so that a tier by size is still met.
  const fresh = calcPrice({ ...counts, cache_write_tokens: usage.cache_write_5m_tokens }, model, { providerId });
  const none = calcPrice(
    { ...counts, input_tokens: counts.input_tokens - hour, cache_write_tokens: usage.cache_write_5m_tokens },
    model,
    { providerId },
  );
  if (fresh === null || none === null) return null;
  return { cost: nanoFromDollars(fresh.total_price + Math.max(0, fresh.total_price - none.total_price)), price };
}
