/** The tables as today's code sees them. They are made by the migrations beside this file. */
import type { ColumnType, Generated, GeneratedAlways } from "kysely";
import type { NanoDollars } from "../../kernel/money.ts";
import type { ScopeRow } from "../ledger-rule.ts";
import type { TenantPeriod } from "../ledger.ts";
import type { MemoryColumns } from "../memory-row.ts";

export interface Schema {
  readonly sessions: SessionsTable;
  readonly records: RecordsTable;
  readonly snapshots: SnapshotsTable;
  readonly blobs: BlobsTable;
  readonly blob_pieces: BlobPiecesTable;
  readonly blob_refs: BlobRefsTable;
  readonly ledger_scopes: LedgerScopesTable;
  readonly ledger_calls: LedgerCallsTable;
  readonly ledger_caps: LedgerCapsTable;
  readonly cells: CellsTable;
  readonly memories: MemoriesTable;
  readonly memory_texts: MemoryTextsTable;
  /** There while the texts are written anew: in the process's memory, not in a file. */
  readonly memory_spare: MemoryTextsTable;
  readonly memory_index: MemoryIndexTable;
}

export interface SessionsTable {
  readonly id: GeneratedAlways<number>;
  readonly tenant: string;
  readonly session: string;
  readonly principal: string;
  readonly root: string;
  readonly trace: string;
  readonly cwd: string;
  readonly source: string;
  readonly directory: string;
  readonly priority: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly epoch: number;
  readonly owner_token: string | null;
  /** JSON of the owner; null together with `owner_token`. */
  readonly owner: string | null;
  readonly lease_until: number;
  readonly last_seq: number;
  readonly run_at: number | null;
  readonly cancel_requested: number;
  /** JSON of the summary. */
  readonly summary: string;
}

export interface RecordsTable {
  readonly tenant: string;
  readonly session: string;
  readonly seq: number;
  readonly kind: string;
  readonly hash: string;
  readonly body: string;
  readonly blob: string | null;
}

export interface SnapshotsTable {
  readonly tenant: string;
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
  readonly session: string;
  readonly hash: string;
}

export interface LedgerScopesTable extends ScopeRow {
  readonly tenant: string;
}

export interface LedgerCallsTable {
  readonly tenant: string;
  readonly call: string;
  /** JSON of the names; null when it is settled. */
  readonly scopes: string | null;
  readonly cost: NanoDollars | null;
  readonly tokens: number;
}

export interface LedgerCapsTable {
  readonly tenant: string;
  readonly period: TenantPeriod;
  readonly cost: NanoDollars | null;
  readonly tokens: number | null;
}

export interface CellsTable {
  readonly tenant: string;
  readonly key: string;
  readonly version: number;
  /** Null when it was emptied. */
  readonly value: string | null;
  readonly updated_at: number;
}

export interface MemoriesTable extends MemoryColumns {
  readonly row: number;
}

/** Whatever of a memory holds its text, so that what counts uses never moves one. */
export interface MemoryTextsTable {
  readonly row: number;
  /** JSON of the rest. */
  readonly body: string;
  /** What the index holds: the words of the texts, with spaces between. */
  readonly words: string;
}

export interface MemoryIndexTable {
  readonly rowid: Generated<number>;
  readonly words: Generated<string>;
  /** The table itself, in a match; a command to it, in an insert. */
  readonly memory_index: Generated<string>;
  /** bm25, below 0; smaller is better. In an answer only. */
  readonly rank: ColumnType<number, never, never>;
}
