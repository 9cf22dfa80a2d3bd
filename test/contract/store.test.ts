/** The contract of a store, on every back-end. */
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../../src/store/memory/memory-store.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { describeStore, storeContract } from "../../src/testing/store-contract.ts";
import { makePostgresStore } from "../support/postgres.ts";
import { makeSqliteStore } from "../support/sqlite-store.ts";

const runner = { describe, it };

describeStore(runner, "sqlite", () => makeSqliteStore(), { skip: [] });

describeStore(runner, "sqlite on a network file system", () => makeSqliteStore({ fileSystem: async () => "nfs" }), {
  skip: [],
});

describeStore(runner, "postgres", () => makePostgresStore(), { skip: [] });

describeStore(
  runner,
  "memory",
  async () => {
    const clock = manualClock();
    const store = createMemoryStore({ clock });
    return { store, clock, dispose: () => store.close() };
  },
  {
    skip: [
      { reason: "it ends with its process: there is nothing to open again", tests: { needs: "reopen" } },
      { reason: "nobody but its process can reach its bytes", tests: { needs: "damage" } },
    ],
  },
);

describe("the contract itself", () => {
  it("names every case once", () => {
    const names = storeContract.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("refuses a skip without a reason, or of a case that does not exist", () => {
    const make = (): Promise<never> => Promise.reject(new RangeError("never made"));
    const silent = { describe: () => undefined, it: Object.assign(() => undefined, { skip: () => undefined }) };
    expect(() => describeStore(silent, "x", make, { skip: [{ reason: " ", tests: [] }] })).toThrow(
      "a skip has a reason",
    );
    expect(() => describeStore(silent, "x", make, { skip: [{ reason: "r", tests: ["no such case"] }] })).toThrow(
      "no such case",
    );
  });
});
