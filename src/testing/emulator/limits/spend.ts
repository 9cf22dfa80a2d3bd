/** What an answer costs, where a scenario limits what a key may spend: at the scenario's price, or the table's. */
import type { NanoDollars } from "../../../kernel/money.ts";
import { createPriceTable, type ModelPrice } from "../../../model/prices.ts";
import type { AnswerUsage, DialectName } from "../dialect.ts";
import type { Limits } from "./limits.ts";

/** @returns null for a model without a price. */
export type Pricing = (
  dialect: DialectName,
  model: string,
  usage: Omit<AnswerUsage, "total" | "reasoning">,
) => Promise<NanoDollars | null>;

/** @returns null where nothing limits the spend: then nobody has to know a price. */
export function createPricing(limits: Limits | undefined): Pricing | null {
  if (limits?.spend_usd === undefined) return null;
  const own = limits.price === undefined ? null : priceOf(limits.price);
  const table = createPriceTable();
  return async (dialect, model, { input, read, write5m, write1h, output }) => {
    const provider = dialect === "anthropic" ? "anthropic" : "openai";
    const prices = own === null ? table : createPriceTable({ overrides: { [`${provider}/${model}`]: own } });
    const priced = await prices.costOf(provider, model, {
      input_tokens: input,
      cache_read_tokens: read,
      cache_write_5m_tokens: write5m,
      cache_write_1h_tokens: write1h,
      output_tokens: output,
    });
    return priced?.cost ?? null;
  };
}

function priceOf(price: NonNullable<Limits["price"]>): ModelPrice {
  const { input, output, cache_read, cache_write_5m, cache_write_1h } = price;
  return {
    input,
    output,
    ...(cache_read === undefined ? {} : { cache_read }),
    ...(cache_write_5m === undefined ? {} : { cache_write_5m }),
    ...(cache_write_1h === undefined ? {} : { cache_write_1h }),
  };
}
