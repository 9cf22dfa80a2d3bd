import { describe, expect, it } from "vitest";
import { startDeadlines } from "../../../src/model/deadlines.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";

const LIMITS = { connect_ms: 100, idle_ms: 30, total_ms: 1_000 };
const idle = (): AbortSignal => new AbortController().signal;

describe("the limits of a call", () => {
  it("end it as `connect` when no response began, and abort everything below", async () => {
    const clock = manualClock();
    const deadlines = startDeadlines(clock, LIMITS, idle());
    await clock.advance(99);
    expect(deadlines.end()).toBeNull();
    await clock.advance(1);
    expect([deadlines.end(), deadlines.signal.aborted, await deadlines.ended]).toEqual(["connect", true, "connect"]);
  });

  it("end it as `idle` after the response began, counted anew from every sign of life", async () => {
    const clock = manualClock();
    const deadlines = startDeadlines(clock, LIMITS, idle());
    deadlines.connected();
    for (let i = 0; i < 5; i++) {
      await clock.advance(29);
      deadlines.alive();
    }
    expect(deadlines.end()).toBeNull();
    await clock.advance(30);
    expect(deadlines.end()).toBe("idle");
  });

  it("count the idle limit from the response on, also where the connect limit had longer to go", async () => {
    const clock = manualClock();
    const deadlines = startDeadlines(clock, { ...LIMITS, connect_ms: 900 }, idle());
    await clock.advance(1);
    deadlines.connected();
    await clock.advance(30);
    expect([deadlines.end(), clock.monotonic()]).toEqual(["idle", 31]);
  });

  it("end it as `total` however lively it is", async () => {
    const clock = manualClock();
    const deadlines = startDeadlines(clock, LIMITS, idle());
    deadlines.connected();
    for (let i = 0; i < 100 && deadlines.end() === null; i++) {
      await clock.advance(20);
      deadlines.alive();
    }
    expect([deadlines.end(), clock.monotonic()]).toEqual(["total", 1_000]);
  });

  it("end it at once when its caller aborts, before or during the call", async () => {
    const clock = manualClock();
    const caller = new AbortController();
    const during = startDeadlines(clock, LIMITS, caller.signal);
    caller.abort();
    expect(await during.ended).toBe("aborted");
    expect(await startDeadlines(clock, LIMITS, caller.signal).ended).toBe("aborted");
  });

  it("keep their first reason", async () => {
    const clock = manualClock();
    const caller = new AbortController();
    const deadlines = startDeadlines(clock, LIMITS, caller.signal);
    await clock.advance(100);
    caller.abort();
    expect(deadlines.end()).toBe("connect");
  });

  it("leave no sleeper behind when the call is over, and change nothing any more", async () => {
    const clock = manualClock();
    const caller = new AbortController();
    const deadlines = startDeadlines(clock, LIMITS, caller.signal);
    deadlines.connected();
    await clock.advance(1);
    deadlines.close();
    await clock.advance(5_000);
    caller.abort();
    expect([clock.sleepers, deadlines.end(), deadlines.signal.aborted]).toEqual([0, null, false]);
  });
});
