/** What is SQLite's own: files and their rights, settings, schema versions, damage, full disks, waiting. */
import { copyFile, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ERROR_TABLE } from "../../../src/kernel/error-kind.ts";
import { HarnessError } from "../../../src/kernel/harness-error.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { loadSession, readEvents } from "../../../src/store/journal.ts";
import type { Store } from "../../../src/store/port.ts";
import { fuseNetworkIn, networkFileSystem } from "../../../src/store/sqlite/network-file-system.ts";
import { MIGRATIONS, SCHEMA_VERSION } from "../../../src/store/sqlite/migrations/index.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { kindOf } from "../../../src/store/sqlite/sqlite-error.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";
import { beginning, journalOn, newSession, said, SESSION } from "../../support/session-fixture.ts";
import { makeSqliteStore, type SqliteUnderTest } from "../../support/sqlite-store.ts";

let under: SqliteUnderTest;

beforeEach(async () => {
  under = await makeSqliteStore();
});
afterEach(() => under.dispose());

async function errorOf(action: Promise<unknown>): Promise<HarnessError> {
  const error: unknown = await action.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof HarnessError) return error;
  throw new TypeError(`expected a HarnessError, and got ${String(error)}`);
}

function pragma(path: string, name: string): unknown {
  const database = new Sqlite(path);
  try {
    return database.pragma(name, { simple: true });
  } finally {
    database.close();
  }
}

describe("the files of a store", () => {
  it("are for their owner alone, the log included", async () => {
    await under.store.createSession(newSession());
    const home = dirname(under.path);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    const files = await readdir(home);
    expect(files.sort()).toEqual(["belay.db", "belay.db-shm", "belay.db-wal"]);
    for (const file of files) expect((await stat(join(home, file))).mode & 0o777).toBe(0o600);
  });

  it("are one file when the last connection closed", async () => {
    await under.store.createSession(newSession());
    await under.store.close();
    expect(await readdir(dirname(under.path))).toEqual(["belay.db"]);
  });

  it("hold a write-ahead log locally, and a rollback journal on a network file system", async () => {
    expect(pragma(under.path, "journal_mode")).toBe("wal");
    await under.store.close();
    const remote = await openSqliteStore({ path: under.path, clock: under.clock, fileSystem: async () => "nfs" });
    await remote.createSession(newSession());
    await remote.close();
    expect(pragma(under.path, "journal_mode")).toBe("delete");
  });

  it.each([
    ["below a file", (path: string) => join(path, "belay.db")],
    ["that is a directory", (path: string) => dirname(path)],
    ["where nothing can be made", () => "/proc/self/none/belay.db"],
  ])("at a path %s are store_read_only", async (_, pathOf) => {
    const error = await errorOf(openSqliteStore({ path: pathOf(under.path), clock: under.clock }));
    expect(error.kind).toBe("store_read_only");
    expect(error.message).toContain("BELAY_HOME");
  });
});

describe("a store that was closed", () => {
  it("says so to every later call", async () => {
    await under.store.close();
    for (const call of [under.store.getSession(LOCAL_TENANT, SESSION), under.store.createSession(newSession())]) {
      expect((await errorOf(call)).kind).toBe("internal");
    }
  });
});

describe("the schema", () => {
  it("has numbered migrations without a gap, and the file says which was the last", () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, i) => i + 1));
    expect(pragma(under.path, "user_version")).toBe(SCHEMA_VERSION);
  });

  it("of a newer version is refused and left as it is", async () => {
    await under.store.close();
    pragma(under.path, `user_version = ${SCHEMA_VERSION + 1}`);
    const before = await readFile(under.path);
    const error = await errorOf(openSqliteStore({ path: under.path, clock: under.clock }));
    expect(error.kind).toBe("store_schema_newer");
    expect(error.message).toContain(String(SCHEMA_VERSION + 1));
    expect((await readFile(under.path)).equals(before)).toBe(true);
  });

  it("of an older version is brought up to today's, with all that is in it", async () => {
    await under.store.createSession(newSession());
    await (await journalOn(under.store)).append(beginning());
    await under.store.close();
    const database = new Sqlite(under.path);
    const later = ["ledger_scopes", "ledger_calls", "ledger_caps", "cells", "memories", "memory_texts", "memory_index"];
    for (const table of later) database.exec(`DROP TABLE ${table}`);
    database.pragma("user_version = 1");
    database.close();
    const store = await under.reopen();
    expect(pragma(under.path, "user_version")).toBe(SCHEMA_VERSION);
    expect((await loadSession(store, LOCAL_TENANT, SESSION)).state.seq).toBe(beginning().length);
    expect(await store.listScopes(LOCAL_TENANT, "", 9)).toEqual([]);
    expect(await store.writeCell({ tenant: LOCAL_TENANT, key: "a", expected: 0, value: "b" })).toBe(true);
  });

  it("that was made half is made whole, or not at all", async () => {
    const path = join(dirname(under.path), "half.db");
    const database = new Sqlite(path);
    database.exec("CREATE TABLE records (a)"); // as if another program had been here
    database.close();
    await errorOf(openSqliteStore({ path, clock: under.clock }));
    expect(pragma(path, "user_version")).toBe(0);
    const left = new Sqlite(path);
    expect(left.prepare("SELECT name FROM sqlite_schema").pluck().all()).toEqual(["records"]);
    left.close();
  });
});

