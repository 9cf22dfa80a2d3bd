/**
 * What breaks if the way to the database is cut before a question arrives, or before its answer does; if its server ends the
 * connections, stops, crashes, or goes silent; if a client freezes in the middle of a transaction?
 *
 * Nothing that was acknowledged is lost, nothing is stored twice, and whoever waits is told within a named limit.
 * `npm test` cuts at every ninth place; `npm run test:long` at every one.
 */
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../src/kernel/clock.ts";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { readEvents } from "../../src/store/journal.ts";
import type { Store } from "../../src/store/port.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { systemClock } from "../../src/host/system-clock.ts";
import { freshSchema, type PostgresSchema } from "../support/postgres.ts";
import { type PostgresServer, startPostgresServer } from "../support/postgres-server.ts";
import { beginning, journalOn, LEASE_MS, newSession, said, SESSION } from "../support/session-fixture.ts";
import { type Cut, startProxy } from "../support/tcp-proxy.ts";

const STRIDE = process.env["BELAY_TEST_LONG"] === "1" ? 1 : 9;

let place: PostgresSchema;
const stores: Store[] = [];

beforeEach(async () => {
  place = await freshSchema();
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await place.drop();
});

async function open(url: string, clock: Clock = systemClock, schema = place.schema): Promise<Store> {
  const store = await openPostgresStore({ url, schema, clock });
  stores.push(store);
  return store;
}

function through(url: string, port: number): string {
  const parsed = new URL(url);
  parsed.hostname = "127.0.0.1";
  parsed.port = String(port);
  return parsed.href;
}

/** Waits pass at once, and count: limits are reached without waiting for them. */
function hurried(): Clock {
  let passed = 0;
  return {
    now: () => passed,
    monotonic: () => passed,
    sleep: async (ms, signal) => {
      passed += ms;
      // An aborted sleeper is not waited for; whoever waits for real work as well has to see it end first.
      if (signal === undefined) await new Promise((resolve) => setImmediate(resolve));
      else await systemClock.sleep(ms, signal);
    },
  };
}

interface Acknowledged {
  readonly seq: number;
  readonly hash: string;
}

/** A small session: every command of the store, appends small and large, concurrent callers. */
async function work(store: Store): Promise<readonly Acknowledged[]> {
  await store.createSession(newSession());
  const journal = await journalOn(store);
  const acknowledged: Acknowledged[] = [...(await journal.append(beginning()))];
  acknowledged.push(...(await Promise.all(["a", "b"].map((text) => journal.append([said(text)])))).flat());
  acknowledged.push(...(await journal.append([said("x".repeat(70_000)), said("y")])));
  await journal.renew(LEASE_MS);
  await store.requestCancel(LOCAL_TENANT, SESSION);
  await store.putBlob(LOCAL_TENANT, new Uint8Array(600_000).fill(7));
  await store.listSessions({ tenant: LOCAL_TENANT, limit: 3 });
  await store.pruneBlobs(LOCAL_TENANT);
  acknowledged.push(...(await journal.append([said("last")])));
  await journal.close();
  return acknowledged;
}

async function expectStoredOnce(acknowledged: readonly Acknowledged[]): Promise<void> {
  const store = await open(place.url);
  const stored: Acknowledged[] = [];
  for await (const { seq, hash } of readEvents(store, LOCAL_TENANT, SESSION)) stored.push({ seq, hash });
  expect(stored).toEqual(acknowledged.map(({ seq, hash }) => ({ seq, hash })));
}

describe("a wire that is cut once", () => {
  for (const side of ["question", "answer"] as const) {
    it(
      `before the ${side} arrives, at any place, costs nothing: all is stored, and once`,
      { timeout: 900_000 },
      async () => {
        let struck = true;
        let strikes = 0;
        for (let at = 1; struck; at += STRIDE) {
          const cut: Cut = { side, at };
          const proxy = await startProxy(place.url, cut);
          const store = await open(through(place.url, proxy.port));
          const acknowledged = await work(store);
          await store.close();
          await proxy.close();
          struck = proxy.struck;
          if (struck) strikes += 1;
          await expectStoredOnce(acknowledged);
          const [row] = await (await open(place.url)).listSessions({ tenant: LOCAL_TENANT, limit: 9 });
          expect([row?.owner, row?.epoch], `cut at ${side} ${at}`).toEqual([null, 1]);
          await place.drop();
          for (const one of stores.splice(0)) await one.close();
        }
        expect(strikes * STRIDE).toBeGreaterThan(40);
      },
    );
  }
});

