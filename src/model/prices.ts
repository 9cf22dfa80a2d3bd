/**
 * What a call costs, from the maintained table of @pydantic/genai-prices (offline; imported on the first question).
 *
 * P1: an unknown model has no price: null, never zero.
 * P2: amounts are rounded up to whole nano-dollars, so that a bound stays a bound.
 * P3: tokens written to the cache for an hour cost what the table says; where it says nothing, twice the input price.
 * P4: a batch costs half, cache and all, where the provider has batches; its price id ends with `#batch`.
 */
import type * as Prices from "@pydantic/genai-prices";
import { nanoDollars, type NanoDollars, nanoFromDollars } from "../kernel/money.ts";
import { promptTokens, type Usage } from "../kernel/usage.ts";
import type { PriceTable } from "./model.ts";

const MILLION = 1_000_000;
/** P3. */
const HOUR_WRITE_FACTOR = 2;
/** P4. */
const BATCH_PROVIDERS: readonly string[] = ["anthropic", "openai", "google"];
const BATCH_DIVISOR = 2;
const BATCH_MARK = "#batch";

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
  const priced = async (provider: string, model: string, usage: Usage, divisor: number): Promise<Priced | null> => {
    const key = `${provider}/${model}`;
    const override = options.overrides && Object.hasOwn(options.overrides, key) ? options.overrides[key] : undefined;
    if (override) return { cost: ownCost(override, usage, divisor), price: `override:${key}` };
    const found = await fromTable(provider, model, usage);
    return found && { cost: nanoFromDollars(found.dollars / divisor), price: found.price };
  };
  return {
    costOf: (provider, model, usage) => priced(provider, model, usage, 1),
    batchCostOf: async (provider, model, usage) => {
      if (!BATCH_PROVIDERS.includes(provider)) return null;
      const found = await priced(provider, model, batchUsage(provider, usage), BATCH_DIVISOR);
      return found && { cost: found.cost, price: `${found.price}${BATCH_MARK}` };
    },
    contextWindow: async (provider, model) => {
      const entry = await tableEntry(provider, model, { input_tokens: 0, output_tokens: 0 });
      return entry?.model.context_window ?? null;
    },
  };
}

interface Priced {
  readonly cost: NanoDollars;
  readonly price: string;
}

/** Google charges for what its batches read from the cache as for any call; half of the input price is a bound of that. */
function batchUsage(provider: string, usage: Usage): Usage {
  if (provider !== "google") return usage;
  return { ...usage, input_tokens: usage.input_tokens + usage.cache_read_tokens, cache_read_tokens: 0 };
}

/** Reckoned in integers: a price is a decimal number, and no digit of it is lost. */
function ownCost(price: ModelPrice, usage: Usage, divisor: number): NanoDollars {
  const input = trillionths(price.input);
  const or = (own: number | undefined, otherwise: bigint): bigint => (own === undefined ? otherwise : trillionths(own));
  const perMillion =
    BigInt(usage.input_tokens) * input +
    BigInt(usage.cache_read_tokens) * or(price.cache_read, input) +
    BigInt(usage.cache_write_5m_tokens) * or(price.cache_write_5m, input) +
    BigInt(usage.cache_write_1h_tokens) * or(price.cache_write_1h, input * BigInt(HOUR_WRITE_FACTOR)) +
    BigInt(usage.output_tokens) * trillionths(price.output);
  // Trillionths of a dollar per million tokens: a thousand of them are a nano-dollar.
  const unit = BigInt(MILLION * 1_000 * divisor);
  return nanoDollars(Number((perMillion + unit - 1n) / unit));
}

/** Places of a price that count. */
const PRICE_PLACES = 12;

function trillionths(price: number): bigint {
  const [whole = "0", places = ""] = (/e/.test(`${price}`) ? price.toFixed(PRICE_PLACES) : `${price}`).split(".");
  return BigInt(`${whole}${places.slice(0, PRICE_PLACES).padEnd(PRICE_PLACES, "0")}`);
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

async function tableEntry(
  provider: string,
  model: string,
  counts: Prices.Usage,
): Promise<Prices.PriceCalculationResult> {
  const providerId = Object.hasOwn(TABLE_IDS, provider) ? TABLE_IDS[provider] : undefined;
  return providerId === undefined ? null : foundOnce(await loadPrices(provider))(counts, model, { providerId });
}

/** Dollars as the table's package adds them up. */
async function fromTable(
  provider: string,
  model: string,
  usage: Usage,
): Promise<{ readonly dollars: number; readonly price: string } | null> {
  const hour = usage.cache_write_1h_tokens;
  const counts = {
    // The table's input is the total, what went through the cache included.
    input_tokens: promptTokens(usage),
    cache_read_tokens: usage.cache_read_tokens,
    cache_write_tokens: usage.cache_write_5m_tokens + hour,
    output_tokens: usage.output_tokens,
  };
  const reckon = (changes: Prices.Usage): Promise<Prices.PriceCalculationResult> =>
    tableEntry(provider, model, { ...counts, ...changes });
  const base = await reckon({});
  if (base === null) return null;
  const price = `${base.provider.id}/${base.model.id}`;
  if (hour === 0) return { dollars: base.total_price, price };
  if (base.model_price["cache_write_1h_mtok"] !== undefined) {
    const exact = await reckon({ cache_write_1h_tokens: hour });
    return exact && { dollars: exact.total_price, price };
  }
  // P3: priced as fresh input twice. The total stays in the first count, so that a tier by size is still met.
  const written = { cache_write_tokens: usage.cache_write_5m_tokens };
  const fresh = await reckon(written);
  const none = await reckon({ ...written, input_tokens: counts.input_tokens - hour });
  if (fresh === null || none === null) return null;
  return { dollars: fresh.total_price + Math.max(0, fresh.total_price - none.total_price), price };
}
