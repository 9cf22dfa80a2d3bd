/** What a token of each class costs with a model, beside the others: for sharing out what a call cost. */
import { NO_USAGE, type Usage } from "../../kernel/usage.ts";
import type { PriceTable } from "../../model/model.ts";

export type UsageClass = keyof Usage;

/** In the order in which a prompt has them: what was read from the cache is its beginning, what was not cached its end. */
export const PROMPT_CLASSES = [
  "cache_read_tokens",
  "cache_write_1h_tokens",
  "cache_write_5m_tokens",
  "input_tokens",
] as const satisfies readonly UsageClass[];

export const USAGE_CLASSES = [...PROMPT_CLASSES, "output_tokens"] as const satisfies readonly UsageClass[];

/** Whole numbers in any unit: only their ratios count. */
export type ClassPrices = { readonly [C in UsageClass]: number };

/** The usual ratios, for a model that the table does not know (any more): its cost stands in the journal all the same. */
export const USUAL_RATIOS: ClassPrices = {
  input_tokens: 100,
  cache_read_tokens: 10,
  cache_write_5m_tokens: 125,
  cache_write_1h_tokens: 200,
  output_tokens: 500,
};

/** Enough tokens for a price with fractions of a nano-dollar, and below every tier by size. */
const ASKED_TOKENS = 1_000;
/** Models that are remembered; more are asked for again. */
const REMEMBERED_MAX = 1_000;

export type ClassPricesOf = (provider: string, model: string) => Promise<ClassPrices>;

/** Asks the table once for each model. */
export function classPrices(prices: Pick<PriceTable, "costOf">): ClassPricesOf {
  const known = new Map<string, Promise<ClassPrices>>();
  return (provider, model) => {
    const key = `${provider}/${model}`;
    const found = known.get(key) ?? asked(prices, provider, model);
    if (known.size < REMEMBERED_MAX) known.set(key, found);
    return found;
  };
}

async function asked(prices: Pick<PriceTable, "costOf">, provider: string, model: string): Promise<ClassPrices> {
  const costs = new Map<UsageClass, number>();
  for (const name of USAGE_CLASSES) {
    const matched = await prices.costOf(provider, model, { ...NO_USAGE, [name]: ASKED_TOKENS });
    if (matched === null) return USUAL_RATIOS;
    costs.set(name, matched.cost);
  }
  const of = (name: UsageClass): number => costs.get(name) ?? 0;
  return {
    input_tokens: of("input_tokens"),
    cache_read_tokens: of("cache_read_tokens"),
    cache_write_5m_tokens: of("cache_write_5m_tokens"),
    cache_write_1h_tokens: of("cache_write_1h_tokens"),
    output_tokens: of("output_tokens"),
  };
}