/** A text that only one command sends. */
const COMMANDS: readonly (readonly [command: string, text: string])[] = [
  ["the making of a session", 'insert into "sessions"'],
  ["a claim", 'set "epoch"'],
  ["the commit of a claim", "COMMIT"],
  ["an append", "WITH fence"],
  ["a renewal", 'set "lease_until"'],
  ["the piece of a blob", 'insert into "blob_pieces"'],
  ["the naming of a blob", "(xmax = 0)"],
  ["a snapshot", 'insert into "snapshots"'],
  ["a release", 'set "owner"'],
];

describe.each(COMMANDS)("%s", (_command, of) => {
  it.each(["question", "answer"] as const)("whose %s is lost takes effect once", async (side) => {
    await open(place.url); // makes the tables, whose commit is not the one that is meant
    const proxy = await startProxy(place.url, { side, of, at: 1 });
    const store = await open(through(place.url, proxy.port));
    const acknowledged = await work(store);
    expect(proxy.struck).toBe(true);
    await store.close();
    await proxy.close();
    await expectStoredOnce(acknowledged);
    const row = await (await open(place.url)).getSession(LOCAL_TENANT, SESSION);
    expect([row?.owner, row?.epoch, row?.last_seq]).toEqual([null, 1, acknowledged.length]);
  });
});

describe("a server that cannot be reached any more", () => {
  it("is tried for within the limit; then the writer is told, without the password, and stores nothing more", async () => {
    const proxy = await startProxy(place.url);
    const url = through(place.url, proxy.port);
    const store = await open(url, hurried());
    await store.createSession(newSession());
    const journal = await journalOn(store);
    const first = await journal.append(beginning());
    proxy.refuse();
    const error: unknown = await journal.append([said("lost")]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "store_io" });
    expect((error as HarnessError).message).toContain(`127.0.0.1:${proxy.port}`);
    expect((error as HarnessError).message).not.toContain(new URL(url).password);
    proxy.restore();
    // J4: whether it was stored is not known, so this writer is at its end; the next one reads what is there.
    await expect(journal.append([said("after")])).rejects.toMatchObject({ kind: "store_io" });
    await expectStoredOnce(first);
    await proxy.close();
  });
});

describe("an append whose answer was lost for good", () => {
  it("is there once when the session goes on, and was not acknowledged", async () => {
    const quiet = await open(place.url);
    await quiet.createSession(newSession());
    let lost = 0;
    for (let at = 1; at < 60; at += 1) {
      const proxy = await startProxy(place.url, { side: "answer", at });
      try {
        const store = await openPostgresStore({
          url: through(place.url, proxy.port),
          schema: place.schema,
          clock: hurried(),
        });
        stores.push(store);
        const journal = await journalOn(store, { token: `token-${at}` });
        const before = journal.state.seq;
        const appended = journal.append([said(`text ${at}`)]);
        // Once the wire is cut nobody is let in any more.
        const watch = setInterval(() => {
          if (proxy.struck) proxy.refuse();
        }, 1);
        const end: unknown = await appended.catch((thrown: unknown) => thrown);
        clearInterval(watch);
        const row = await quiet.getSession(LOCAL_TENANT, SESSION);
        if (end instanceof HarnessError) {
          expect(end.kind).toBe("store_io");
          lost += 1;
          expect([before, before + 1]).toContain(row?.last_seq);
        } else expect(row?.last_seq).toBe(before + 1);
      } catch (error) {
        expect(error).toBeInstanceOf(HarnessError); // cut while it was opened or claimed
      }
      await proxy.close();
      const row = await quiet.getSession(LOCAL_TENANT, SESSION);
      if (row?.owner) await release(quiet, row.owner.token, row.epoch);
    }
    expect(lost).toBeGreaterThan(0);
    const seqs: number[] = [];
    for await (const { seq } of readEvents(quiet, LOCAL_TENANT, SESSION)) seqs.push(seq);
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => i + 1));
  });
});

