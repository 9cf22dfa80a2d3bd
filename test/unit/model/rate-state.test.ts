import { describe, expect, it } from "vitest";
import { classifyProviderError } from "../../../src/model/classify.ts";
import { duration } from "../../../src/model/duration.ts";
import { anthropicRate, openaiRate } from "../../../src/model/rate-state.ts";

describe("rate headers", () => {
  it("are read as what is left and the nearest reset", () => {
    expect(
      anthropicRate({
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-11-21T10:00:30Z",
        "anthropic-ratelimit-input-tokens-remaining": "30000",
        "anthropic-ratelimit-input-tokens-reset": "2026-11-21T10:00:10Z",
        "anthropic-ratelimit-output-tokens-remaining": "8000",
      }),
    ).toEqual({
      requests_remaining: 49,
      input_tokens_remaining: 30_000,
      output_tokens_remaining: 8_000,
      reset_at: Date.parse("2026-11-21T10:00:10Z"),
    });
  });

  it("of subscriptions have their reset in seconds since the epoch", () => {
    expect(anthropicRate({ "anthropic-ratelimit-unified-reset": "1795222605" })?.reset_at).toBe(1_795_222_605_000);
  });

  it("that are not there are null, never zero", () => {
    expect(anthropicRate({ "content-type": "text/event-stream" })).toBeNull();
    expect(anthropicRate({ "anthropic-ratelimit-requests-remaining": "-1" })).toBeNull();
  });
});

describe("rate headers of OpenAI", () => {
  const NOW = 1_750_000_000_000;

  it("are read as what is left, the scarcer of two budgets, and the nearest reset", () => {
    const headers = {
      "x-ratelimit-limit-requests": "500",
      "x-ratelimit-remaining-requests": "499",
      "x-ratelimit-reset-requests": "6m0s",
      "x-ratelimit-limit-tokens": "30000",
      "x-ratelimit-remaining-tokens": "20000",
      "x-ratelimit-reset-tokens": "1h2m3s",
      "x-ratelimit-limit-tokens_usage_based": "60000",
      "x-ratelimit-remaining-tokens_usage_based": "15000",
      "x-ratelimit-reset-tokens_usage_based": "120ms",
    };
    expect(openaiRate(headers, NOW)).toEqual({
      requests_remaining: 499,
      input_tokens_remaining: 15_000,
      output_tokens_remaining: null,
      reset_at: NOW + 120,
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
        requests_remaining: null,
        input_tokens_remaining: 0,
        output_tokens_remaining: null,
        reset_at: NOW + 8_000,
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
