import { describe, expect, it } from "vitest";
import { quantiles } from "../../../src/observe/cost/estimate.ts";
import { type EarlierRun, RUNS_WANTED, similarRuns, wordsOf } from "../../../src/observe/cost/similar-runs.ts";

const SOUGHT = { task: "fix the failing test of the parser", source: "/here", model: "m" };

function runs(count: number, facts: Partial<EarlierRun>): readonly EarlierRun[] {
  return Array.from({ length: count }, () => ({
    title: "Fix failing parser tests",
    source: "/here",
    model: "m",
    ...facts,
  }));
}

describe("which earlier runs are like a task", () => {
  it("takes words without case, accents, endings of plurals and words that say nothing", () => {
    expect([...wordsOf("Please fix the Tests of the Café's classes!")]).toEqual(["fix", "test", "cafe", "classe"]);
    expect([...wordsOf("to the")]).toEqual([]);
  });

  it("prefers alike, here, with the model, and widens the rule only as far as it must", () => {
    const rules = [
      [runs(RUNS_WANTED, {}), "similar tasks in this directory with this model"],
      [runs(RUNS_WANTED, { source: "/there" }), "similar tasks with this model"],
      [runs(RUNS_WANTED, { title: "write a page" }), "tasks in this directory with this model"],
      [runs(RUNS_WANTED, { title: "write a page", source: "/there" }), "tasks with this model"],
      [runs(RUNS_WANTED, { model: "n" }), "similar tasks in this directory, with any model"],
      [runs(RUNS_WANTED, { title: "write a page", model: "n" }), "tasks in this directory, with any model"],
      [runs(RUNS_WANTED - 1, {}), "all tasks, with any model"],
      [[], "all tasks, with any model"],
    ] as const;
    for (const [earlier, rule] of rules) expect(similarRuns(earlier, SOUGHT)).toEqual({ rule, runs: earlier });
  });

  it("puts the most alike first", () => {
    const half = runs(3, { title: "fix a failing build here" });
    const whole = runs(3, {});
    expect(similarRuns([...half, ...whole], SOUGHT).runs).toEqual([...whole, ...half]);
  });
});

describe("quantiles", () => {
  it("are values that occurred, and none of nothing", () => {
    expect(quantiles([5, 1, 4, 2, 3, 10, 9, 8, 7, 6])).toEqual({ p50: 5, p90: 9, max: 10 });
    expect(quantiles([7])).toEqual({ p50: 7, p90: 7, max: 7 });
    expect(quantiles([])).toBeNull();
  });
});
