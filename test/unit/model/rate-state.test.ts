import { describe, expect, it } from "vitest";
import { classifyProviderError } from "../../../src/model/classify.ts";
import { duration } from "../../../src/model/duration.ts";
import { anthropicRate, openaiRate } from "../../../src/model/rate-state.ts";

const NOW = Date.parse("2026-11-21T10:00:00Z");
const NOTHING = { requests: null, tokens: null, input_tokens: null, output_tokens: null };

describe("rate headers of Anthropic", () => {
  it("are read as the limit, what is left and when it is full again, of each that is counted", () => {
    const headers = {
      "anthropic-ratelimit-requests-limit": "50",
      "anthropic-ratelimit-requests-remaining": "49",
      "anthropic-ratelimit-requests-reset": "2026-11-21T10:00:30Z",
      "anthropic-ratelimit-tokens-limit": "38000",
      "anthropic-ratelimit-tokens-remaining": "37000",
      "anthropic-ratelimit-tokens-reset": "2026-11-21T10:00:02.5Z",
      "anthropic-ratelimit-input-tokens-limit": "30000",
      "anthropic-ratelimit-input-tokens-remaining": "29000",
      "anthropic-ratelimit-input-tokens-reset": "2026-11-21T11:00:10+01:00",
      "anthropic-ratelimit-output-tokens-limit": "8000",
      "anthropic-ratelimit-output-tokens-remaining": "8000",
      "anthropic-ratelimit-output-tokens-reset": "2026-11-21T10:00:00Z",
    };
    expect(anthropicRate(headers, NOW)).toEqual({
      at: NOW,
      requests: { limit: 50, remaining: 49, reset_at: NOW + 30_000 },
      tokens: { limit: 38_000, remaining: 37_000, reset_at: NOW + 2_500 },
      input_tokens: { limit: 30_000, remaining: 29_000, reset_at: NOW + 10_000 },
      output_tokens: { limit: 8_000, remaining: 8_000, reset_at: NOW },
      ignored: [],
    });
  });

  it("of the priority tier hold where nothing is said of the standard one, which serves what is beyond them", () => {
    const headers = {
      "anthropic-priority-input-tokens-limit": "10000",
      "anthropic-priority-input-tokens-remaining": "9618",
      "anthropic-priority-input-tokens-reset": "2026-11-21T10:00:20Z",
      "anthropic-priority-output-tokens-limit": "4000",
      "anthropic-priority-output-tokens-remaining": "0",
      "anthropic-ratelimit-output-tokens-limit": "8000",
    };
    expect(anthropicRate(headers, NOW)).toEqual({
      ...{ ...NOTHING, at: NOW, ignored: [] },
      input_tokens: { limit: 10_000, remaining: 9_618, reset_at: NOW + 20_000 },
      output_tokens: { limit: 8_000, remaining: null, reset_at: null },
    });
  });

  it.each([
    ["allowed", null],
    ["rejected", 0],
  ])("of a subscription that is %s have their reset in seconds since the epoch", (status, remaining) => {
    const reset = String(NOW / 1_000 + 3_600);
    const headers = { "anthropic-ratelimit-unified-status": status, "anthropic-ratelimit-unified-reset": reset };
    expect(anthropicRate(headers, NOW)?.requests).toEqual({ limit: null, remaining, reset_at: NOW + 3_600_000 });
  });

  it("are dates by the server's clock: where ours is wrong, its own date says by how much", () => {
    const headers = {
      date: "Sat, 21 Nov 2026 13:00:00 GMT",
      "anthropic-ratelimit-requests-reset": "2026-11-21T13:00:30Z",
    };
    expect(anthropicRate(headers, NOW)?.requests?.reset_at).toBe(NOW + 30_000);
  });

  it("are taken as they are where the clocks differ by what a date is rounded", () => {
    const headers = {
      date: "Sat, 21 Nov 2026 09:59:59 GMT",
      "anthropic-ratelimit-requests-reset": "2026-11-21T10:00:30Z",
    };
    expect(anthropicRate(headers, NOW)?.requests?.reset_at).toBe(NOW + 30_000);
  });

  it("that are not there are null, never zero", () => {
    expect(anthropicRate({ "content-type": "text/event-stream" }, NOW)).toBeNull();
    expect(anthropicRate({ "anthropic-ratelimit-requests-remaining": "-1" }, NOW)).toBeNull();
  });
});

