/** Before anything is started: whether the caps of money can hold for the models that a session may come to. */
import type { SessionConfig } from "../kernel/config.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { ChosenModel } from "../kernel/model-policy.ts";
import { LOCAL_TENANT } from "../kernel/ids.ts";
import { NO_USAGE } from "../kernel/usage.ts";
import type { PriceTable } from "../model/model.ts";
import type { Ledger } from "../store/ledger.ts";
import { modelsOf } from "./model-settings.ts";

type Configured = Parameters<typeof modelsOf>[0] & Pick<SessionConfig, "budget" | "limits">;

/** @returns those of the models that a session may come to whose price is not known */
export async function unpricedModels(config: Configured, prices: PriceTable): Promise<readonly ChosenModel[]> {
  const models = modelsOf(config);
  const found = await Promise.all(models.map(({ provider, model }) => prices.costOf(provider, model, NO_USAGE)));
  return models.filter((_, i) => found[i] === null);
}

/**
 * @param path where a person may write prices
 * @returns what is to be said about them: under a cap that nobody asked for they are let through
 * @throws HarnessError `price_unknown` where a cap of money was asked for
 */
export function unpricedNotes(unpriced: readonly ChosenModel[], config: Configured, path: string): readonly string[] {
  const caps = config.budget.caps.filter(({ cost }) => cost !== null);
  const strict = caps.find((cap) => cap.strict);
  const [first] = unpriced;
  if (first === undefined || caps.length === 0) return [];
  if (strict !== undefined) throw unpricedUnderCap(first, `a cap of money for ${strict.scope} was asked for`, path);
  const tokens = config.limits.tokens.toLocaleString("en-US");
  return unpriced.map(
    (one) =>
      `! The price of ${nameOf(one)} is not known, so what it costs is not either: the cap of ${tokens} tokens holds alone.`,
  );
}

/** @throws HarnessError `price_unknown` where a day, a month or all there ever was has a cap of money (`belay budget`) */
export async function requirePricedForTenant(
  unpriced: readonly ChosenModel[],
  store: Pick<Ledger, "tenantCaps">,
  path: string,
): Promise<void> {
  const [first] = unpriced;
  if (first === undefined) return;
  const capped = Object.entries(await store.tenantCaps(LOCAL_TENANT)).find(([, { cost }]) => cost !== null);
  if (capped !== undefined) throw unpricedUnderCap(first, `\`belay budget\` has a cap of money (${capped[0]})`, path);
}

function unpricedUnderCap(model: ChosenModel, cap: string, path: string): HarnessError {
  const prices = JSON.stringify({ prices: { [nameOf(model)]: { input: 1.5, output: 6 } } });
  return new HarnessError(
    "price_unknown",
    `The price of ${nameOf(model)} is not known, and ${cap}.`,
    `Set it in ${path}, with its own dollars per million tokens: ${prices}, or take the cap of money away.`,
  );
}

function nameOf({ provider, model }: ChosenModel): string {
  return `${provider}/${model}`;
}
