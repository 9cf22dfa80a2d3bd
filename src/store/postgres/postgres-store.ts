/**
 * The store in a PostgreSQL database: for one machine or many, shared safely by their processes.
 *
 * Durability is the server's: a commit is acknowledged when it is in the server's log on disk (`synchronous_commit` is
 * switched on for every connection of ours; `fsync=off` is said, because only the server's owner can change it). S5 is the
 * server's as well: after a failed sync it stops and recovers from its log, and ours is a lost connection.
 * Time is the database's, so that leases agree between machines.
 */
import type { Clock, Random } from "../../kernel/clock.ts";
import type { Store } from "../port.ts";
import { addressOf, requireSchemaName } from "./address.ts";

export interface PostgresStoreOptions {
  /** `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with `sslmode` and what else the driver knows. */
  readonly url: string;
  /** Waits and limits are measured with it. The store's time is the database's. */
  readonly clock: Clock;
  /** Spreads the waits. Without it they are of half length. */
  readonly random?: Random;
  /** Where the tables are: made when missing. Default `belay`. */
  readonly schema?: string;
  /** Stands in for the database's clock, in milliseconds since the epoch: for tests. All who share a schema must agree. */
  readonly time?: () => number;
}

const SCHEMA_DEFAULT = "belay";

/**
 * The driver and all that speaks to it is loaded here and not at the top: who uses another back-end never loads it.
 * @throws HarnessError `config_invalid` (address, user, password, database), `store_io` (no answer), `store_read_only`,
 * `store_schema_newer`, `store_busy`
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, clock, time, schema = SCHEMA_DEFAULT, random = () => 0.5 } = options;
  const address = addressOf(url);
  requireSchemaName(schema);
  const { openServerStore } = await import("./server-store.ts");
  return openServerStore({ address, schema, clock, random, time });
}
