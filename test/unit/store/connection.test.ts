/** Queries are built by one library and run by another: how often is each built? */
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Connection, createConnection } from "../../../src/store/sqlite/connection.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";

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
