/** Sessions, records, snapshots and blobs. */
import type { Migration } from "./migration.ts";

export const migration1: Migration = {
  version: 1,
  statements: [
    `CREATE TABLE sessions (
      id INTEGER PRIMARY KEY,
      tenant TEXT NOT NULL,
      session TEXT NOT NULL,
      principal TEXT NOT NULL,
      root TEXT NOT NULL,
      trace TEXT NOT NULL,
      cwd TEXT NOT NULL,
      source TEXT NOT NULL,
      directory TEXT NOT NULL,
      priority INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      owner_token TEXT,
      owner TEXT,
      lease_until INTEGER NOT NULL,
      last_seq INTEGER NOT NULL,
      run_at INTEGER,
      cancel_requested INTEGER NOT NULL,
      summary TEXT NOT NULL,
      UNIQUE (tenant, session),
      CHECK ((owner IS NULL) = (owner_token IS NULL))
    ) STRICT`,
    `CREATE INDEX sessions_by_age ON sessions (tenant, created_at, id)`,
    `CREATE TABLE records (
      tenant TEXT NOT NULL,
      session TEXT NOT NULL,
      seq INTEGER NOT NULL,
      kind TEXT NOT NULL,
      hash TEXT NOT NULL,
      body TEXT NOT NULL,
      blob TEXT,
      PRIMARY KEY (tenant, session, seq),
      FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, session) ON DELETE CASCADE
    ) STRICT`,
    `CREATE TABLE snapshots (
      tenant TEXT NOT NULL,
      session TEXT NOT NULL,
      seq INTEGER NOT NULL,
      fold INTEGER NOT NULL,
      hash TEXT NOT NULL,
      state TEXT NOT NULL,
      PRIMARY KEY (tenant, session),
      FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, session) ON DELETE CASCADE
    ) STRICT`,
    `CREATE TABLE blobs (
      id INTEGER PRIMARY KEY,
      tenant TEXT NOT NULL,
      hash TEXT,
      size INTEGER NOT NULL,
      put_at INTEGER NOT NULL,
      UNIQUE (tenant, hash)
    ) STRICT`,
    `CREATE TABLE blob_pieces (
      blob INTEGER NOT NULL REFERENCES blobs (id) ON DELETE CASCADE,
      n INTEGER NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (blob, n)
    ) STRICT`,
    `CREATE TABLE blob_refs (
      tenant TEXT NOT NULL,
      session TEXT NOT NULL,
      hash TEXT NOT NULL,
      PRIMARY KEY (tenant, session, hash),
      FOREIGN KEY (tenant, session) REFERENCES sessions (tenant, session) ON DELETE CASCADE,
      FOREIGN KEY (tenant, hash) REFERENCES blobs (tenant, hash)
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX blob_refs_by_blob ON blob_refs (tenant, hash)`,
  ],
};
