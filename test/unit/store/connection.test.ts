/** Queries are built by one library and run by another: how often is each built? */
import Database from "better-sqlite3";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Connection, createConnection } from "../../../src/store/sqlite/connection.ts";
import { type ManualClock, manualClock } from "../../../src/testing/manual-clock.ts";

describe("a statement of a connection", () => {
  let database: Database.Database;
  let connection: Connection;

  beforeEach(() => {
    database = new Database(":memory:");
    database.exec("CREATE TABLE words (name TEXT, count INTEGER) STRICT");
    connection = createConnection({ database, path: ":memory:", clock: manualClock(), random: () => 0.5 });
  });
  afterEach(() => {
    database.close();
  });

  it("is built on its first use and once, and takes other values each time", async () => {
    let built = 0;
    const sql = "INSERT INTO words (name, count) VALUES (?, ?)";
    const add = connection.statement(() => ({ compile: () => (built++, { sql, parameters: ["", 0] }) }) as never);
    expect(built).toBe(0);
    for (const [name, count] of [["one", 1] as const, ["two", 2] as const, ["three", 3] as const]) {
      expect(await connection.write(() => add(name, count))).toMatchObject({ changes: 1 });
    }
    expect(built).toBe(1);
    expect(database.prepare("SELECT name, count FROM words ORDER BY count").raw().all()).toEqual([
      ["one", 1],
      ["two", 2],
      ["three", 3],
    ]);
  });
});

describe("a write that costs no sync", () => {
  const NORMAL = 1;
  const FULL = 2;
  const EXTRA = 3;
  let directory: string;
  let database: Database.Database;
  let clock: ManualClock;

  beforeEach(() => {
    clock = manualClock();
    directory = mkdtempSync(join(tmpdir(), "belay-connection-"));
    database = new Database(join(directory, "belay.db"));
  });
  afterEach(() => {
    database.close();
    rmSync(directory, { recursive: true });
  });

  function opened(settings: readonly string[]): Connection {
    for (const setting of settings) database.pragma(setting);
    database.exec("CREATE TABLE words (name TEXT) STRICT");
    return createConnection({ database, path: directory, clock, random: () => 0.5 });
  }
  const level = (): unknown => database.pragma("synchronous", { simple: true });

  it("leaves every other one synced: also when it failed, and when another process was in the way", async () => {
    const connection = opened(["journal_mode = WAL", "synchronous = FULL", "busy_timeout = 0"]);
    expect(await connection.writeUnsynced(level)).toBe(NORMAL);
    expect(await connection.write(level)).toBe(FULL);
    const failing = connection.writeUnsynced(() => {
      database.exec("INSERT INTO words VALUES ('half-done')");
      throw new RangeError("on purpose");
    });
    await expect(failing).rejects.toThrow("on purpose");
    expect([level(), database.prepare("SELECT * FROM words").all()]).toEqual([FULL, []]);

    const other = new Database(join(directory, "belay.db"));
    other.exec("BEGIN IMMEDIATE");
    const waiting = connection.writeUnsynced(level);
    expect(level()).toBe(FULL);
    other.close();
    await clock.advance(1_000);
    expect(await waiting).toBe(NORMAL);
    expect(level()).toBe(FULL);
  });

  it("is synced as any other one where there is no write-ahead log: it could damage the file", async () => {
    const connection = opened(["journal_mode = DELETE", "synchronous = EXTRA"]);
    expect(await connection.writeUnsynced(level)).toBe(EXTRA);
    expect(await connection.write(level)).toBe(EXTRA);
  });
});
