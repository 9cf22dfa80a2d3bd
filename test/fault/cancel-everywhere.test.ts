/**
 * What breaks if somebody cancels at any moment?
 *
 * The session is canceled at its n-th event, for every n. It ends in good order within two seconds, nothing it started is
 * alive, every call has one result, and a resume goes on to the end.
 */
import { NO_ADMISSION } from "../../src/model/admission.ts";
import { oneModel } from "../../src/model/model.ts";
import { describe, expect, it } from "vitest";
import { resumeSession } from "../../src/engine/session.ts";
import { callTool, callTools, fail, say, type ScriptedStep, scriptedModel } from "../../src/testing/scripted-model.ts";
import { isAlive } from "../../src/workspace/process/identity.ts";
import { systemClock, testHost } from "../support/host.ts";
import { eventsOf, SANDBOX, start, testPlace } from "../support/session.ts";

const LONG = process.env["BELAY_TEST_LONG"] === "1";
const STRIDE = LONG ? 1 : 2;
/** G10, with room for a busy machine: it is the order of magnitude that is checked. */
const STOPPED_MS = 6_000;

/** One session that is stuck in a command which ignores TERM, and one that waits to try again. */
const STUCK: { readonly [name: string]: readonly ScriptedStep[] } = {
  "in a command": [
    callTools([
      { name: "read", input: { path: "log.txt" } },
      { name: "grep", input: { pattern: "zero" } },
    ]),
    callTool("bash", { command: "trap '' TERM; (setsid sleep 30 &) ; sleep 30" }),
    say("unused"),
  ],
  "in a wait": [
    callTool("write", { path: "a.txt", content: "a" }),
    fail("overloaded", { retry_after_ms: 20_000 }),
    say("unused"),
  ],
};

describe("a session that is canceled", () => {
  for (const [name, script] of Object.entries(STUCK)) {
    it(
      `at any event up to where it is stuck (${name}) stops at once, leaves nothing alive, and can be resumed`,
      { timeout: 300_000 },
      async (context) => {
        if (SANDBOX === "none")
          context.skip("only a namespace ends a child that left its group: apt-get install bubblewrap");
        let reached = true;
        for (let n = 5; reached; n += STRIDE) reached = await cancelAt(script, n);
      },
    );
  }
});

/** @returns whether the n-th event came before the session was stuck. */
async function cancelAt(script: readonly ScriptedStep[], n: number): Promise<boolean> {
  const place = testPlace();
  // What a provider asked to wait is not waited for again: here it is the stop that matters, and a resume keeps to it.
  const host = { ...(await testHost({ home: place.home, model: scriptedModel(script) })), admission: NO_ADMISSION };
  const live = await start(host, place);
  let seen = 0;
  let canceled = 0;
  let stuckAt = Number.POSITIVE_INFINITY;
  live.onEvents((events) => {
    for (const event of events) {
      seen += 1;
      const stuck = event.kind === "ToolProcessStarted" || event.kind === "RetryScheduled";
      if (stuck) stuckAt = Math.min(stuckAt, seen);
      // Where it is stuck it is canceled at the latest.
      if (canceled === 0 && (seen >= n || stuck)) {
        canceled = systemClock.monotonic();
        // Not inside the listener: the event is durable, what follows it goes on.
        setImmediate(() => live.cancel("user", "test"));
      }
    }
  });
  const report = await live.done;
  const took = systemClock.monotonic() - canceled;
  const told = `canceled at event ${n}`;
  expect(report, told).toMatchObject({ outcome: "canceled" });
  expect(took, told).toBeLessThan(STOPPED_MS);
  const events = await eventsOf(host, live.session);
  const processes = events.flatMap((event) => (event.kind === "ToolProcessStarted" ? [event.data.process] : []));
  expect(processes.filter(isAlive), told).toEqual([]);
  const asked = events.flatMap((event) =>
    event.kind === "ModelCallFinished"
      ? event.data.parts.flatMap((part) => (part.type === "tool_use" ? [part.call] : []))
      : [],
  );
  const answered = events.flatMap((event) => (event.kind === "ToolFinished" ? [event.data.call] : []));
  expect([...answered].sort(), told).toEqual([...asked].sort());

  const again = await resumeSession(
    { ...host, models: oneModel(scriptedModel([say("Done.")])) },
    { session: live.session, message: null, change: null },
  );
  expect(await again.done, told).toMatchObject({ outcome: "completed" });
  await host.store.close();
  return n < stuckAt;
}
