/**
 * One connection to a database, and the only place that speaks to SQLite.
 *
 * C1: a command is one IMMEDIATE transaction: it takes the write lock before it looks, so what it saw still holds when it
 *     writes, and it is stored whole or not at all.
 * C2: after an I/O error nothing is written any more (S5): whether a failed sync reached the disk is not known.
 *
 * SQLite's calls are synchronous: queries are built and compiled by kysely and run here, since an asynchronous dialect
 * would let other commands of this process into an open transaction. Waiting for another process is split: SQLite waits
 * shortly by itself (blocking), longer waits give the event loop back.
 */
import type { Database, Statement } from "better-sqlite3";
import type { Compilable } from "kysely";
import type { Clock, Random } from "../../kernel/clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { busyWaits } from "../busy-waits.ts";
import { storeClosed } from "../refusal.ts";
import { isSqliteError, kindOf, translated } from "./sqlite-error.ts";

/** How long SQLite itself waits for a lock. Milliseconds; the event loop stands still meanwhile. */
export const BUSY_BLOCK_MS = 50;

/** Statements that are kept prepared. The texts are few and fixed; this only bounds a mistake. */
const STATEMENTS_MAX = 200;

export interface Connection {
  /**
   * A statement whose text is built once, on its first use: building takes longer than running. Its values are given each time,
   * in the order in which the statement names them.
   */
  statement(build: () => Compilable<unknown>): (...values: readonly unknown[]) => { readonly changes: number };
  /** The same for a query that returns rows. */
  lookup<Row>(build: () => Compilable<Row>): (...values: readonly unknown[]) => Row[];
  /** Runs a query that returns rows. Inside `read` or `write` only. */
  all<Row>(query: Compilable<Row>): Row[];
  /** The first row. */
  first<Row>(query: Compilable<Row>): Row | undefined;
  /** Runs a statement. */
  run(query: Compilable<unknown>): { readonly changes: number; readonly id: number };
  /** Looks, in one read transaction. */
  read<T>(work: () => T): Promise<T>;
  /** Looks and writes, in one transaction. What `work` throws undoes it. */
  write<T>(work: () => T): Promise<T>;
  /**
   * As `write`, for what is kept like a cache: a crash of the process loses none of it, a power failure may lose the newest.
   * It costs no sync where the write-ahead log is used. What others write meanwhile is as durable as ever: their commit syncs
   * the whole log, with what stands in it before.
   */
  writeUnsynced<T>(work: () => T): Promise<T>;
  /**
   * As `write`, for tables whose removed rows must not be found in the file: what is removed, and every page that becomes free, is
   * overwritten with zeros. The log still holds what was: see `emptyLog`. A page that was split may keep copies of rows that live
   * on elsewhere: who removes such a row for good writes its table anew.
   */
  writeErasing<T>(work: () => T): Promise<T>;
  /**
   * Brings what stands in the log into the file, and makes the log empty.
   * @returns false when a reader of another connection needed it until the bound of `store_busy` was over
   */
  emptyLog(): Promise<boolean>;
  close(): void;
}

export interface ConnectionOptions {
  readonly database: Database;
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
}

