/**
 * What breaks if the database goes away in the middle of a session, or if its owner is on another machine?
 *
 * A short absence is ridden out; a longer one ends the run resumable, saying what is gone. Whether an owner elsewhere lives
 * cannot be known, so its lease is waited for.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { resumeSession } from "../../src/engine/session.ts";
import { systemClock } from "../../src/host/system-clock.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres-store.ts";
import type { Store } from "../../src/store/port.ts";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { callTool, say, scriptedModel } from "../../src/testing/scripted-model.ts";
import { testHost } from "../support/host.ts";
import { freshSchema } from "../support/postgres.ts";
import { type PostgresServer, startPostgresServer } from "../support/postgres-server.ts";
import { startSessionChild } from "../support/session-child.ts";
import { eventsOf, SANDBOX, start, testPlace } from "../support/session.ts";

describe("a session whose database goes away", () => {
  let server: PostgresServer;
  beforeEach(async () => {
    server = await startPostgresServer();
  });
  afterEach(() => server.remove());

  const slow = { tool: "bash", input: { command: "echo begun >> log.txt; sleep 2; echo ended >> log.txt" } };

  it("while a command runs, and comes back, goes on as if nothing had been", async () => {
    const place = testPlace();
    const emulator = await startEmulator({ scenario: { turns: [{ call: [slow] }, { say: "Done." }] } });
    onTestFinished(() => emulator.close());
    const store = { postgres: server.url, schema: "belay" };
    const run = startSessionChild({ ...place, store, task: "work", url: emulator.url, sandbox: SANDBOX });
    await run.until("point released");
    await server.crash();
    await server.start();
    const { report, stderr } = await run.ended;
    expect(stderr).toBe("");
    expect(report).toMatchObject({ outcome: "completed" });
    expect(readFileSync(join(report?.workspace ?? "", "log.txt"), "utf8")).toBe("zero\nbegun\nended\n");
  });

  it("and stays away ends the run within the limit, says so, and is resumed when it is back", async () => {
    const place = testPlace();
    const emulator = await startEmulator({ scenario: { turns: [{ call: [slow] }, { say: "Done." }] } });
    onTestFinished(() => emulator.close());
    const store = { postgres: server.url, schema: "belay" };
    const order = { ...place, store, task: "work", url: emulator.url, sandbox: SANDBOX };
    const run = startSessionChild(order);
    await run.until("point released");
    await server.stop();
    const { report, code } = await run.ended;
    expect(report).toMatchObject({ outcome: "failed", error: { kind: "store_io" } });
    expect(report?.error?.message).toContain(`127.0.0.1:${server.port}/postgres`);
    expect(code).not.toBe(0);
    await server.start();
    const resumed = await startSessionChild(order).ended;
    expect(resumed.report).toMatchObject({ outcome: "completed" });
    const log = readFileSync(join(resumed.report?.workspace ?? "", "log.txt"), "utf8");
    expect(log.match(/begun/g)).toHaveLength(1);
  });
});

describe("a session whose owner is on another machine", () => {
  it("is refused while the lease runs, and taken over when it ran out; the owner can write nothing more", async () => {
    const place = testPlace();
    const { url, schema, drop } = await freshSchema();
    onTestFinished(drop);
    // Two machines whose clocks disagree by an hour: leases go by the database's.
    const slowClock: Clock = { ...systemClock, now: () => systemClock.now() - 3_600_000 };
    let passed = 0;
    const time = (): number => Date.now() + passed;
    const open = async (clock: Clock): Promise<Store> => {
      const store = await openPostgresStore({ url, schema, clock, time });
      onTestFinished(() => store.close());
      return store;
    };
    const script = [callTool("bash", { command: "echo once >> log.txt; sleep 60" }), say("Done.")];
    const there = await testHost({ home: place.home, model: scriptedModel(script), store: await open(slowClock) });
    const running = await start(there, place, { sandbox: { mode: SANDBOX, network: true } });
    const started = Promise.withResolvers<undefined>();
    running.onEvents((events) => {
      if (events.some(({ kind }) => kind === "ToolProcessStarted")) started.resolve(undefined);
    });
    await started.promise;

    const here = await testHost({
      home: place.home,
      model: scriptedModel([say("Done.")]),
      store: await open(systemClock),
    });
    const elsewhere = { ...here, ownerAlive: () => Promise.resolve(null) };
    const request = { session: running.session, message: null, change: null };
    await expect(resumeSession(elsewhere, request)).rejects.toMatchObject({ kind: "lease_held" });
    passed = 20_000; // the other machine did not renew in time
    const live = await resumeSession(elsewhere, request);
    expect(await live.done).toMatchObject({ outcome: "completed" });
    expect(await running.done).toMatchObject({ outcome: "failed", error: { kind: "fenced" } });
    const events = await eventsOf(here, running.session);
    const results = events.filter((event) => event.kind === "ToolFinished");
    expect(results.map((event) => event.data.status)).toEqual(["interrupted"]);
    expect((await here.store.listSessions({ tenant: LOCAL_TENANT, limit: 9 })).length).toBe(1);
  });
});
