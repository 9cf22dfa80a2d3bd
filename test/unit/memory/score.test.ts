import { describe, expect, it } from "vitest";
import { factorsOf, HALF_LIFE_DAYS, recencyOf, scoreOf, USE_FACTOR_MAX, useOf } from "../../../src/memory/score.ts";
import { memory, NOW } from "../../support/memories.ts";

describe("the score of a memory", () => {
  it("is the product of its four factors, each of them shown", () => {
    const factors = factorsOf(memory("a", "x", { days: 180, uses: 9, confidence: 0.5 }), 0.8, NOW);
    expect(factors).toEqual({ rank: 0.8, recency: 0.5, use: 1.5, confidence: 0.5 });
    expect(scoreOf(factors)).toBeCloseTo(0.8 * 0.5 * 1.5 * 0.5);
  });

  it.each(Object.entries(HALF_LIFE_DAYS))(
    "of kind %s counts half after %d days without use, and a quarter after twice that",
    (kind, days) => {
      const of = (after: number): number => recencyOf(memory("a", "x", { kind: kind as "semantic", days: after }), NOW); // a key of the table
      expect([of(0), of(days), of(2 * days)]).toEqual([1, 0.5, 0.25]);
    },
  );

  it("facts outlive ways of working, and these what failed", () => {
    expect(HALF_LIFE_DAYS.semantic).toBeGreaterThan(HALF_LIFE_DAYS.procedural);
    expect(HALF_LIFE_DAYS.procedural).toBeGreaterThan(HALF_LIFE_DAYS.anti_pattern);
  });

  it("grows with use, ever more slowly, up to a bound", () => {
    const of = (uses: number): number => useOf({ uses });
    expect(of(0)).toBe(1);
    expect(of(10) - of(0)).toBeGreaterThan(of(20) - of(10));
    expect(of(1e9)).toBe(USE_FACTOR_MAX);
  });

  it("a clock that went back makes nothing newer than new", () => {
    expect(recencyOf(memory("a", "x", { days: -10 }), NOW)).toBe(1);
  });
});
