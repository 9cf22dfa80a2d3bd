/** What breaks if belay dies between any two writes of a parent and its sub-agents? */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Host } from "../../../../src/engine/host.ts";
import { resumeSession } from "../../../../src/engine/session.ts";
import { HarnessError } from "../../../../src/kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../../../../src/kernel/ids.ts";
import type { Store } from "../../../../src/store/port.ts";
import { openSqliteStore } from "../../../../src/store/sqlite/sqlite-store.ts";
import { callTool, callTools, say } from "../../../../src/testing/index.ts";
import { aroundStore, WRITES } from "../../../../src/testing/faulty-store.ts";
import { agentModel, type AgentModel } from "../../../support/agent-model.ts";
import { childrenOf, handOn, withAgents } from "../../../support/agents.ts";
import { systemClock, testHost } from "../../../support/host.ts";
import { eventsOf, resultTexts, start, testPlace, type TestPlace } from "../../../support/session.ts";

/** In the short run so many of the places at which it can die; all of them with BELAY_TEST_LONG. */
const SHORT_PLACES = 5;

const CHOICE = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };

function scripts(): AgentModel {
  return agentModel({
    parent: [callTools([handOn("w"), handOn("x", "explore", CHOICE)]), say("all done")],
    w: [callTool("write", { path: "w.txt", content: "w\n" }), say("w is written")],
    x: [say("not json"), say('{"ok":true}')],
  });
}

/** From its `at`-th write on, every write fails, as if the process were gone. */
function dying(inner: Store, at: number): { readonly store: Store; readonly writes: () => number } {
  let writes = 0;
  const gone = new HarnessError("store_io", "The process died on purpose.", "Resume.");
  const store = aroundStore(inner, async (method, run) => {
    if (!WRITES.has(method) || method === "putSnapshot") return run();
    writes += 1;
    if (writes >= at) throw gone;
    return run();
  });
  return { store, writes: () => writes };
}

async function firstRun(
  place: TestPlace,
  at: number,
): Promise<{ readonly session: SessionId | null; readonly writes: number }> {
  const inner = await openSqliteStore({ path: join(place.home, "belay.db"), clock: systemClock });
  const { store, writes } = dying(inner, at);
  const host = await testHost({ home: place.home, model: scripts(), store });
  let session: SessionId | null = null;
  try {
    const live = await start(host, place, withAgents());
    session = live.session;
    await live.done;
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
  }
  await inner.close();
  return { session, writes: writes() };
}

/** Another process: whoever drove before is dead. */
async function secondRun(place: TestPlace, session: SessionId): Promise<Host> {
  const host = {
    ...(await testHost({ home: place.home, model: scripts() })),
    ownerAlive: () => Promise.resolve(false),
  };
  const live = await resumeSession(host, { session, message: null, change: null });
  const report = await live.done;
  expect([report.outcome, report.error]).toEqual(["completed", null]);
  return host;
}

async function checked(host: Host, place: TestPlace, session: SessionId): Promise<void> {
  const rows = await host.store.listSessions({ tenant: LOCAL_TENANT, root: session, limit: 100 });
  const agents = rows.filter(({ summary }) => summary.agent !== undefined);
  expect(agents.map(({ summary }) => summary.agent).sort()).toEqual(["explore", "general"]);
  const results = resultTexts(await eventsOf(host, session));
  expect(results).toHaveLength(2);
  expect(results.some((text) => text.includes("ok: w is written"))).toBe(true);
  expect(results.some((text) => text.includes('ok: {"ok":true}'))).toBe(true);
  const children = await childrenOf(host, session);
  expect(children.map(({ end }) => end?.outcome)).toEqual(["completed", "completed"]);
  expect(readFileSync(join(place.home, "sessions", session, "tree", "w.txt"), "utf8")).toBe("w\n");
  const scopes = await host.store.listScopes(LOCAL_TENANT, "tree:", 10);
  expect(scopes.map(({ reserved_tokens }) => reserved_tokens)).toEqual(scopes.map(() => 0));
}

describe("a parent that dies", () => {
  test("at any write goes on with the sub-agents it had: each call has one, and one result", async () => {
    const whole = testPlace();
    const { session, writes } = await firstRun(whole, Number.POSITIVE_INFINITY);
    expect(session).not.toBeNull();
    const places = Array.from({ length: writes - 3 }, (_, i) => i + 4);
    const step = process.env["BELAY_TEST_LONG"] === undefined ? Math.ceil(places.length / SHORT_PLACES) : 1;
    for (const at of places.filter((_, i) => i % step === 0)) {
      const place = testPlace();
      const died = await firstRun(place, at);
      if (died.session === null) continue;
      const host = await secondRun(place, died.session);
      await checked(host, place, died.session);
      await host.store.close();
    }
  }, 600_000);

  test("in the middle of a merge goes back to what was there, and merges again", async () => {
    const place = testPlace();
    const inner = await openSqliteStore({ path: join(place.home, "belay.db"), clock: systemClock });
    const gone = new HarnessError("store_io", "The process died on purpose.", "Resume.");
    let dead = false;
    const store = aroundStore(inner, async (method, run) => {
      if (dead && WRITES.has(method)) throw gone;
      return run();
    });
    const host = await testHost({ home: place.home, model: scripts(), store });
    const live = await start(host, place, withAgents());
    live.onEvents((events) => {
      dead ||= events.some(({ kind }) => kind === "AgentMergeStarted");
    });
    expect((await live.done).outcome).toBe("failed");
    await inner.close();
    // It was brought in, and nobody knows.
    expect(existsSync(join(place.home, "sessions", live.session, "tree", "w.txt"))).toBe(true);
    const again = await secondRun(place, live.session);
    await checked(again, place, live.session);
    const trees = readdirSync(join(place.home, "sessions")).filter((name) =>
      existsSync(join(place.home, "sessions", name, "tree")),
    );
    expect(trees).toEqual([live.session]);
    await again.store.close();
  });
});
