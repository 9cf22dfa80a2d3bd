/** The tables as today's code sees them. They are made by the migrations beside this file. */
import type { Generated, GeneratedAlways } from "kysely";
import type { TenantCap, TenantPeriod } from "../ledger.ts";
import type { CallRow, ScopeRow } from "../ledger-rule.ts";
import type { MemoryColumns } from "../memory-row.ts";
import type { SessionColumns } from "../session-row.ts";

export interface Schema {
  readonly sessions: SessionsTable;
  readonly records: RecordsTable;
  readonly snapshots: SnapshotsTable;
  readonly blobs: BlobsTable;
  readonly blob_pieces: BlobPiecesTable;
  readonly blob_refs: BlobRefsTable;
  readonly ledger_scopes: LedgerScopesTable;
  readonly ledger_calls: LedgerCallsTable;
  readonly tenant_caps: TenantCapsTable;
  readonly cells: CellsTable;
  readonly memories: MemoriesTable;
}

export interface SessionsTable extends SessionColumns {
  readonly id: GeneratedAlways<number>;
  readonly cancel_requested: boolean;
  readonly owner_token: string | null;
}

export interface RecordsTable {
  readonly tenant: string;
  readonly principal: string;
  readonly session: string;
  readonly seq: number;
  readonly kind: string;
  readonly hash: string;
  readonly body: string;
  readonly blob: string | null;
}

export interface SnapshotsTable {
  readonly tenant: string;
  readonly principal: string;
  readonly session: string;
  readonly seq: number;
  readonly fold: number;
  /** SHA-256 of `state`: a damaged snapshot is as good as none. */
  readonly hash: string;
  readonly state: string;
}

export interface BlobsTable {
  readonly id: Generated<number>;
  readonly tenant: string;
  /** Null while its pieces arrive. */
  readonly hash: string | null;
  readonly size: number;
  /** When it was last put. */
  readonly put_at: number;
}

export interface BlobPiecesTable {
  readonly blob: number;
  readonly n: number;
  readonly bytes: Uint8Array;
}

export interface BlobRefsTable {
  readonly tenant: string;
  readonly principal: string;
  readonly session: string;
  readonly hash: string;
}

export interface LedgerScopesTable extends ScopeRow {
  readonly tenant: string;
}

export interface LedgerCallsTable extends CallRow {
  readonly tenant: string;
}

export interface TenantCapsTable extends TenantCap {
  readonly tenant: string;
  readonly period: TenantPeriod;
}

export interface CellsTable {
  readonly tenant: string;
  readonly key: string;
  readonly version: number;
  /** Null when it was emptied. */
  readonly value: string | null;
  readonly updated_at: number;
  /** Of its last writes, newest first: looked at by the server only. */
  readonly marks: unknown;
}

export interface MemoriesTable extends MemoryColumns {
  readonly row: GeneratedAlways<number>;
  /** JSON of the rest. */
  readonly body: string;
  /** The words of the texts, as a tsvector: looked at by the server only. */
  readonly words: unknown;
}
