/** The parts of the testing kit that stand beside the store: a clock that is moved by hand, and a store that fails. */
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../../../src/store/memory/memory-store.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { faultyStore } from "../../../src/testing/faulty-store.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";
import { newSession, SESSION } from "../../support/session-fixture.ts";

describe("a manual clock", () => {
  it("wakes sleepers in the order of their times, each at its own", async () => {
    const clock = manualClock(1_000);
    const woke: string[] = [];
    const sleeper = async (name: string, ms: number, times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        await clock.sleep(ms);
        woke.push(`${name} ${clock.now()}`);
      }
    };
    void sleeper("slow", 50, 1);
    void sleeper("quick", 20, 3);
    await clock.advance(59);
    expect(woke).toEqual(["quick 1020", "quick 1040", "slow 1050"]);
    expect(clock.sleepers).toBe(1);
    await clock.advance(1);
    expect(woke.at(-1)).toBe("quick 1060");
    expect(clock.monotonic()).toBe(60);
  });

  it("lets a sleeper go when its signal aborts, and never starts one that was aborted before", async () => {
    const clock = manualClock();
    const abort = new AbortController();
    const asleep = clock.sleep(1_000, abort.signal);
    abort.abort();
    await asleep;
    await clock.sleep(1_000, abort.signal);
    expect(clock.sleepers).toBe(0);
  });

  it("can be set back without waking anybody: only the wall clock moves", async () => {
    const clock = manualClock(1_000);
    void clock.sleep(10);
    clock.setWallClock(5);
    expect([clock.now(), clock.monotonic(), clock.sleepers]).toEqual([5, 0, 1]);
    await clock.advance(10);
    expect([clock.now(), clock.sleepers]).toEqual([15, 0]);
  });
});

describe("a faulty store", () => {
  it("fails the n-th call before it does anything, or after it has done it", async () => {
    for (const when of ["before", "after"] as const) {
      const inner = createMemoryStore({ clock: manualClock() });
      const store = faultyStore(inner, { failAt: 2, when });
      await store.now();
      await expect(store.createSession(newSession())).rejects.toMatchObject({ kind: "store_io" });
      expect(store.struck).toBe(true);
      expect((await inner.getSession(LOCAL_TENANT, SESSION)) !== null).toBe(when === "after");
    }
  });

  it("S5: writes nothing after store_io, and still reads", async () => {
    const inner = createMemoryStore({ clock: manualClock() });
    const store = faultyStore(inner, { failAt: 1, when: "before" });
    await expect(store.now()).rejects.toMatchObject({ kind: "store_io" });
    await expect(store.createSession(newSession())).rejects.toMatchObject({ kind: "store_io" });
    expect(await store.getSession(LOCAL_TENANT, SESSION)).toBeNull();
    expect(await inner.listSessions({ tenant: LOCAL_TENANT, limit: 9 })).toEqual([]);
  });
});
