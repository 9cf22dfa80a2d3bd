/** Whether a session was compacted more often than is usual: medians, and an alert that one odd session neither makes nor hides. */
import { describe, expect, it } from "vitest";
import {
  ALERT_COMPACTIONS_MIN,
  BASELINE_SESSIONS_MIN,
  baselineOf,
  type ContextNumbers,
  FREQUENT_FACTOR,
  frequencyAlert,
  median,
} from "../../../src/observe/context/context-stats.ts";

function numbers(turns: number, compactions: Partial<ContextNumbers["compactions"]>): ContextNumbers {
  const layers = { micro: 0, auto: 0, reactive: 0, fresh: 0, ...compactions };
  const whole = layers.auto + layers.reactive;
  return {
    turns,
    peak_tokens: 0,
    peak_share: 0,
    compactions: layers,
    freed: 0,
    cache_read_share: null,
    cache_lost: { compaction: 0, model_switch: 0, repin: 0, prompt_changed: 0, expired: 0 },
    turns_per_compaction: whole === 0 ? null : turns / whole,
  };
}

describe("the median", () => {
  it("is the middle one, or between the two in the middle; of nothing 0", () => {
    expect([median([]), median([3]), median([9, 1, 2]), median([4, 1, 2, 9])]).toEqual([0, 3, 2, 3]);
  });
});

describe("the alert", () => {
  const usual = baselineOf([30, 40, 40, 50, 1_000]);

  it("names both rates where a session is compacted more than twice as often as is usual", () => {
    expect(usual).toEqual({ sessions: 5, turns_per_compaction: 40 });
    expect(FREQUENT_FACTOR).toBe(2);
    expect(frequencyAlert(numbers(38, { auto: 2 }), usual)).toBe(
      "compacted every 19 turns; earlier sessions went 40 (median of 5): each turn brings in more than usual",
    );
    expect(frequencyAlert(numbers(40, { auto: 2 }), usual)).toBeNull();
  });

  it("counts what stops the conversation and not what is cheap or wanted", () => {
    expect(frequencyAlert(numbers(20, { micro: 9, fresh: 3 }), usual)).toBeNull();
    expect(frequencyAlert(numbers(20, { auto: 1, reactive: 1 }), usual)).not.toBeNull();
  });

  it("is silent on one compaction, and without enough sessions to compare with", () => {
    expect(frequencyAlert(numbers(5, { auto: ALERT_COMPACTIONS_MIN - 1 }), usual)).toBeNull();
    const few = baselineOf(Array.from({ length: BASELINE_SESSIONS_MIN - 1 }, () => 40));
    expect(few.turns_per_compaction).toBeNull();
    expect(frequencyAlert(numbers(5, { auto: 5 }), few)).toBeNull();
  });
});
