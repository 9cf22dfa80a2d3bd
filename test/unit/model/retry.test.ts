import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { ERROR_TABLE, type RetryLimit } from "../../../src/kernel/error-kind.ts";
import { retryDelay } from "../../../src/model/retry.ts";

const limit = fc.record({
  attempts: fc.integer({ min: 1, max: 30 }),
  base_ms: fc.integer({ min: 0, max: 5_000 }),
  cap_ms: fc.integer({ min: 0, max: 120_000 }),
  total_ms: fc.integer({ min: 0, max: 1_000_000 }),
});
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const asked = fc.option(fc.integer({ min: 0, max: 200_000 }), { nil: null });

describe("the wait before another attempt", () => {
  it("is never longer than what is left of the total", () => {
    fc.assert(
      fc.property(
        limit,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        asked,
        random,
        (bounds, attempt, waited_ms, retry_after_ms, r) => {
          const planned = retryDelay({ limit: bounds, attempt, waited_ms, retry_after_ms, random: () => r });
          if ("delay_ms" in planned) {
            expect(planned.delay_ms).toBeGreaterThanOrEqual(0);
            expect(Number.isInteger(planned.delay_ms)).toBe(true);
            expect(waited_ms + planned.delay_ms).toBeLessThanOrEqual(Math.max(bounds.total_ms, waited_ms));
          }
        },
      ),
    );
  });

  it("is at least what the provider asked for, or the series gives up", () => {
    fc.assert(
      fc.property(limit, fc.integer({ min: 0, max: 200_000 }), random, (bounds, retry_after_ms, r) => {
        const planned = retryDelay({ limit: bounds, attempt: 1, waited_ms: 0, retry_after_ms, random: () => r });
        if ("delay_ms" in planned) expect(planned.delay_ms).toBeGreaterThanOrEqual(retry_after_ms);
        else expect(retry_after_ms > bounds.total_ms || bounds.total_ms === 0).toBe(true);
      }),
    );
  });

  it("is capped without a wish of the provider", () => {
    fc.assert(
      fc.property(limit, fc.integer({ min: 1, max: 40 }), random, (bounds, attempt, r) => {
        const planned = retryDelay({ limit: bounds, attempt, waited_ms: 0, retry_after_ms: null, random: () => r });
        if ("delay_ms" in planned) expect(planned.delay_ms).toBeLessThanOrEqual(bounds.cap_ms);
      }),
    );
  });

  it("lets every series end, within its attempts and its total", () => {
    fc.assert(
      fc.property(limit, fc.array(fc.tuple(asked, random), { minLength: 41, maxLength: 41 }), (bounds, answers) => {
        let waited_ms = 0;
        for (const [index, [retry_after_ms, r]] of answers.entries()) {
          const planned = retryDelay({ limit: bounds, attempt: index + 1, waited_ms, retry_after_ms, random: () => r });
          if ("give_up" in planned) return;
          expect(index).toBeLessThan(bounds.attempts);
          waited_ms += planned.delay_ms;
          expect(waited_ms).toBeLessThanOrEqual(bounds.total_ms);
        }
        throw new RangeError("the series never gave up");
      }),
    );
  });

  it("doubles up to the cap at full jitter", () => {
    const bounds: RetryLimit = { attempts: 10, base_ms: 500, cap_ms: 30_000, total_ms: 1_000_000 };
    const longest = [1, 2, 3, 4, 7, 8].map((attempt) =>
      retryDelay({ limit: bounds, attempt, waited_ms: 0, retry_after_ms: null, random: () => 0.999_999_9 }),
    );
    expect(longest).toEqual([499, 999, 1_999, 3_999, 29_999, 29_999].map((delay_ms) => ({ delay_ms })));
    expect(retryDelay({ limit: bounds, attempt: 3, waited_ms: 0, retry_after_ms: null, random: () => 0 })).toEqual({
      delay_ms: 0,
    });
  });

  it("gives up after the attempts of the table, naming them", () => {
    const bounds = ERROR_TABLE.overloaded.limit;
    if (bounds === undefined) throw new RangeError("overloaded has a limit");
    const after = (attempt: number): object =>
      retryDelay({ limit: bounds, attempt, waited_ms: 0, retry_after_ms: null, random: () => 0.5 });
    expect(after(bounds.attempts)).toHaveProperty("delay_ms");
    expect(after(bounds.attempts + 1)).toEqual({ give_up: "attempts" });
  });

  it("gives up where the provider asks for more than is left", () => {
    const bounds = { attempts: 5, base_ms: 1, cap_ms: 1_000, total_ms: 10_000 };
    expect(retryDelay({ limit: bounds, attempt: 1, waited_ms: 9_000, retry_after_ms: 2_000, random: () => 0 })).toEqual(
      { give_up: "total" },
    );
  });
});