export function createConnection(options: ConnectionOptions): Connection {
  const { database, path } = options;
  const statements = new Map<string, Statement>();
  let failed: HarnessError | null = null;

  const prepared = (sql: string): Statement => {
    const known = statements.get(sql);
    if (known) return known;
    if (statements.size >= STATEMENTS_MAX) statements.clear();
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };

  const attempt = async <T>(run: () => T): Promise<T> => {
    if (!database.open) throw storeClosed();
    try {
      return await whileBusy(options, run);
    } catch (error) {
      const known = translated(error, path);
      if (known instanceof HarnessError && known.kind === "store_io") failed ??= known;
      throw known;
    }
  };

  const refuseAfterFailure = (): void => {
    if (failed) throw new HarnessError("store_io", failed.happened, failed.todo, { cause: failed });
  };

  return {
    // A query's rows are what kysely's types say: the tables are STRICT.
    all: <Row>(query: Compilable<Row>): Row[] => {
      const { sql, parameters } = query.compile();
      return prepared(sql).all(...parameters) as Row[];
    },
    first: <Row>(query: Compilable<Row>): Row | undefined => {
      const { sql, parameters } = query.compile();
      return prepared(sql).get(...parameters) as Row | undefined;
    },
    statement: (build) => {
      let made: Statement | null = null;
      return (...values) => {
        made ??= prepared(build().compile().sql);
        return made.run(...values);
      };
    },
    lookup: <Row>(build: () => Compilable<Row>) => {
      let made: Statement | null = null;
      return (...values: readonly unknown[]) => {
        made ??= prepared(build().compile().sql);
        return made.all(...values) as Row[];
      };
    },
    run: (query) => {
      const { sql, parameters } = query.compile();
      const { changes, lastInsertRowid } = prepared(sql).run(...parameters);
      return { changes, id: Number(lastInsertRowid) };
    },
    read: (work) => attempt(() => transaction(database, "BEGIN", work)),
    async write(work) {
      refuseAfterFailure();
      return attempt(() => transaction(database, "BEGIN IMMEDIATE", work));
    },
    async writeUnsynced(work) {
      refuseAfterFailure();
      return attempt(() => unsynced(database, work));
    },
    async writeErasing(work) {
      refuseAfterFailure();
      return attempt(() => erasing(database, work));
    },
    async emptyLog() {
      refuseAfterFailure();
      return logEmptied(options, () => attempt(() => isLogEmptied(database)));
    },
    close: () => {
      try {
        database.close();
      } catch (error) {
        throw translated(error, path);
      }
    },
  };
}

function transaction<T>(database: Database, begin: "BEGIN" | "BEGIN IMMEDIATE", work: () => T): T {
  database.exec(begin);
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // SQLite has already rolled back after some errors.
    if (database.inTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** The level cannot be changed within a transaction and is the connection's: so it is put back before anybody else runs. */
function unsynced<T>(database: Database, work: () => T): T {
  // Without the log a commit that is not synced could damage the file.
  if (database.pragma("journal_mode", { simple: true }) !== "wal") {
    return transaction(database, "BEGIN IMMEDIATE", work);
  }
  database.exec("PRAGMA synchronous = NORMAL");
  try {
    return transaction(database, "BEGIN IMMEDIATE", work);
  } finally {
    database.exec("PRAGMA synchronous = FULL");
  }
}

/** The setting is the connection's, and everybody else's removals need not pay for it. */
function erasing<T>(database: Database, work: () => T): T {
  database.exec("PRAGMA secure_delete = ON");
  try {
    return transaction(database, "BEGIN IMMEDIATE", work);
  } finally {
    database.exec("PRAGMA secure_delete = OFF");
  }
}

/** Where there is no log there is nothing to do. */
function isLogEmptied(database: Database): boolean {
  const busy: unknown = database.pragma("wal_checkpoint(TRUNCATE)", { simple: true }); // of its row the first column
  return busy === 0;
}

async function logEmptied(options: ConnectionOptions, tried: () => Promise<boolean>): Promise<boolean> {
  const waits = busyWaits(options);
  while (!(await tried())) if (!(await waits.another())) return false;
  return true;
}

/** Tries again while another process is in the way, within the bound of `store_busy`. Nothing was written when it throws. */
export async function whileBusy<T>(of: { readonly clock: Clock; readonly random: Random }, work: () => T): Promise<T> {
  const waits = busyWaits(of);
  for (;;) {
    try {
      return work();
    } catch (error) {
      const busy = isSqliteError(error) && kindOf(error) === "store_busy";
      if (!busy || !(await waits.another())) throw error;
    }
  }
}
