import { describe, expect, it } from "vitest";
import { costLines } from "../../../src/cli/view/cost-table.ts";
import { nanoDollars } from "../../../src/kernel/money.ts";
import type { CostReport } from "../../../src/observe/cost/cost-report.ts";
import { NO_SUMS, type Sums } from "../../../src/observe/cost/cost-sums.ts";
import { ids } from "./sealed-events.ts";

describe("the table of what sessions cost, at 80 columns", () => {
  it("holds the whole id of each session, to be copied, and the beginning of its title", () => {
    const session = ids.session();
    const usage = { ...NO_SUMS.usage, input_tokens: 900_000, cache_read_tokens: 123_456, output_tokens: 36_000 };
    const sums: Sums = { ...NO_SUMS, calls: 12, unpriced: 1, cost: nanoDollars(2_880_000_000), usage };
    const report: CostReport = {
      groups: new Map([[session, sums]]),
      titles: new Map([[session, "fix the failing test"]]),
      total: sums,
      sessions: 1,
      inherited: NO_SUMS,
      damaged: [],
      unknown_events: 0,
      more: false,
      ledger: null,
    };
    const [, row = "", ...rest] = costLines(report, "session", 80);
    expect(row).toContain(`${session} fix the`);
    expect([row, ...rest].every((line) => line.length <= 80)).toBe(true);
  });
});
