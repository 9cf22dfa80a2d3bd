/** What breaks if a process stands still past its lease, and goes on in the middle of a change? */
import { testConfig } from "../../support/config.ts";
import { describe, expect, it } from "vitest";
import { staysInside } from "../../../src/engine/judge-tools.ts";
import { instantOf, LEASE_TTL_MS, ownership } from "../../../src/engine/ownership.ts";
import type { Drive } from "../../../src/engine/run.ts";
import { wait } from "../../../src/engine/wait.ts";
import { ERROR_TABLE } from "../../../src/kernel/error-kind.ts";
import { HarnessError } from "../../../src/kernel/harness-error.ts";
import type { Lease } from "../../../src/store/port.ts";
import { builtInTools } from "../../../src/tool/registry.ts";
import { type ManualClock, manualClock } from "../../../src/testing/manual-clock.ts";

const FENCED = new HarnessError("fenced", "Another process has it.", "Stop.");

/** A journal whose lease can be renewed so often, and then is somebody else's. */
function leased(clock: ManualClock, renewals: number, onRenew: () => void = () => undefined) {
  let renewed = 0;
  const done: string[] = [];
  const journal = {
    renew: (): Promise<Lease> => {
      onRenew();
      renewed += 1;
      done.push("renewed");
      return renewed > renewals ? Promise.reject(FENCED) : Promise.resolve({} as Lease); // nobody looks at it
    },
  };
  const held = ownership(journal, clock, instantOf(clock));
  return { done, act: () => held.whileOwned(async () => void done.push("changed")) };
}

describe("a change of the workspace", () => {
  it("is made without a question while the lease is fresh", async () => {
    const clock = manualClock();
    const { done, act } = leased(clock, 0);
    await clock.advance(LEASE_TTL_MS - 1);
    await act();
    expect(done).toEqual(["changed"]);
  });

  it("is not made by a process that was frozen past its lease and lost the session meanwhile", async () => {
    const clock = manualClock();
    const { done, act } = leased(clock, 0);
    await clock.advance(LEASE_TTL_MS);
    await expect(act()).rejects.toBe(FENCED);
    expect(done).toEqual(["renewed"]);
  });

  it("is not made on an old lease after a suspend, in which only the wall clock moved", async () => {
    const clock = manualClock();
    const { done, act } = leased(clock, 1);
    clock.setWallClock(clock.now() + 3_600_000);
    await act();
    expect(done).toEqual(["renewed", "changed"]);
  });

  it("asks again when the process was frozen while it asked", async () => {
    const clock = manualClock();
    let frozen = true;
    const { done, act } = leased(clock, 2, () => {
      if (frozen) clock.setWallClock(clock.now() + LEASE_TTL_MS);
      frozen = false;
    });
    clock.setWallClock(clock.now() + LEASE_TTL_MS);
    await act();
    expect(done).toEqual(["renewed", "renewed", "changed"]);
  });
});

describe("what the simulation found", () => {
  it("a tool that acts on the network from belay's own process was taken for confined, and ran again after a crash", () => {
    const [tool] = builtInTools();
    if (tool === undefined) throw new Error("there are tools");
    expect(
      staysInside({ ...tool, effect: "network" }, testConfig({ sandbox: { mode: "bwrap", network: false } })),
    ).toBe(false);
    expect(
      staysInside({ ...tool, effect: "execute" }, testConfig({ sandbox: { mode: "bwrap", network: false } })),
    ).toBe(true);
    expect(staysInside({ ...tool, effect: "execute" }, testConfig({ sandbox: { mode: "bwrap", network: true } }))).toBe(
      false,
    );
  });

  it("a wait that a crash cut off became hours when the clock was set back meanwhile", async () => {
    const clock = manualClock();
    const run = { host: { clock }, signal: new AbortController().signal } as unknown as Drive; // all that a cut wait looks at
    const until = clock.now() + 1_000;
    clock.setWallClock(clock.now() - 3 * 3_600_000);
    let waited = false;
    const step = { kind: "wait", error: "overloaded", attempt: 2, retry_after_ms: null, until } as const;
    void wait(step, run).then(() => (waited = true));
    await clock.advance(ERROR_TABLE.overloaded.limit?.total_ms ?? 0);
    expect(waited).toBe(true);
  });
});