describe("damage", () => {
  it("of a file that is no database is store_corrupt", async () => {
    const path = join(dirname(under.path), "text.db");
    await writeFile(path, "this is a text and no database, and long enough to be looked at. ".repeat(20));
    expect((await errorOf(openSqliteStore({ path, clock: under.clock }))).kind).toBe("store_corrupt");
  });

  it("of any single bit yields the same events, or a clear error: never other events", async () => {
    await under.store.createSession(newSession());
    const journal = await journalOn(under.store);
    await journal.append(beginning());
    for (let i = 0; i < 8; i++) await journal.append([said(`number ${i}`), said("x".repeat(i === 4 ? 70_000 : 400))]);
    await journal.close();
    const whole = await eventsOf(under.store);
    await under.store.close();
    const { size } = await stat(under.path);
    const directory = await mkdtemp(join(tmpdir(), "belay-bits-"));
    const seen = new Map<string, number>();
    try {
      for (let i = 0; i < 160; i++) {
        // The first page densely (header and schema), then evenly over the file, at changing bits.
        const at = i < 40 ? i * 5 : Math.floor((i / 160) * size) + (i % 13);
        const path = join(directory, `${i}.db`);
        await copyFile(under.path, path);
        await flip(path, Math.min(at, size - 1), i % 8);
        const outcome = await outcomeOf(path, whole);
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        await rm(path, { force: true });
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
    expect(
      [...seen.keys()].filter(
        (outcome) => outcome !== "same" && outcome !== "session_not_found" && !isStoreKind(outcome),
      ),
    ).toEqual([]);
    expect(seen.get("store_corrupt") ?? 0).toBeGreaterThan(40);
  });

  it("of a text that stands in a blob names the session and the event", async () => {
    await under.store.createSession(newSession());
    const journal = await journalOn(under.store);
    await journal.append([said("small")]);
    await journal.append([said("x".repeat(300_000))]);
    const [, large] = await under.store.read({ tenant: LOCAL_TENANT, session: SESSION, after_seq: 0, limit: 2 });
    if (!large?.blob) throw new TypeError("the second event stands in a blob");
    await under.damage.blob(large.blob);
    expect((await errorOf(eventsOf(under.store))).kind).toBe("store_corrupt");
  });

  it("of a snapshot costs time and nothing else", async () => {
    await under.store.createSession(newSession());
    const journal = await journalOn(under.store);
    await journal.append(beginning());
    await journal.close();
    await under.damage.snapshot(SESSION);
    expect((await loadSession(under.store, LOCAL_TENANT, SESSION)).state).toEqual(journal.state);
  });
});

describe("a full store", () => {
  it("says so, keeps everything acknowledged, writes nothing half, and goes on when there is room", async () => {
    await under.store.createSession(newSession());
    const { size } = await stat(under.path);
    await under.store.close();
    const small = await openSqliteStore({ path: under.path, clock: under.clock, max_bytes: size + 300_000 });
    const journal = await journalOn(small);
    let acknowledged = 0;
    const fill = async (): Promise<void> => {
      for (;;) acknowledged += (await journal.append([said("x".repeat(20_000)), said("y".repeat(20_000))])).length;
    };
    const error = await errorOf(fill());
    expect(error.kind).toBe("store_full");
    expect(acknowledged).toBeGreaterThan(2);
    expect(await eventsOf(small)).toHaveLength(acknowledged);
    expect((await errorOf(journal.append([said("x".repeat(20_000)), said("y".repeat(200_000))]))).kind).toBe(
      "store_full",
    );
    await small.close();
    const roomy = await under.reopen();
    expect(await eventsOf(roomy)).toHaveLength(acknowledged);
    const next = await journalOn(roomy, { token: "token-1" }).catch(async () => {
      await under.clock.advance(100_000);
      return journalOn(roomy, { token: "token-2" });
    });
    await next.append([said("goes on")]);
    expect(await eventsOf(roomy)).toHaveLength(acknowledged + 1);
  });
});

describe("waiting for another process", () => {
  it("ends with store_busy within the bound of the table, with nothing written, and succeeds when the way is free", async () => {
    const other = new Sqlite(under.path);
    try {
      other.exec("BEGIN IMMEDIATE");
      const blocked = errorOf(under.store.createSession(newSession()));
      let ended = false;
      void blocked.then(() => (ended = true));
      let waited = 0;
      while (!ended) {
        await under.clock.advance(100);
        waited += 100;
      }
      expect((await blocked).kind).toBe("store_busy");
      expect(waited).toBeLessThanOrEqual((ERROR_TABLE.store_busy.limit?.total_ms ?? 0) * 2);
      other.exec("ROLLBACK");
      expect(await under.store.getSession(LOCAL_TENANT, SESSION)).toBeNull();

      other.exec("BEGIN IMMEDIATE");
      const patient = under.store.createSession(newSession());
      while (under.clock.sleepers === 0) await new Promise(setImmediate);
      other.exec("ROLLBACK");
      await under.clock.advance(1_000);
      await patient;
      expect(await under.store.getSession(LOCAL_TENANT, SESSION)).not.toBeNull();
    } finally {
      other.close();
    }
  });

  it("does not keep readers from reading", async () => {
    await under.store.createSession(newSession());
    const other = new Sqlite(under.path);
    try {
      other.exec("BEGIN IMMEDIATE");
      expect(await under.store.getSession(LOCAL_TENANT, SESSION)).not.toBeNull();
    } finally {
      other.close();
    }
  });
});

describe("errors of SQLite", () => {
  it.each([
    ["SQLITE_FULL", "store_full"],
    ["SQLITE_IOERR_SHMSIZE", "store_full"],
    ["SQLITE_IOERR_FSYNC", "store_io"],
    ["SQLITE_IOERR_WRITE", "store_io"],
    ["SQLITE_READONLY_DIRECTORY", "store_read_only"],
    ["SQLITE_CANTOPEN", "store_read_only"],
    ["SQLITE_CORRUPT_INDEX", "store_corrupt"],
    ["SQLITE_NOTADB", "store_corrupt"],
    ["SQLITE_BUSY_SNAPSHOT", "store_busy"],
    ["SQLITE_CONSTRAINT_CHECK", "internal"],
  ])("%s is %s", (code, kind) => {
    expect(kindOf(Object.assign(new RangeError("as SQLite says it"), { code }))).toBe(kind);
  });
});

describe("a network file system", () => {
  const MOUNTS = [
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw",
    "40 22 0:50 / /mnt/my\\040server rw,nosuid shared:20 - fuse.sshfs me@host: rw,user_id=0",
    "41 22 0:51 / /mnt/local rw,nosuid shared:21 - fuse.fuse-overlayfs overlay rw",
    "42 40 254:1 / /mnt/my\\040server/disk rw shared:22 - ext4 /dev/vdb rw",
  ].join("\n");

  it.each([
    ["/mnt/my server/belay/belay.db", "fuse.sshfs"],
    ["/mnt/my server", "fuse.sshfs"],
    ["/mnt/my server/disk/belay.db", null],
    ["/mnt/my server2/belay.db", null],
    ["/mnt/local/belay.db", null],
    ["/home/u/belay.db", null],
  ])("behind FUSE is told by the mount that holds the path: %s is %s", (path, type) => {
    expect(fuseNetworkIn(MOUNTS, path)).toBe(type);
  });

  it("is looked for at the nearest directory that exists", async () => {
    const here = await networkFileSystem(tmpdir());
    expect(await networkFileSystem(join(tmpdir(), "none", "at", "all"))).toBe(here);
  });
});

async function eventsOf(store: Store): Promise<readonly string[]> {
  const hashes: string[] = [];
  for await (const event of readEvents(store, LOCAL_TENANT, SESSION))
    hashes.push(`${event.hash} ${JSON.stringify(event.data)}`);
  return hashes;
}

async function outcomeOf(path: string, whole: readonly string[]): Promise<string> {
  let store: Store | undefined;
  try {
    store = await openSqliteStore({ path, clock: manualClock() });
    const events = await eventsOf(store);
    const { state } = await loadSession(store, LOCAL_TENANT, SESSION);
    return JSON.stringify(events) === JSON.stringify(whole) && state.seq === whole.length
      ? "same"
      : `other events: ${events.length}`;
  } catch (error) {
    return error instanceof HarnessError ? error.kind : `no HarnessError: ${String(error)}`;
  } finally {
    await store?.close();
  }
}

async function flip(path: string, at: number, bit: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    byte[0] = (byte[0] ?? 0) ^ (1 << bit);
    await file.write(byte, 0, 1, at);
  } finally {
    await file.close();
  }
}

function isStoreKind(kind: string): boolean {
  return kind.startsWith("store_");
}