describe("rate headers of OpenAI", () => {
  it("are read with their durations, and of two budgets for the same the scarcer", () => {
    const headers = {
      "x-ratelimit-limit-requests": "500",
      "x-ratelimit-remaining-requests": "499",
      "x-ratelimit-reset-requests": "6m0s",
      "x-ratelimit-limit-tokens": "30000",
      "x-ratelimit-remaining-tokens": "20000",
      "x-ratelimit-reset-tokens": "1h2m3s",
      "x-ratelimit-limit-tokens_usage_based": "60000",
      "x-ratelimit-remaining-tokens_usage_based": "15000",
      "x-ratelimit-reset-tokens_usage_based": "12ms",
    };
    expect(openaiRate(headers, NOW)).toEqual({
      ...{ ...NOTHING, at: NOW, ignored: [] },
      requests: { limit: 500, remaining: 499, reset_at: NOW + 360_000 },
      tokens: { limit: 60_000, remaining: 15_000, reset_at: NOW + 12 },
    });
  });

  it.each(["0", "-1"])(
    "with a limit of %s, as Azure sends for what has none, do not say that nothing is left",
    (limit) => {
      const headers = {
        "x-ratelimit-limit-requests": limit,
        "x-ratelimit-remaining-requests": limit,
        "x-ratelimit-reset-requests": "0s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "8s",
      };
      expect(openaiRate(headers, NOW)).toEqual({
        ...{ ...NOTHING, at: NOW, ignored: [] },
        tokens: { limit: null, remaining: 0, reset_at: NOW + 8_000 },
      });
      const refused = { provider: "azure", http: 429, headers, body: { error: { message: "Too many requests" } } };
      expect(classifyProviderError(refused)).toEqual({ kind: "rate_limit", after_ms: 8_000 });
    },
  );

  it("that are not there are null, never zero", () => {
    expect(openaiRate({ "content-type": "text/event-stream" }, NOW)).toBeNull();
    expect(openaiRate({ "x-ratelimit-remaining-requests": "-1" }, NOW)).toBeNull();
  });
});

describe("garbage in rate headers", () => {
  it.each(["", "many", "1e9", "0x10", "12.5", "50, 50", "-5", "99999999999999999999", "NaN", "١٢"])(
    "%j for a limit becomes none, and is named",
    (text) => {
      const expected = { ...NOTHING, at: NOW };
      const anthropic = { "anthropic-ratelimit-requests-limit": text };
      expect(anthropicRate(anthropic, NOW)).toEqual({
        ...{ ...expected, ignored: [`anthropic-ratelimit-requests-limit: ${text}`] },
      });
      // A negative limit of OpenAI's is Azure's way to say that there is none.
      const openai = { "x-ratelimit-limit-tokens": text };
      const ignored = [`x-ratelimit-limit-tokens: ${text}`];
      expect(openaiRate(openai, NOW)).toEqual(text === "-5" ? null : { ...expected, ignored });
    },
  );

  it.each(["soon", "", "2026-13-45T00:00:00Z", "9999999999999999", "3026-11-21T10:00:00Z", "-3s", "May"])(
    "%j for a reset becomes none, and is named",
    (text) => {
      for (const [read, name] of [
        [anthropicRate, "anthropic-ratelimit-tokens-reset"],
        [openaiRate, "x-ratelimit-reset-tokens"],
      ] as const) {
        expect(read({ [name]: text }, NOW)).toEqual({ ...NOTHING, at: NOW, ignored: [`${name}: ${text}`] });
      }
    },
  );

  it("leaves what can be read as it is", () => {
    const headers = { "x-ratelimit-limit-tokens": "100", "x-ratelimit-remaining-tokens": "lots", date: "yesterday" };
    expect(openaiRate(headers, NOW)).toMatchObject({
      tokens: { limit: 100, remaining: null },
      ignored: ["x-ratelimit-remaining-tokens: lots"],
    });
  });

  it("never leaves more than the limit", () => {
    const headers = { "x-ratelimit-limit-tokens": "100", "x-ratelimit-remaining-tokens": "900" };
    expect(openaiRate(headers, NOW)?.tokens).toMatchObject({ limit: 100, remaining: 100 });
  });

  it("is quoted up to a bound", () => {
    const ignored = anthropicRate({ "anthropic-ratelimit-tokens-reset": "x".repeat(10_000) }, NOW)?.ignored ?? [];
    expect(ignored.map((line) => line.length)).toEqual([100]);
  });
});

describe("a duration as providers write it", () => {
  it.each([
    ["12ms", 12],
    ["1s", 1_000],
    ["6m0s", 360_000],
    ["1h2m3s", 3_723_000],
    ["41.724s", 41_724],
    ["2m59.56s", 179_560],
    ["1d", 86_400_000],
  ])("%s", (text, ms) => {
    expect(duration(text)).toBeCloseTo(ms, 6);
  });

  it.each(["", "soon", "5", "5x", "-1s"])("is not %j", (text) => {
    expect(duration(text)).toBeNull();
  });
});
