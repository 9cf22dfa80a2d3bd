/** G3 over random schedules and crashes: no cap is ever passed, and the ledger is what the journals say. */
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../../../src/store/memory/memory-store.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";
import { runSchedule, type Schedule, type ScheduledStep } from "../../support/ledger-schedule.ts";
import { fc } from "../../support/property.ts";
import { makeSqliteStore } from "../../support/sqlite-store.ts";

const LONG = process.env["BELAY_TEST_LONG"] !== undefined;
const NOON = Date.UTC(2026, 10, 21, 12);

const does = fc.constantFrom<ScheduledStep["does"][]>(
  ...Array.from({ length: 8 }, () => "call" as const),
  "call unpriced",
  "die",
  "crash in append",
  "reopen",
  "tomorrow",
);
const schedules: fc.Arbitrary<Schedule> = fc.record({
  caps: fc.record({
    session: fc.integer({ min: 100, max: 800 }),
    group: fc.integer({ min: 100, max: 2_000 }),
    day: fc.integer({ min: 100, max: 1_200 }),
    tokens: fc.integer({ min: 100, max: 3_000 }),
  }),
  steps: fc.array(
    fc.record({
      session: fc.nat(2),
      does,
      cost: fc.nat(90),
      tokens: fc.nat(90),
      used: fc.double({ min: 0, max: 1, noNaN: true }),
      lost: fc.boolean(),
    }),
    { maxLength: 40 },
  ),
});

describe("in every scope, at every instant, what is settled, unknown and reserved is within the cap, and is what the journals say", () => {
  it("in memory", async () => {
    const total = { asked: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        const clock = manualClock(NOON);
        const store = createMemoryStore({ clock });
        const { asked, refused } = await runSchedule({ clock, store: () => store, reopen: async () => {} }, schedule);
        total.asked += asked;
        total.refused += refused;
      }),
      { numRuns: LONG ? 1_000 : 40 },
    );
    // A schedule that refuses everything, or nothing, would prove little.
    expect(total.refused / total.asked).toBeGreaterThan(0.1);
    expect(total.refused / total.asked).toBeLessThan(0.6);
  });

  it("in SQLite, closed and opened again in between", async () => {
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        const under = await makeSqliteStore({}, manualClock(NOON));
        let { store } = under;
        const reopen = async (): Promise<void> => {
          await store.close();
          store = await under.reopen();
        };
        try {
          await runSchedule({ clock: under.clock, store: () => store, reopen }, schedule);
        } finally {
          await under.dispose();
        }
      }),
      { numRuns: LONG ? 200 : 12 },
    );
  });
});
