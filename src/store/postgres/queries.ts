/** Where queries are built: typed by the schema, compiled for PostgreSQL, run by the connection and never by kysely. */
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  sql,
} from "kysely";
import type { Schema } from "./schema.ts";

export interface Queries {
  /** Builds queries on the tables of the store's schema. */
  readonly build: Kysely<Schema>;
  /** The store's time in a query, in milliseconds since the epoch. */
  now(): RawBuilder<number>;
}

/** @param time stands in for the database's clock */
export function createQueries(time: (() => number) | undefined): Queries {
  return {
    build: new Kysely<Schema>({
      dialect: {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (db) => new PostgresIntrospector(db),
        createQueryCompiler: () => new PostgresQueryCompiler(),
      },
    }),
    // Not now(): that stands still within a transaction, also while it waits for a lock.
    now: () =>
      time === undefined
        ? sql<number>`floor(extract(epoch from clock_timestamp()) * 1000)::bigint`
        : sql<number>`${Math.floor(time())}::bigint`,
  };
}
