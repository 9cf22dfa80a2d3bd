/** Opening the store on a server: its settings looked at, its tables made, its parts put together. */
import driver from "pg";
import type { Clock, Random } from "../../kernel/clock.ts";
import type { Store } from "../port.ts";
import type { Address } from "./address.ts";
import { createPostgresBlobs } from "./blobs.ts";
import { createPostgresCells } from "./cells.ts";
import { type Connection, createConnection } from "./connection.ts";
import { type ServerSettings, serverSettings } from "./durability.ts";
import { createPostgresLeases } from "./leases.ts";
import { createPostgresLedger } from "./ledger.ts";
import { OPEN_MS_MAX } from "./limits.ts";
import { createPostgresMemories } from "./memories.ts";
import { migrate } from "./migrate.ts";
import { createPool } from "./pool.ts";
import { createQueries } from "./queries.ts";
import { createPostgresRecords } from "./records.ts";
import { nowOf } from "./session-rows.ts";
import { createPostgresSessions } from "./sessions.ts";
import { createPostgresSnapshots } from "./snapshots.ts";

export interface ServerStoreOptions {
  readonly address: Address;
  readonly schema: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Stands in for the database's clock. */
  readonly time: (() => number) | undefined;
}

export async function openServerStore(options: ServerStoreOptions): Promise<Store> {
  const { address, schema, clock, random } = options;
  const { where } = address;
  const pool = createPool(driver, { address, schema, settings: [] });
  const first = createConnection({ pool, where, clock, random, patience_ms: OPEN_MS_MAX });
  try {
    const settings = await serverSettings(first, createQueries(undefined), where);
    await migrate({ connection: first, queries: createQueries(undefined), schema, where });
    if (!settings.lazyCommit) return storeOn(createConnection({ pool, where, clock, random }), options, settings);
    await first.close();
    const strict = createPool(driver, { address, schema, settings: ["synchronous_commit=on"] });
    return storeOn(createConnection({ pool: strict, where, clock, random }), options, settings);
  } catch (error) {
    await first.close();
    throw error;
  }
}

function storeOn(connection: Connection, { time }: ServerStoreOptions, settings: ServerSettings): Store {
  const { weakened, opening } = settings;
  const queries = createQueries(time);
  const context = { connection, queries };
  return {
    capabilities: { name: "postgres", durable: true, shared: true, weakened },
    now: async () => (time === undefined ? connection.statement((ask) => nowOf(ask, queries)) : time()),
    ...createPostgresSessions(context),
    ...createPostgresLeases(context),
    ...createPostgresRecords(context),
    ...createPostgresSnapshots(context),
    ...createPostgresBlobs(context),
    ...createPostgresLedger(context),
    ...createPostgresCells(context, opening),
    ...createPostgresMemories(context),
    close: () => connection.close(),
  };
}
