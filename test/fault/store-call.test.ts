/**
 * What breaks if the n-th call to the store fails, for every n, before or after it took effect? Nothing that was
 * acknowledged is lost, nothing is acknowledged after a failed sync, and what can be read afterwards is a clean prefix.
 */
import { describe, expect, it } from "vitest";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import { isUnknown } from "../../src/kernel/fold.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { loadSession, readEvents, SNAPSHOT_EVERY_EVENTS } from "../../src/store/journal.ts";
import { createMemoryStore } from "../../src/store/memory/memory-store.ts";
import type { Store } from "../../src/store/port.ts";
import { type Fault, faultyStore } from "../../src/testing/faulty-store.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";
import { beginning, journalOn, LEASE_MS, newSession, said, SESSION } from "../support/session-fixture.ts";
import { makePostgresStore } from "../support/postgres.ts";
import { makeSqliteStore } from "../support/sqlite-store.ts";

interface Acknowledged {
  readonly seq: number;
  readonly hash: string;
}

/** A small session over the faulty store: appends small and large, renews, concurrent callers, many events, a close. */
async function work(store: Store, acknowledged: Acknowledged[], failures: unknown[]): Promise<void> {
  const attempt = async (action: () => Promise<readonly Acknowledged[]>): Promise<void> => {
    try {
      acknowledged.push(...(await action()));
    } catch (error) {
      failures.push(error);
    }
  };
  await attempt(() => store.createSession(newSession()).then(() => []));
  await attempt(async () => {
    const journal = await journalOn(store);
    await attempt(() => journal.append(beginning()));
    await Promise.all(["a", "b", "c"].map((text) => attempt(() => journal.append([said(text)]))));
    await attempt(() => journal.append([said("x".repeat(70_000)), said("y")]));
    await attempt(() => journal.renew(LEASE_MS).then(() => []));
    await attempt(() => journal.append(Array.from({ length: SNAPSHOT_EVERY_EVENTS }, (_, i) => said(`${i}`))));
    await attempt(() => journal.append([said("last")]));
    await journal.close();
    return [];
  });
}

async function expectCleanPrefix(store: Store, acknowledged: readonly Acknowledged[], certain: boolean): Promise<void> {
  const stored = new Map<number, string>();
  for await (const event of readEvents(store, LOCAL_TENANT, SESSION)) {
    expect(isUnknown(event)).toBe(false);
    stored.set(event.seq, event.hash);
  }
  for (const { seq, hash } of acknowledged) expect(stored.get(seq)).toBe(hash);
  if (certain) expect(stored.size).toBe(acknowledged.length);
}

/** A session that was never made has nothing to lose. */
async function exists(store: Store): Promise<boolean> {
  return (await store.getSession(LOCAL_TENANT, SESSION)) !== null;
}

const BUSY = new HarnessError("store_busy", "Another process held the database.", "Try again.");

const FAULTS: readonly { readonly name: string; readonly fault: Omit<Fault, "failAt"> }[] = [
  { name: "a failed sync, before anything was written", fault: { when: "before" } },
  { name: "a failed sync, after all was written", fault: { when: "after" } },
  { name: "a passing error, before anything was written", fault: { when: "before", error: BUSY } },
  { name: "a passing error, although all was written", fault: { when: "after", error: BUSY } },
];

const BACK_ENDS = [
  {
    name: "memory",
    make: async () => {
      const clock = manualClock();
      const store = createMemoryStore({ clock });
      return { store, clock, reopen: async () => store, dispose: async () => store.close() };
    },
  },
  { name: "sqlite", make: () => makeSqliteStore() },
  { name: "postgres", make: () => makePostgresStore() },
] as const;

describe.each(BACK_ENDS)("on $name", ({ make }) => {
  it.each(FAULTS)("$name: at every call", async ({ fault }) => {
    let reached = true;
    let strikes = 0;
    for (let failAt = 1; reached; failAt++) {
      const { store, clock, reopen, dispose } = await make();
      try {
        const faulty = faultyStore(store, { ...fault, failAt });
        const acknowledged: Acknowledged[] = [];
        const failures: unknown[] = [];
        await work(faulty, acknowledged, failures);
        reached = faulty.struck;
        if (reached) strikes += 1;
        for (const failure of failures) expect(failure).toBeInstanceOf(HarnessError);

        const again = await reopen();
        if (await exists(again)) {
          await expectCleanPrefix(again, acknowledged, fault.when === "before");
          // The session goes on: another process claims it, and its first event follows the last stored one.
          await clock.advance(LEASE_MS);
          const journal = await journalOn(again, { token: "token-2" });
          const { state } = await loadSession(again, LOCAL_TENANT, SESSION);
          expect(journal.state).toEqual(state);
          const [next] = await journal.append([said("goes on")]);
          expect(next?.seq).toBe(state.seq + 1);
        }
      } finally {
        await dispose();
      }
    }
    expect(strikes).toBeGreaterThan(20);
  });
});

describe("after a failed sync", () => {
  it("no append is acknowledged any more, by the journal nor by the store", async () => {
    for (let failAt = 1; failAt < 40; failAt++) {
      const inner = createMemoryStore({ clock: manualClock() });
      const faulty = faultyStore(inner, { failAt, when: "after" });
      let after = 0;
      const watched: Store = {
        ...faulty,
        append: async (command) => {
          await faulty.append(command);
          if (faulty.struck) after += 1;
        },
      };
      const acknowledged: Acknowledged[] = [];
      await work(watched, acknowledged, []);
      expect(after).toBe(0);
    }
  });
});
