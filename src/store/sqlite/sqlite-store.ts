/**
 * The store in one SQLite file: for one machine, shared safely by its processes.
 *
 * Durability: write-ahead log with `synchronous=FULL`, so a commit is synced before it is acknowledged. On a network file
 * system the log's shared memory does not work between machines; there the rollback journal is used with
 * `synchronous=EXTRA`, slower and only as good as that file system's locks: `capabilities.weakened` says so.
 */
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Database } from "better-sqlite3";
import type { Clock, Random } from "../../kernel/clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { ignoreErrno, rethrowAsStoreError } from "../file-error.ts";
import type { Store } from "../port.ts";
import { makePrivateDirectory, syncDirectory } from "../private-directory.ts";
import { createSqliteBlobs } from "./blobs.ts";
import { BUSY_BLOCK_MS, type ConnectionOptions, createConnection, whileBusy } from "./connection.ts";
import { MIGRATIONS, SCHEMA_VERSION } from "./migrations/index.ts";
import { networkFileSystem } from "./network-file-system.ts";
import type { Queries } from "./queries.ts";
import { createSqliteCells } from "./cells.ts";
import { createSqliteLeases } from "./leases.ts";
import { createSqliteLedger } from "./ledger.ts";
import { createSqliteMemories } from "./memories.ts";
import { createSqliteRecords } from "./records.ts";
import { createSqliteSessions } from "./sessions.ts";
import { translated } from "./sqlite-error.ts";

export interface SqliteStoreOptions {
  /** The database file. It and its directory are made when missing, for their owner alone. */
  readonly path: string;
  readonly clock: Clock;
  /** Spreads the waits for other processes. Without it they are of half length. */
  readonly random?: Random;
  /** The file grows to this and no further (`store_full`). Bytes; unlimited without it. */
  readonly max_bytes?: number;
  /** Says which network file system the path is on. The system is asked without it. */
  readonly fileSystem?: (path: string) => Promise<string | null>;
}

/** What the log may keep on disk after a checkpoint. Bytes. */
const LOG_BYTES_MAX = 16 * 1024 * 1024;

/** What a store is made of, loaded here and not at the top: commands that need no store must not pay for it. */
export async function loadSqlite(): Promise<{
  readonly Sqlite: new (path: string, options: { readonly timeout: number }) => Database;
  readonly createQueries: () => Queries;
}> {
  const [{ default: Sqlite }, { createQueries }] = await Promise.all([
    import("better-sqlite3"),
    import("./queries.ts"),
  ]);
  return { Sqlite, createQueries };
}

/** @throws HarnessError `store_read_only`, `store_full`, `store_io`, `store_corrupt`, `store_schema_newer`, `store_busy` */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, clock } = options;
  await makeFile(path);
  const network = await (options.fileSystem ?? networkFileSystem)(path);
  const { Sqlite, createQueries } = await loadSqlite();
  const random = options.random ?? (() => 0.5);
  const opened = {
    path,
    clock,
    random,
    database: await connect(path, () => new Sqlite(path, { timeout: BUSY_BLOCK_MS })),
  };
  try {
    await whileBusy(opened, () => configure(opened.database, { network: network !== null, ...options }));
    await whileBusy(opened, () => migrate(opened.database, path));
  } catch (error) {
    opened.database.close();
    throw translated(error, path);
  }
  return storeOn(opened, createQueries(), network);
}

function storeOn(options: ConnectionOptions, queries: Queries, network: string | null): Store {
  const { clock, path } = options;
  const connection = createConnection(options);
  const context = { connection, queries, clock };
  return {
    capabilities: {
      name: "sqlite",
      durable: true,
      shared: true,
      weakened: network === null ? [] : [onNetwork(path, network)],
    },
    now: async () => clock.now(),
    ...createSqliteSessions(context),
    ...createSqliteLeases(context),
    ...createSqliteRecords(context),
    ...createSqliteBlobs(context),
    ...createSqliteLedger(context),
    ...createSqliteCells(context),
    ...createSqliteMemories(context),
    close: async () => {
      connection.close();
    },
  };
}

function onNetwork(path: string, system: string): string {
  return `${path} is on a network file system (${system}): its locks and syncs are not to be trusted. Set BELAY_HOME to a local disk.`;
}

/** SQLite gives its log the rights of the file: so the file is made first, with ours. */
async function makeFile(path: string): Promise<void> {
  try {
    await makePrivateDirectory(dirname(path));
    const file = await open(path, "a", 0o600);
    // Of another user's file its owner decides.
    await file
      .chmod(0o600)
      .catch(ignoreErrno)
      .finally(() => file.close());
    await syncDirectory(dirname(path));
  } catch (error) {
    rethrowAsStoreError(path, error);
  }
}

async function connect(path: string, make: () => Database): Promise<Database> {
  try {
    return make();
  } catch (error) {
    throw translated(error, path);
  }
}

function configure(
  database: Database,
  options: { readonly network: boolean; readonly max_bytes?: number; readonly path: string },
): void {
  // Before anything is changed: a newer version may need settings that this one would undo.
  refuseNewer(versionOf(database), options.path);
  const mode = database.pragma(options.network ? "journal_mode = DELETE" : "journal_mode = WAL", { simple: true });
  // Without the log a commit ends with the removal of a file: EXTRA syncs that too.
  database.pragma(mode === "wal" ? "synchronous = FULL" : "synchronous = EXTRA");
  database.pragma("foreign_keys = ON");
  database.pragma("trusted_schema = OFF");
  database.pragma("cell_size_check = ON");
  // What is sorted or set aside is not written to files of the system's temporary directory.
  database.pragma("temp_store = MEMORY");
  database.pragma(`journal_size_limit = ${LOG_BYTES_MAX}`);
  if (options.max_bytes !== undefined) {
    const page = Number(database.pragma("page_size", { simple: true }));
    database.pragma(`max_page_count = ${Math.max(1, Math.floor(options.max_bytes / page))}`);
  }
}

function migrate(database: Database, path: string): void {
  if (versionOf(database) === SCHEMA_VERSION) return;
  // Looked at again under the write lock: two processes may open a new store at the same moment.
  database.exec("BEGIN IMMEDIATE");
  try {
    const version = versionOf(database);
    refuseNewer(version, path);
    for (const migration of MIGRATIONS.slice(version)) {
      for (const statement of migration.statements) database.exec(statement);
      database.pragma(`user_version = ${migration.version}`);
    }
    database.exec("COMMIT");
  } catch (error) {
    if (database.inTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function versionOf(database: Database): number {
  return Number(database.pragma("user_version", { simple: true }));
}

function refuseNewer(version: number, path: string): void {
  if (version <= SCHEMA_VERSION) return;
  throw new HarnessError(
    "store_schema_newer",
    `The store ${path} has schema ${version}, and this belay knows ${SCHEMA_VERSION}.`,
    "Use the version that wrote it or a newer one.",
  );
}
