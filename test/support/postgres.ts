/** The tests' database: TEST_DATABASE_URL, or one server for the whole run, started by the first test that asks. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach } from "vitest";
import type { Store } from "../../src/store/port.ts";
import { openPostgresStore, type PostgresStoreOptions } from "../../src/store/postgres/postgres-store.ts";
import { type ManualClock, manualClock } from "../../src/testing/manual-clock.ts";
import type { StoreUnderTest } from "../../src/testing/store-contract.ts";
import { systemClock } from "../../src/host/system-clock.ts";

const START_MS_MAX = 60_000;
const PROBE_MS = 20;

/** @throws when there is none and none can be started: nothing is skipped */
export async function postgresUrl(): Promise<string> {
  const named = process.env["TEST_DATABASE_URL"];
  if (named !== undefined && named !== "") return named;
  const directory = process.env["BELAY_TEST_RUN"];
  const run = process.env["BELAY_TEST_RUN_PID"];
  if (directory === undefined || run === undefined)
    throw new Error("test/support/postgres-global.ts is no globalSetup");
  if (isFirst(directory)) {
    const log = openSync(join(directory, "server.log"), "a");
    const child = join(import.meta.dirname, "postgres-server-child.ts");
    spawn(process.execPath, [child, directory, run], { detached: true, stdio: ["ignore", log, log] }).unref();
  }
  const file = join(directory, "state.json");
  const until = performance.now() + START_MS_MAX;
  while (!existsSync(file)) {
    if (performance.now() > until)
      throw new Error(`PostgreSQL did not start: ${readFileSync(join(directory, "server.log"), "utf8")}`);
    await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
  }
  const state = JSON.parse(readFileSync(file, "utf8")) as { readonly url?: string; readonly error?: string }; // by its child
  if (state.url === undefined) throw new Error(state.error ?? "PostgreSQL did not start");
  return state.url;
}

/** To make a directory is atomic: one process is the first. */
function isFirst(directory: string): boolean {
  try {
    mkdirSync(join(directory, "starting"));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

export interface PostgresSchema {
  readonly url: string;
  readonly schema: string;
  /** Runs one statement in the schema, past the store. */
  query(
    sql: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: readonly Record<string, unknown>[]; readonly count: number }>;
  drop(): Promise<void>;
}

/** A name that nobody else uses; the store makes the schema. */
export async function freshSchema(): Promise<PostgresSchema> {
  const url = await postgresUrl();
  const schema = `t_${randomUUID().replaceAll("-", "")}`;
  const query: PostgresSchema["query"] = async (sql, values = []) => {
    const client = new pg.Client({ connectionString: url, options: `-c search_path=${schema}` });
    await client.connect();
    try {
      const { rows, rowCount } = await client.query<Record<string, unknown>>(sql, [...values]);
      return { rows, count: rowCount ?? 0 };
    } finally {
      await client.end();
    }
  };
  return {
    url,
    schema,
    query,
    drop: async () => {
      await query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    },
  };
}

export interface PostgresUnderTest extends StoreUnderTest {
  readonly place: PostgresSchema;
  readonly reopen: () => Promise<Store>;
  readonly damage: NonNullable<StoreUnderTest["damage"]>;
}

export async function makePostgresStore(clock: ManualClock = manualClock()): Promise<PostgresUnderTest> {
  const place = await freshSchema();
  const opened: Store[] = [];
  const reopen = async (): Promise<Store> => {
    const { url, schema } = place;
    const store = await openPostgresStore({ url, schema, clock: systemClock, time: () => clock.now() });
    opened.push(store);
    return store;
  };
  const changeOne = async (sql: string, ...values: readonly unknown[]): Promise<void> => {
    const { count } = await place.query(sql, values);
    if (count !== 1) throw new RangeError(`${count} rows were damaged instead of one`);
  };
  return {
    store: await reopen(),
    clock,
    place,
    reopen,
    damage: {
      blob: (hash) =>
        changeOne(
          "UPDATE blob_pieces SET bytes = set_byte(bytes, 0, 255) WHERE n = 1 AND blob = (SELECT id FROM blobs WHERE hash = $1)",
          hash,
        ),
      record: (session, seq) =>
        changeOne("UPDATE records SET body = replace(body, 'e', 'E') WHERE session = $1 AND seq = $2", session, seq),
      snapshot: (session) => changeOne("UPDATE snapshots SET state = state || ' ' WHERE session = $1", session),
    },
    dispose: async () => {
      for (const store of opened) await store.close();
      await place.drop();
    },
  };
}

/** A schema of its own for each test, and its stores, which are closed and dropped after it. To be called at the top of a file. */
export function postgresPlaces(): {
  readonly place: () => PostgresSchema;
  readonly open: (facts?: Partial<PostgresStoreOptions>) => Promise<Store>;
} {
  let place: PostgresSchema;
  const stores: Store[] = [];
  beforeEach(async () => {
    place = await freshSchema();
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await place.drop();
  });
  return {
    place: () => place,
    open: async (facts = {}) => {
      const store = await openPostgresStore({ url: place.url, schema: place.schema, clock: systemClock, ...facts });
      stores.push(store);
      return store;
    },
  };
}
