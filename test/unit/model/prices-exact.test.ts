/** Money to the last nano-dollar: sums, cache tiers, batches. */
import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { NO_USAGE, type Usage } from "../../../src/kernel/usage.ts";
import { createPriceTable, type ModelPrice } from "../../../src/model/prices.ts";

const usage = (changes: Partial<Usage>): Usage => ({ ...NO_USAGE, ...changes });
/** A table with one model of one's own, with a provider that has batches and with one that has none. */
const own = (price: ModelPrice): ReturnType<typeof createPriceTable> =>
  createPriceTable({ overrides: { "openai/m": price, "ollama/m": price } });

/** Prices with at most six places, as millionths of a dollar, so that a test can reckon in integers. */
const millionths = fc.integer({ min: 0, max: 1_000_000_000 });
const tokens = fc.integer({ min: 0, max: 10_000_000 });
const usages = fc.record({
  input_tokens: tokens,
  cache_read_tokens: tokens,
  cache_write_5m_tokens: tokens,
  cache_write_1h_tokens: tokens,
  output_tokens: tokens,
});

describe("a price of one's own", () => {
  it("costs what integers say, rounded up once, in each tier of the cache", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(millionths, millionths, millionths, millionths, millionths),
        usages,
        async (m, used) => {
          const [input, output, cache_read, cache_write_5m, cache_write_1h] = m.map((value) => value / 1_000_000);
          const table = own({ input, output, cache_read, cache_write_5m, cache_write_1h } as ModelPrice);
          const parts = [
            [m[0], used.input_tokens],
            [m[1], used.output_tokens],
            [m[2], used.cache_read_tokens],
            [m[3], used.cache_write_5m_tokens],
            [m[4], used.cache_write_1h_tokens],
          ] as const;
          // Millionths of a dollar per million tokens: a thousandth of a nano-dollar for each token.
          const sum = parts.reduce((rest, [price, count]) => rest + BigInt(price) * BigInt(count), 0n);
          const nano = async (divisor: bigint): Promise<number> => Number((sum + divisor - 1n) / divisor);
          expect((await table.costOf("openai", "m", used))?.cost).toBe(await nano(1_000n));
          expect((await table.batchCostOf("openai", "m", used))?.cost).toBe(await nano(2_000n));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("of several calls is at least that of all together, and at most a nano-dollar more for each call", async () => {
    const table = own({ input: 0.123_456_7, output: 4, cache_read: 0.012_345_67 });
    const cost = async (used: Usage): Promise<number> => (await table.costOf("openai", "m", used))?.cost ?? Number.NaN;
    await fc.assert(
      fc.asyncProperty(fc.array(usages, { minLength: 1, maxLength: 8 }), async (calls) => {
        const all = calls.reduce<Usage>(
          (sum, one) => ({
            input_tokens: sum.input_tokens + one.input_tokens,
            cache_read_tokens: sum.cache_read_tokens + one.cache_read_tokens,
            cache_write_5m_tokens: sum.cache_write_5m_tokens + one.cache_write_5m_tokens,
            cache_write_1h_tokens: sum.cache_write_1h_tokens + one.cache_write_1h_tokens,
            output_tokens: sum.output_tokens + one.output_tokens,
          }),
          NO_USAGE,
        );
        const single = (await Promise.all(calls.map(cost))).reduce((sum, one) => sum + one, 0);
        const over = single - (await cost(all));
        expect(over).toBeGreaterThanOrEqual(0);
        expect(over).toBeLessThan(calls.length);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    [1e-7, 10_000_000, 1_000],
    [0.1, 3, 300],
    [0.000_000_000_001, 1_000_000_000, 1],
  ])("of %d dollars per million is read to its last place", async (input, input_tokens, cost) => {
    expect((await own({ input, output: 0 }).costOf("openai", "m", usage({ input_tokens })))?.cost).toBe(cost);
  });

  it("of nothing costs nothing, which is known", async () => {
    const free = own({ input: 0, output: 0 });
    expect(await free.costOf("ollama", "m", usage({ input_tokens: 5, cache_write_1h_tokens: 5 }))).toEqual({
      cost: 0,
      price: "override:ollama/m",
    });
  });
});

describe("a batch", () => {
  const table = createPriceTable();
  const used = usage({ input_tokens: 1_000, cache_read_tokens: 500, cache_write_1h_tokens: 300, output_tokens: 20 });

  it.each([
    ["anthropic", "claude-sonnet-4-5"],
    ["openai", "gpt-5"],
  ])("of %s costs half, the cache included, and says so in its price", async (provider, model) => {
    const live = await table.costOf(provider, model, used);
    const batch = await table.batchCostOf(provider, model, used);
    expect(batch?.cost).toBe(Math.ceil((live?.cost ?? Number.NaN) / 2));
    expect(batch?.price).toBe(`${live?.price ?? ""}#batch`);
  });

  it("of Google is bounded by half of the price of what is not in the cache", async () => {
    const batch = await table.batchCostOf(
      "google",
      "gemini-2.5-pro",
      usage({ input_tokens: 10, cache_read_tokens: 90 }),
    );
    expect(batch?.cost).toBe((100 * 1_250) / 2);
  });

  it("has no price where the provider has no batches or the model has none", async () => {
    expect(await table.batchCostOf("openrouter", "anthropic/claude-sonnet-4.5", used)).toBeNull();
    expect(await table.batchCostOf("anthropic", "claude-of-tomorrow", used)).toBeNull();
    expect(await own({ input: 1, output: 1 }).batchCostOf("ollama", "m", used)).toBeNull();
  });
});

describe("a context window", () => {
  const table = createPriceTable();

  it("is what the table says, and not known of what is not in it", async () => {
    expect(await table.contextWindow("anthropic", "claude-sonnet-4-5")).toBe(200_000);
    expect(await table.contextWindow("openai", "gpt-5")).toBe(400_000);
    expect(await table.contextWindow("anthropic", "claude-of-tomorrow")).toBeNull();
    expect(await table.contextWindow("ollama", "gpt-5")).toBeNull();
  });
});
