/** What is said before a run about models whose price is not known. */
import { describe, expect, it } from "vitest";
import { unpricedModels, unpricedNotes } from "../../../src/cli/priced.ts";
import { DEFAULT_BUDGET, NO_CAP } from "../../../src/kernel/budget.ts";
import { NO_FALLBACK } from "../../../src/kernel/model-policy.ts";
import { nanoDollars } from "../../../src/kernel/money.ts";
import { createPriceTable } from "../../../src/model/prices.ts";
import { testConfig } from "../../support/config.ts";

const LOCAL = { provider: "ollama", model: "qwen3" };
const config = testConfig({
  models: { ...NO_FALLBACK, fallback: [LOCAL], phases: { plan: LOCAL } },
  budget: DEFAULT_BUDGET,
});
const strict = (scope: string): typeof config => ({
  ...config,
  budget: {
    ...DEFAULT_BUDGET,
    caps: [...DEFAULT_BUDGET.caps, { ...NO_CAP, scope, cost: nanoDollars(1), strict: true }],
  },
});

describe("a model without a price", () => {
  it("is found wherever a session may come to it, once", async () => {
    expect(await unpricedModels(config, createPriceTable())).toEqual([LOCAL]);
    const overrides = { "ollama/qwen3": { input: 0, output: 0 } };
    expect(await unpricedModels(config, createPriceTable({ overrides }))).toEqual([]);
  });

  it("is let through under the cap that nobody asked for, and that is said", () => {
    expect(unpricedNotes([LOCAL], config, "/s.json")).toEqual([
      "! The price of ollama/qwen3 is not known, so what it costs is not either: the cap of 5,000,000 tokens holds alone.",
    ]);
  });

  it.each(["run", "phase:plan", "group:team"])("is refused under a cap of money that was asked for: %s", (scope) => {
    expect(() => unpricedNotes([LOCAL], strict(scope), "/s.json")).toThrow(
      `Set it in /s.json, with its own dollars per million tokens: {"prices":{"ollama/qwen3":{"input":1.5,"output":6}}}`,
    );
  });

  it("is nothing to speak of without a cap of money, and neither is a model with a price", () => {
    const budget = { ...DEFAULT_BUDGET, caps: [{ ...NO_CAP, scope: "session", tokens: 5 }] };
    expect(unpricedNotes([LOCAL], { ...config, budget }, "/s.json")).toEqual([]);
    expect(unpricedNotes([], strict("run"), "/s.json")).toEqual([]);
  });
});
