import { describe, expect, it } from "vitest";
import { duration } from "../../../src/model/retry-after.ts";
import { anthropicRate } from "../../../src/model/rate-state.ts";

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
