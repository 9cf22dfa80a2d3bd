/**
 * What breaks if any single call of the store fails in the middle of a session?
 *
 * The n-th call fails, for every n, before or after it took effect. Then: nothing that was acknowledged is lost, the journal
 * reads cleanly, and with a store that works again the session goes on to its end, every call of a tool with one result.
 * `npm test` takes every third n; `npm run test:long` takes all, for three kinds of failure.
 */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resumeSession } from "../../src/engine/session.ts";
import type { ErrorKind } from "../../src/kernel/error-kind.ts";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import type { Store } from "../../src/store/port.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { faultyStore } from "../../src/testing/faulty-store.ts";
import { callTool, callTools, say, type ScriptedStep, scriptedModel } from "../../src/testing/scripted-model.ts";
import { systemClock, testHost } from "../support/host.ts";
import { moneyProblems } from "../support/money.ts";
import { eventsOf, start, testPlace } from "../support/session.ts";

const LONG = process.env["BELAY_TEST_LONG"] === "1";
const STRIDE = LONG ? 1 : 3;
const KINDS: readonly ErrorKind[] = LONG ? ["store_io", "store_full", "store_busy"] : ["store_io"];
/** More calls than the session makes. */
const CALLS_MAX = 400;

/** Answers by what the request holds, so that a resumed session goes on at its own step. */
const SCRIPT: readonly ScriptedStep[] = [
  callTools([
    { name: "read", input: { path: "log.txt" } },
    { name: "write", input: { path: "a.txt", content: "a\n" } },
  ]),
  callTool("bash", { command: "echo once >> log.txt" }),
  say("Done."),
];

describe("a session whose store fails once", () => {
  for (const kind of KINDS) {
    for (const when of ["before", "after"] as const) {
      it(
        `(${kind}, ${when} the call) loses nothing that was acknowledged and goes on afterwards`,
        { timeout: 600_000 },
        async () => {
          let struck = true;
          for (let n = 1; struck && n < CALLS_MAX; n += STRIDE) struck = await sessionWithFault(n, when, kind);
          expect(struck).toBe(false);
        },
      );
    }
  }
});

/** @returns whether the n-th call was reached at all */
async function sessionWithFault(n: number, when: "before" | "after", kind: ErrorKind): Promise<boolean> {
  const place = testPlace();
  const path = join(place.home, "belay.db");
  const acknowledged: string[] = [];
  const told = `failing at call ${n}`;

  const broken = faultyStore(await openStore(path), {
    failAt: n,
    when,
    error: new HarnessError(kind, "It failed on purpose.", "Go on."),
  });
  const host = await testHost({ home: place.home, model: stepwise(), store: acknowledging(broken, acknowledged) });
  try {
    const report = await (await start(host, place)).done;
    if (broken.struck && report.outcome !== "completed")
      expect(report, told).toMatchObject({ outcome: "failed", error: { kind } });
  } catch (error) {
    // Before there is a session, its start fails with the store's own error.
    expect(error, told).toMatchObject({ kind });
  }
  await broken.close();
  if (!broken.struck) return false;

  const store = await openStore(path);
  const again = await testHost({ home: place.home, model: stepwise(), store });
  const [row] = await store.listSessions({ tenant: LOCAL_TENANT, limit: 1 });
  if (row !== undefined && row.last_seq > 0) {
    // The lease of a store that failed is still ours: in the real world the process is gone, here it is said to be.
    const resumed = await resumeSession(
      { ...again, ownerAlive: () => Promise.resolve(false) },
      { session: row.session, message: null, change: null },
    );
    expect(await resumed.done, told).toMatchObject({ outcome: "completed" });
    const events = await eventsOf(again, row.session);
    const stored = new Set(events.map((event) => `${event.seq} ${event.hash}`));
    expect(
      acknowledged.filter((ack) => !stored.has(ack)),
      told,
    ).toEqual([]);
    const results = events.filter((event) => event.kind === "ToolFinished").map((event) => event.data.call);
    expect(new Set(results).size, told).toBe(results.length);
    expect(results.length, told).toBe(3);
    expect(await moneyProblems(store, row.session), told).toEqual([]);
  }
  await store.close();
  return true;
}

function openStore(path: string): Promise<Store> {
  return openSqliteStore({ path, clock: systemClock });
}

/** A model that looks at the conversation for its place, as a provider does. */
function stepwise(): ReturnType<typeof scriptedModel> {
  const whole = scriptedModel([]);
  return {
    ...whole,
    call: (request, options) => {
      const place = request.messages.filter((message) => message.role === "assistant").length;
      return scriptedModel(SCRIPT.slice(place, place + 1)).call(request, options);
    },
  };
}

/** Notes what was acknowledged, outside the fault: a failed call acknowledges nothing. */
function acknowledging(store: Store, acknowledged: string[]): Store {
  return new Proxy(store, {
    get: (target, key) => {
      if (key !== "append") {
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      }
      return async (command: Parameters<Store["append"]>[0]) => {
        await target.append(command);
        acknowledged.push(...command.records.map((record) => `${record.seq} ${record.hash}`));
      };
    },
  });
}
