/** The driver's pool, with every limit set. */
import type pg from "pg";
import type { Pool, PoolConfig } from "pg";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { Address } from "./address.ts";
import * as limits from "./limits.ts";

/** The driver, handed in by whoever loaded it. */
type Driver = typeof pg;

const INT8_OID = 20;
/** As the server lists its clients, and in its log. */
const APPLICATION = "belay";

export interface PoolOptions {
  readonly address: Address;
  readonly schema: string;
  /** Settings of the session, as `name=value`. */
  readonly settings: readonly string[];
}

/** @throws HarnessError `config_invalid` when the address names a certificate that cannot be read */
export function createPool(driver: Driver, { address, schema, settings }: PoolOptions): Pool {
  const set = [`search_path=${schema}`, ...settings].map((setting) => `-c ${setting}`);
  const config: PoolConfig = {
    connectionString: address.url,
    options: [address.options, ...set].filter((part) => part !== "").join(" "),
    application_name: APPLICATION,
    max: limits.CONNECTIONS_MAX,
    connectionTimeoutMillis: limits.CONNECT_MS_MAX,
    idleTimeoutMillis: limits.IDLE_CONNECTION_MS,
    allowExitOnIdle: true,
    keepAlive: true,
    keepAliveInitialDelayMillis: limits.KEEP_ALIVE_MS,
    statement_timeout: limits.STATEMENT_MS_MAX,
    lock_timeout: limits.LOCK_MS_MAX,
    idle_in_transaction_session_timeout: limits.IDLE_TRANSACTION_MS_MAX,
    query_timeout: limits.ANSWER_MS_MAX,
    types: { getTypeParser: parserOf(driver) },
  };
  requireReadable(driver, config);
  const pool = new driver.Pool(config);
  // A connection that breaks says so twice: to the command that uses it, which handles it, and to whoever listens. Without a
  // listener the process would end.
  const heard = (): void => undefined;
  pool.on("error", heard);
  pool.on("connect", (client) => client.on("error", heard));
  return pool;
}

/** int8 comes as text, because it can be larger than a number; ours are positions and times. */
function parserOf(driver: Driver): Driver["types"]["getTypeParser"] {
  const parser = (oid: number, format?: "text" | "binary"): unknown =>
    oid === INT8_OID && format !== "binary" ? Number : driver.types.getTypeParser(oid, format);
  return parser as Driver["types"]["getTypeParser"]; // its overloads differ only in what the parsers are given
}

/** The driver reads the files that an address names when it makes a client. */
function requireReadable(driver: Driver, config: PoolConfig): void {
  try {
    new driver.Client(config);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = "code" in error && typeof error.code === "string" ? error.code : error.message;
    const path = "path" in error && typeof error.path === "string" ? ` ${error.path}` : "";
    throw new HarnessError(
      "config_invalid",
      `The address of the database names something that cannot be used:${path} (${code}).`,
      "Correct sslmode, sslrootcert, sslcert and sslkey in BELAY_STORE.",
      { cause: error },
    );
  }
}
