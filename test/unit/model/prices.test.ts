import { describe, expect, it } from "vitest";
import { NO_USAGE, type Usage } from "../../../src/kernel/usage.ts";
import { createPriceTable } from "../../../src/model/prices.ts";

const usage = (changes: Partial<Usage>): Usage => ({ ...NO_USAGE, ...changes });
/** Dollars per million tokens as nano-dollars per token. */
const perToken = (dollars: number): number => dollars * 1_000;

describe("what a call costs", () => {
  const prices = createPriceTable();

  it("is priced by each kind of token, at the table's price for the model", async () => {
    // $3 in, $0.30 read, $3.75 written for 5 minutes, $6 for an hour, $15 out: per million tokens
    const cases: readonly (readonly [Partial<Usage>, number])[] = [
      [{ input_tokens: 1_000 }, 1_000 * perToken(3)],
      [{ cache_read_tokens: 1_000 }, 1_000 * perToken(0.3)],
      [{ cache_write_5m_tokens: 1_000 }, 1_000 * perToken(3.75)],
      [{ cache_write_1h_tokens: 1_000 }, 1_000 * perToken(6)],
      [{ output_tokens: 1_000 }, 1_000 * perToken(15)],
      [{ cache_read_tokens: 1 }, 300],
    ];
    for (const [counts, cost] of cases) {
      expect(await prices.costOf("anthropic", "claude-sonnet-4-5", usage(counts))).toEqual({
        cost,
        price: "anthropic/claude-sonnet-4-5",
      });
    }
  });

  it("adds up over all kinds at once", async () => {
    const all = usage({
      input_tokens: 500,
      cache_read_tokens: 100,
      cache_write_5m_tokens: 200,
      cache_write_1h_tokens: 200,
      output_tokens: 10,
    });
    expect((await prices.costOf("anthropic", "claude-sonnet-4-5", all))?.cost).toBe(3_630_000);
  });

  it("names the entry that matched, also for a dated model", async () => {
    expect((await prices.costOf("anthropic", "claude-sonnet-4-5-20250929", usage({ input_tokens: 1 })))?.price).toBe(
      "anthropic/claude-sonnet-4-5",
    );
  });

  it("is unknown for an unknown model or provider, never zero", async () => {
    expect(await prices.costOf("anthropic", "claude-of-tomorrow", usage({ input_tokens: 1 }))).toBeNull();
    expect(await prices.costOf("scripted", "claude-sonnet-4-5", usage({ input_tokens: 1 }))).toBeNull();
  });

  it("meets the table's tier for a long prompt, counting what came from the cache", async () => {
    const long = usage({ input_tokens: 1_000, cache_read_tokens: 250_000 });
    expect((await prices.costOf("anthropic", "claude-sonnet-4-5", long))?.cost).toBe(
      1_000 * perToken(6) + 250_000 * perToken(0.6),
    );
  });
});

describe("a price of one's own", () => {
  const overrides = { "house/model-1": { input: 1, output: 4, cache_read: 0.1 } };
  const prices = createPriceTable({ overrides });

  it("goes before the table, exactly by provider and model", async () => {
    expect(await prices.costOf("house", "model-1", usage({ input_tokens: 10, output_tokens: 10 }))).toEqual({
      cost: 50_000,
      price: "override:house/model-1",
    });
    expect(await prices.costOf("house", "model-10", usage({ input_tokens: 10 }))).toBeNull();
  });

  it("reckons an hour of cache at twice the input where it does not say", async () => {
    expect((await prices.costOf("house", "model-1", usage({ cache_write_1h_tokens: 10 })))?.cost).toBe(20_000);
  });

  it("rounds up to a whole nano-dollar", async () => {
    const fine = createPriceTable({ overrides: { "house/m": { input: 0.000_1, output: 0 } } });
    expect((await fine.costOf("house", "m", usage({ input_tokens: 1 })))?.cost).toBe(1);
  });
});
