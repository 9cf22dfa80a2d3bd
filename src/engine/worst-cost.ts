/** What a call may cost at most, by the price table. */
import { worstCaseUsages } from "../kernel/bound.ts";
import type { ChosenModel } from "../kernel/model-policy.ts";
import type { NanoDollars } from "../kernel/money.ts";
import type { PriceTable } from "../model/model.ts";

/** @returns null for a model without a known price */
export async function worstCost(
  costOf: PriceTable["costOf"],
  { provider, model }: ChosenModel,
  tokens: number,
  max_tokens: number,
): Promise<NanoDollars | null> {
  let worst: NanoDollars | null = null;
  for (const usage of worstCaseUsages(tokens, max_tokens)) {
    const matched = await costOf(provider, model, usage);
    if (matched === null) return null;
    if (worst === null || matched.cost > worst) worst = matched.cost;
  }
  return worst;
}
