/** The ledger: scopes, calls, caps of tenants. And cells, by which processes coordinate. */
import type { Migration } from "./migration.ts";

export const migration2: Migration = {
  version: 2,
  statements: [
    `CREATE TABLE ledger_scopes (
      tenant TEXT NOT NULL,
      scope TEXT NOT NULL,
      cost INTEGER NOT NULL,
      tokens INTEGER NOT NULL,
      unknown_cost INTEGER NOT NULL,
      unknown_tokens INTEGER NOT NULL,
      reserved_cost INTEGER NOT NULL,
      reserved_tokens INTEGER NOT NULL,
      calls INTEGER NOT NULL,
      unpriced INTEGER NOT NULL,
      PRIMARY KEY (tenant, scope)
    ) STRICT, WITHOUT ROWID`,
    // `scopes` is a JSON list, and null once the call is settled: then only its id is needed.
    `CREATE TABLE ledger_calls (
      tenant TEXT NOT NULL,
      call TEXT NOT NULL,
      scopes TEXT,
      cost INTEGER,
      tokens INTEGER NOT NULL,
      PRIMARY KEY (tenant, call)
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX ledger_calls_open ON ledger_calls (tenant) WHERE scopes IS NOT NULL`,
    `CREATE TABLE ledger_caps (
      tenant TEXT NOT NULL,
      period TEXT NOT NULL,
      cost INTEGER,
      tokens INTEGER,
      PRIMARY KEY (tenant, period)
    ) STRICT, WITHOUT ROWID`,
    // An emptied cell stays, with its version: a version is never used twice.
    `CREATE TABLE cells (
      tenant TEXT NOT NULL,
      key TEXT NOT NULL,
      version INTEGER NOT NULL,
      value TEXT,
      updated_at INTEGER NOT NULL,
      PRIMARY KEY (tenant, key)
    ) STRICT`,
  ],
};
