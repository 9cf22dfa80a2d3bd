import { describe, expect, it } from "vitest";
import { NO_NOTES, noted } from "../../../src/engine/report.ts";
import { sealed } from "../cli/sealed-events.ts";

describe("what a run waited before it tried again", () => {
  it("is what was planned, unless it was stopped before that was over", () => {
    const [scheduled, waited] = sealed(
      { kind: "RetryScheduled", data: { kind: "overloaded", attempt: 2, delay_ms: 90_000, until: 100_000 } },
      { kind: "RetryWaited", data: {} },
    );
    if (scheduled === undefined || waited === undefined) throw new Error("two events were sealed");
    const during = noted(NO_NOTES, scheduled);
    expect(during.waits).toEqual({ rate_ms: 0, retry_ms: 90_000 });
    expect(noted(during, { ...waited, at: 100_003 }).waits.retry_ms).toBe(90_000);
    expect(noted(during, { ...waited, at: 40_000 }).waits.retry_ms).toBe(30_000);
  });
});
