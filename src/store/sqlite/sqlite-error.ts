/** Errors of SQLite, as the store's own kinds. SQLite's result codes are known here and nowhere else. */
import type { ErrorKind } from "../../kernel/error-kind.ts";
import { HarnessError } from "../../kernel/harness-error.ts";

/** As better-sqlite3 throws it. */
export interface SqliteError extends Error {
  readonly code: string;
}

type StoreKind = Extract<ErrorKind, `store_${string}`> | "internal";

/** By the beginning of the code, longest first: extended codes (`SQLITE_IOERR_FSYNC`) start with their primary one. */
const KINDS: readonly (readonly [code: string, kind: StoreKind])[] = [
  // A full disk shows as this when the shared index of the write-ahead log cannot grow.
  ["SQLITE_IOERR_SHMSIZE", "store_full"],
  ["SQLITE_IOERR", "store_io"],
  ["SQLITE_FULL", "store_full"],
  ["SQLITE_BUSY", "store_busy"],
  ["SQLITE_LOCKED", "store_busy"],
  // Two processes opening or recovering the log at the same moment.
  ["SQLITE_PROTOCOL", "store_busy"],
  ["SQLITE_READONLY", "store_read_only"],
  ["SQLITE_CANTOPEN", "store_read_only"],
  ["SQLITE_PERM", "store_read_only"],
  ["SQLITE_AUTH", "store_read_only"],
  ["SQLITE_CORRUPT", "store_corrupt"],
  ["SQLITE_NOTADB", "store_corrupt"],
  ["SQLITE_FORMAT", "store_corrupt"],
  // Our statements fit our tables; when one does not compile, the tables are not what they were.
  ["SQLITE_ERROR", "store_corrupt"],
  ["SQLITE_SCHEMA", "store_corrupt"],
];

export function isSqliteError(error: unknown): error is SqliteError {
  return (
    error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("SQLITE_")
  );
}

export function kindOf(error: SqliteError): StoreKind {
  return KINDS.find(([code]) => error.code.startsWith(code))?.[1] ?? "internal";
}

/** @returns the error as a HarnessError when it is SQLite's; otherwise the same error. */
export function translated(error: unknown, path: string): unknown {
  if (!isSqliteError(error)) return error;
  const kind = kindOf(error);
  return new HarnessError(kind, `${HAPPENED[kind]} (${path}: ${error.code}).`, TODO[kind], { cause: error });
}

const HAPPENED: { readonly [Kind in StoreKind]: string } = {
  store_busy: "Another process held the database for too long",
  store_full: "The disk is full, or the database reached its size limit",
  store_read_only: "The store cannot be written",
  store_io: "The store failed to read or to sync, and takes no further writes",
  store_corrupt: "The database is damaged",
  store_schema_newer: "The store was written by a newer belay",
  store_network_fs: "The store is on a network file system",
  internal: "The store refused a statement",
};
const TODO: { readonly [Kind in StoreKind]: string } = {
  store_busy: "Nothing was written; try again.",
  store_full: "Free space, then resume: everything acknowledged is kept.",
  store_read_only: "Make belay's home writable or set BELAY_HOME, then resume.",
  store_io: "Check the disk, then resume.",
  store_corrupt: "Restore the store from a backup; events before the damage can be exported.",
  store_schema_newer: "Use that version or a newer one.",
  store_network_fs: "Set BELAY_HOME to a local disk.",
  internal: "Report this as a defect of belay.",
};
