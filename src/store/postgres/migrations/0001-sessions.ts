/**
 * Sessions, records, snapshots and blobs. Whatever belongs to a session carries its tenant and its principal, so that a rule
 * about rows can be written without a join. Keys compare by their bytes. Bodies are text in UTF-8: jsonb would reorder them.
 */
import type { Migration } from "./migration.ts";

const OF_SESSION = `FOREIGN KEY (tenant, principal, session)
        REFERENCES sessions (tenant, principal, session) ON DELETE CASCADE`;

export const migration1: Migration = {
  version: 1,
  statements: [
    `CREATE TABLE sessions (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      tenant text COLLATE "C" NOT NULL,
      session text COLLATE "C" NOT NULL,
      principal text COLLATE "C" NOT NULL,
      root text COLLATE "C" NOT NULL,
      trace text COLLATE "C" NOT NULL,
      cwd text COLLATE "C" NOT NULL,
      source text COLLATE "C" NOT NULL,
      directory text COLLATE "C" NOT NULL,
      priority integer NOT NULL,
      created_at bigint NOT NULL,
      updated_at bigint NOT NULL,
      epoch bigint NOT NULL,
      owner_token text COLLATE "C",
      owner text,
      lease_until bigint NOT NULL,
      last_seq bigint NOT NULL,
      run_at bigint,
      cancel_requested boolean NOT NULL,
      summary text NOT NULL,
      UNIQUE (tenant, session),
      UNIQUE (tenant, principal, session),
      CHECK ((owner IS NULL) = (owner_token IS NULL))
    ) WITH (fillfactor = 70)`,
    `CREATE INDEX sessions_by_age ON sessions (tenant, created_at, id)`,
    `CREATE TABLE records (
      tenant text COLLATE "C" NOT NULL,
      principal text COLLATE "C" NOT NULL,
      session text COLLATE "C" NOT NULL,
      seq bigint NOT NULL,
      kind text COLLATE "C" NOT NULL,
      hash text COLLATE "C" NOT NULL,
      body text COLLATE "C" NOT NULL,
      blob text COLLATE "C",
      PRIMARY KEY (tenant, principal, session, seq),
      ${OF_SESSION}
    )`,
    `CREATE TABLE snapshots (
      tenant text COLLATE "C" NOT NULL,
      principal text COLLATE "C" NOT NULL,
      session text COLLATE "C" NOT NULL,
      seq bigint NOT NULL,
      fold integer NOT NULL,
      hash text COLLATE "C" NOT NULL,
      state text COLLATE "C" NOT NULL,
      PRIMARY KEY (tenant, principal, session),
      ${OF_SESSION}
    )`,
    `CREATE TABLE blobs (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      tenant text COLLATE "C" NOT NULL,
      hash text COLLATE "C",
      size bigint NOT NULL,
      put_at bigint NOT NULL,
      UNIQUE (tenant, hash)
    )`,
    `CREATE TABLE blob_pieces (
      blob bigint NOT NULL REFERENCES blobs (id) ON DELETE CASCADE,
      n integer NOT NULL,
      bytes bytea NOT NULL,
      PRIMARY KEY (blob, n)
    )`,
    `CREATE TABLE blob_refs (
      tenant text COLLATE "C" NOT NULL,
      principal text COLLATE "C" NOT NULL,
      session text COLLATE "C" NOT NULL,
      hash text COLLATE "C" NOT NULL,
      PRIMARY KEY (tenant, principal, session, hash),
      ${OF_SESSION},
      CONSTRAINT blob_refs_blob FOREIGN KEY (tenant, hash) REFERENCES blobs (tenant, hash)
    )`,
    `CREATE INDEX blob_refs_by_blob ON blob_refs (tenant, hash)`,
  ],
};