function release(store: Store, token: string, epoch: number): Promise<void> {
  const lease = {
    tenant: LOCAL_TENANT,
    session: SESSION,
    token,
    epoch,
    until: 0,
    last_seq: 0,
    cancel_requested: false,
  };
  return store.release(lease);
}

describe("connections that the server ends again and again", () => {
  it("cost nothing: every append is acknowledged once and stored once", async () => {
    const name = `ended_${place.schema.slice(0, 20)}`;
    const url = new URL(place.url);
    url.searchParams.set("application_name", name);
    const store = await open(url.href);
    await store.createSession(newSession());
    const journal = await journalOn(store);
    const killer = new pg.Client({ connectionString: place.url });
    await killer.connect();
    const over = new AbortController();
    let ended = 0;
    const killing = (async () => {
      while (!over.signal.aborted) {
        const sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
        ended += (await killer.query(sql, [name])).rowCount ?? 0;
        await systemClock.sleep(15);
      }
    })();
    const acknowledged: Acknowledged[] = [...(await journal.append(beginning()))];
    for (let n = 0; n < 60; n++) acknowledged.push(...(await journal.append([said(`${n}`)])));
    over.abort();
    await killing;
    await killer.end();
    expect(ended).toBeGreaterThan(3);
    await expectStoredOnce(acknowledged);
  });
});

describe("a transaction that is left open", () => {
  const held = "SELECT 1 FROM sessions WHERE session = $1 FOR UPDATE";

  it("by a client that was killed, does not keep the next one waiting", async () => {
    const store = await open(place.url);
    await store.createSession(newSession());
    const client = new pg.Client({ connectionString: place.url, options: `-c search_path=${place.schema}` });
    client.on("error", () => undefined);
    await client.connect();
    await client.query("BEGIN");
    await client.query(held, [SESSION]);
    // As the system does with what belonged to a killed process.
    client.connection.stream.destroy();
    const journal = await journalOn(store);
    expect(await journal.append(beginning())).not.toEqual([]);
  });

  it("by a client that froze, is ended by the server within the limit, and the next one goes on", async () => {
    const store = await open(place.url);
    await store.createSession(newSession());
    const frozen = new pg.Client({
      connectionString: place.url,
      options: `-c search_path=${place.schema}`,
      idle_in_transaction_session_timeout: 5_000, // as every connection of the store has it
    });
    const gone: string[] = [];
    frozen.on("error", (error: Error) => gone.push(String("code" in error ? error.code : error.message)));
    await frozen.connect();
    await frozen.query("BEGIN");
    await frozen.query(held, [SESSION]);
    const journal = await journalOn(store);
    expect(await journal.append(beginning())).not.toEqual([]);
    expect(gone[0]).toBe("25P03");
  });
});

describe("a server that is stopped or crashes in the middle of a session", () => {
  let server: PostgresServer;
  beforeEach(async () => {
    server = await startPostgresServer();
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await server.remove();
  });

  for (const how of ["stop", "crash"] as const) {
    it(`(${how}) and comes back is ridden out: every append is stored once`, async () => {
      const store = await open(server.url, systemClock, "belay");
      await store.createSession(newSession());
      const journal = await journalOn(store);
      const acknowledged: Acknowledged[] = [...(await journal.append(beginning()))];
      const back = (async () => {
        await server[how]();
        await server.start();
      })();
      for (let n = 0; n < 40; n++) acknowledged.push(...(await journal.append([said(`${n}`)])));
      await back;
      acknowledged.push(...(await journal.append([said("after")])));
      const fresh = await open(server.url, systemClock, "belay");
      const stored: Acknowledged[] = [];
      for await (const { seq, hash } of readEvents(fresh, LOCAL_TENANT, SESSION)) stored.push({ seq, hash });
      expect(stored).toEqual(acknowledged.map(({ seq, hash }) => ({ seq, hash })));
    });
  }
});
