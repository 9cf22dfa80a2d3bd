/**
 * The store port: atomic commands, no transactions handed out. Every back-end passes the contract suite in
 * `testing/store-contract.ts`.
 *
 * S1: an append that resolved is durable (on the back-end's own terms) and is never lost, reordered or half-written.
 * S2: `seq` of a session has no gaps; an append with the wrong `after_seq`, owner or epoch writes nothing.
 * S3: a session has one writer: whoever holds its lease. A later claim has a higher epoch and fences the earlier one.
 * S4: values handed out are the caller's own: changing them changes nothing in the store.
 * S5: after a failed sync nothing is acknowledged that may rest on it. A back-end that syncs by itself refuses further writes
 *     (`store_io`) until it is opened anew; one whose server recovers by itself throws `store_io` for the write whose outcome
 *     it could not find out, and judges later ones by S2, so that what was stored after all is never written twice.
 * S6: the ledger moves in the same step as the records of the append that says so. In every scope, at every instant, what is
 *     settled, unknown and reserved together is not more than the cap that the reservation named (`store/ledger.ts`).
 *
 * Every method may throw HarnessError of the kinds store_busy, store_full, store_read_only, store_io, store_corrupt.
 */
import type { Cells } from "./cells.ts";
import type { Ledger, LedgerMoves } from "./ledger.ts";
import type { Memories } from "./memories.ts";
import type { BlobHash, PrincipalId, SessionId, TenantId, TraceId } from "../kernel/ids.ts";

export interface Store extends Ledger, Cells, Memories {
  readonly capabilities: StoreCapabilities;

  /** The store's time, in milliseconds since the epoch. Leases and events are stamped with it. */
  now(): Promise<number>;

  /**
   * Creates the row of a session; epoch 0, no owner. With `journal` it has these records at once: both are there, or neither.
   * @throws `session_exists`
   */
  createSession(session: NewSession, journal?: FirstRecords): Promise<void>;

  /** The row, or null when there is none. */
  getSession(tenant: TenantId, session: SessionId): Promise<SessionRow | null>;

  /** Newest first. */
  listSessions(filter: SessionFilter): Promise<readonly SessionRow[]>;

  /**
   * Makes `owner` the one writer and raises the epoch by one. Succeeds when there is no owner, when the lease ran out, or
   * when the present owner's token is `supersede` (the caller has proven that process dead).
   * @throws `lease_held` (the message names the owner), `session_not_found`
   */
  claim(command: ClaimCommand): Promise<Lease>;

  /** Extends the lease to now + ttl. @throws `fenced` when the lease is no longer the holder's. */
  renew(lease: Lease, ttl_ms: number): Promise<Lease>;

  /** Gives the lease up. Does nothing when it is no longer the holder's. */
  release(lease: Lease): Promise<void>;

  /**
   * Appends records in order, all or none, and updates the row's summary with them. Durable when it resolves.
   * @throws `fenced` when owner or epoch are not those of the row, or when the last stored seq is not `after_seq`;
   *         `BudgetRefusal` when a cap leaves too little for a reservation: then nothing is written
   */
  append(command: AppendCommand): Promise<void>;

  /** Records with seq > `after_seq`, in order, at most `limit`. An unknown session has none. */
  read(query: ReadQuery): Promise<readonly EventRecord[]>;

  /** Keeps a snapshot of the folded state; replaces an older one. It is a cache: losing it costs time only. */
  putSnapshot(snapshot: StateSnapshot): Promise<void>;
  getSnapshot(tenant: TenantId, session: SessionId): Promise<StateSnapshot | null>;

  /** Asks whoever drives the session to stop. Idempotent; cleared by the next claim. @throws `session_not_found` */
  requestCancel(tenant: TenantId, session: SessionId): Promise<void>;

  /**
   * Removes the session, its records, its snapshot and its references to blobs. What was learned in it stays, as memories do. What
   * it spent stays in the ledger; what it still has reserved becomes unknown spend. @throws `lease_held` while it is driven
   */
  deleteSession(tenant: TenantId, session: SessionId): Promise<void>;

