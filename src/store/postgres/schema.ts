/** The tables as today's code sees them. They are made by the migrations beside this file. */
import type { Generated, GeneratedAlways } from "kysely";
import type { SessionColumns } from "../session-row.ts";

export interface Schema {
  readonly sessions: SessionsTable;
  readonly records: RecordsTable;
  readonly snapshots: SnapshotsTable;
  readonly blobs: BlobsTable;
  readonly blob_pieces: BlobPiecesTable;
  readonly blob_refs: BlobRefsTable;
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
