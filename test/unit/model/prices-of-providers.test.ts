/** Money of providers other than Anthropic, against figures reckoned by hand from their public price lists. */
import { describe, expect, it } from "vitest";
import { NO_USAGE, type Usage } from "../../../src/kernel/usage.ts";
import { createPriceTable } from "../../../src/model/prices.ts";

const prices = createPriceTable();
const usage = (changes: Partial<Usage>): Usage => ({ ...NO_USAGE, ...changes });
const cost = async (provider: string, model: string, changes: Partial<Usage>): Promise<number | undefined> =>
  (await prices.costOf(provider, model, usage(changes)))?.cost;
/** Dollars per million tokens as nano-dollars per token. */
const perToken = (dollars: number): number => dollars * 1_000;

describe("what a call to OpenAI costs", () => {
  it("counts what came from the cache at its own price, and not a second time as input", async () => {
    // gpt-5: $1.25 in, $0.125 cached, $10 out
    expect(
      await cost("openai", "gpt-5", { input_tokens: 60_000, cache_read_tokens: 40_000, output_tokens: 10_000 }),
    ).toBe(60_000 * perToken(1.25) + 40_000 * perToken(0.125) + 10_000 * perToken(10));
  });

  it("meets the price of a long prompt for all of it, at the tokens read, cached ones included", async () => {
    // gpt-5.5: $5 / $0.50 / $30; above 272 thousand tokens $10 / $1 / $45
    const short = { input_tokens: 100_000, cache_read_tokens: 171_999, output_tokens: 1_000 };
    expect(await cost("openai", "gpt-5.5", short)).toBe(
      100_000 * perToken(5) + 171_999 * perToken(0.5) + 1_000 * perToken(30),
    );
    const long = { ...short, cache_read_tokens: 200_000 };
    expect(await cost("openai", "gpt-5.5", long)).toBe(
      100_000 * perToken(10) + 200_000 * perToken(1) + 1_000 * perToken(45),
    );
  });

  it("bounds a call by its input where the table has no price for writing to the cache", async () => {
    const written = await cost("openai", "gpt-5", { cache_write_5m_tokens: 1_000 });
    expect(written).toBe(1_000 * perToken(1.25));
  });
});

describe("what a call to Google costs", () => {
  it("counts the cache, and the thinking as output", async () => {
    // gemini-2.5-pro: $1.25 in, $0.125 cached, $10 out
    expect(
      await cost("google", "gemini-2.5-pro", { input_tokens: 62, cache_read_tokens: 4_096, output_tokens: 160 }),
    ).toBe(62 * perToken(1.25) + 4_096 * perToken(0.125) + 160 * perToken(10));
  });

  it("meets the tier above 200 thousand tokens", async () => {
    // $2.50 in, $0.25 cached, $15 out
    expect(
      await cost("google", "gemini-2.5-pro", { input_tokens: 260_000, cache_read_tokens: 40_000, output_tokens: 10 }),
    ).toBe(260_000 * perToken(2.5) + 40_000 * perToken(0.25) + 10 * perToken(15));
  });
});

describe("the names of providers", () => {
  it.each([
    ["azure", "gpt-4.1", "azure/gpt-4.1"],
    ["bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0", /^aws\//],
    ["vertex", "gemini-2.5-pro", "google/gemini-2.5-pro"],
    ["openrouter", "anthropic/claude-sonnet-4.5", "openrouter/anthropic/claude-sonnet-4.5"],
  ])("%s are those of the table", async (provider, model, entry) => {
    const found = await prices.costOf(provider, model, usage({ input_tokens: 1_000 }));
    expect(found?.price).toMatch(entry);
    expect(found?.cost).toBeGreaterThan(0);
  });

  it("of servers of one's own have no price, whatever the model is called", async () => {
    for (const provider of ["ollama", "openai-compatible", "aws", "toString"])
      expect(await prices.costOf(provider, "gpt-5", usage({ input_tokens: 1 }))).toBeNull();
  });
});