  /**
   * Stores bytes under their hash; the same bytes are kept once. Durable when it resolves. A blob that nothing refers to
   * within `BLOB_GRACE_MS` may be pruned; references are written by `append` (`blobs`).
   */
  putBlob(tenant: TenantId, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobHash>;

  /** @throws `blob_missing`, `store_corrupt` when the bytes do not match the hash */
  getBlob(tenant: TenantId, hash: BlobHash): Promise<Uint8Array>;

  /** As `getBlob`, in pieces of at most 256 KiB. */
  streamBlob(tenant: TenantId, hash: BlobHash): AsyncIterable<Uint8Array>;

  /** Removes blobs without a reference that are older than `BLOB_GRACE_MS`. Safe beside writers. */
  pruneBlobs(tenant: TenantId): Promise<{ readonly removed: number; readonly bytes: number }>;

  /** Releases files and connections. Idempotent. */
  close(): Promise<void>;
}

export interface StoreCapabilities {
  /** `memory`, `sqlite`, … for people. */
  readonly name: string;
  /** Survives the end of the process. Default false. */
  readonly durable: boolean;
  /** May be used by several processes at the same time. Default false. */
  readonly shared: boolean;
  /** What keeps S1 from holding where this store is: sentences for people. Empty when nothing is known to. */
  readonly weakened: readonly string[];
}

export type SessionStatus = "new" | "running" | "ended";

/** What a list shows without folding a journal. Kept by `append`. */
export interface SessionSummary {
  readonly title: string;
  readonly status: SessionStatus;
  /** Null until a run ended. */
  readonly outcome: string | null;
  readonly verification: string | null;
  readonly turns: number;
  readonly tokens: number;
  /** Nano-dollars; null when unknown. */
  readonly cost: number | null;
  readonly model: string;
  /** The kind of sub-agent that it is; absent for a session that a person started. */
  readonly agent?: string;
}

/** What belongs to one machine and must not be in an event: absolute paths. */
export interface SessionPlace {
  /** The directory the user started in. */
  readonly cwd: string;
  /** The root of the user's repository or directory. */
  readonly source: string;
  /** The session's own directory under belay's home. */
  readonly directory: string;
}

export interface NewSession {
  readonly tenant: TenantId;
  readonly session: SessionId;
  readonly principal: PrincipalId;
  readonly root: SessionId;
  readonly trace: TraceId;
  readonly place: SessionPlace;
  readonly summary: SessionSummary;
  /** Higher first, for workers; 0 by default. */
  readonly priority: number;
}

export interface SessionRow extends NewSession {
  readonly created_at: number;
  readonly updated_at: number;
  readonly epoch: number;
  readonly owner: Owner | null;
  /** Milliseconds since the epoch; 0 without an owner. */
  readonly lease_until: number;
  readonly last_seq: number;
  /** When a worker may pick it up; null for never by itself. */
  readonly run_at: number | null;
  readonly cancel_requested: boolean;
}

export interface SessionFilter {
  readonly tenant: TenantId;
  /** Only sessions started in this directory or of this source. */
  readonly directory?: string;
  /** Only sessions of this tree: its first one, sub-agents, forks. */
  readonly root?: SessionId;
  readonly limit: number;
}

/** The process that drives. The token is random and new for every claim. */
export interface Owner {
  readonly token: string;
  readonly host: string;
  readonly pid: number;
  readonly start_time: string | null;
  readonly boot_id: string | null;
}

export interface ClaimCommand {
  readonly tenant: TenantId;
  readonly session: SessionId;
  readonly owner: Owner;
  readonly ttl_ms: number;
  /** Token of an owner that was proven dead. */
  readonly supersede?: string;
}

export interface Lease {
  readonly tenant: TenantId;
  readonly session: SessionId;
  readonly token: string;
  readonly epoch: number;
  /** By the store's clock. */
  readonly until: number;
  readonly last_seq: number;
  readonly cancel_requested: boolean;
}

/** A sealed event as it is stored. */
export interface EventRecord {
  readonly seq: number;
  readonly kind: string;
  /** SHA-256, hex, of `body` in UTF-8. */
  readonly hash: string;
  /** Canonical JSON of the event, or of its stub when the event itself stands in `blob`. */
  readonly body: string;
  /** Where the whole body stands when it was too large to be inline. */
  readonly blob: BlobHash | null;
}

export interface AppendCommand {
  readonly lease: Lease;
  /** The last seq the writer knows of. */
  readonly after_seq: number;
  readonly records: readonly EventRecord[];
  /** Blobs that the records refer to. */
  readonly blobs: readonly BlobHash[];
  readonly summary: SessionSummary;
  /** What the records say about money. Absent: nothing. */
  readonly ledger?: LedgerMoves;
}

/** What a session begins with when it is a copy of another one. */
export interface FirstRecords {
  /** From seq 1, without gaps. */
  readonly records: readonly EventRecord[];
  /** Blobs that the records refer to. */
  readonly blobs: readonly BlobHash[];
}

export interface ReadQuery {
  readonly tenant: TenantId;
  readonly session: SessionId;
  readonly after_seq: number;
  readonly limit: number;
}

export interface StateSnapshot {
  readonly tenant: TenantId;
  readonly session: SessionId;
  readonly seq: number;
  /** Version of the fold that made it: another version's is not used. */
  readonly fold: number;
  /** Canonical JSON of the state. */
  readonly state: string;
}

/** How long a blob without a reference is kept: its append may be under way. */
export const BLOB_GRACE_MS: number = 3_600_000;
