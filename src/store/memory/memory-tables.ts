/** What the parts of the memory store share: the sessions by tenant and id, the ledger, the blobs. */
import type { Clock } from "../../kernel/clock.ts";
import type { SessionId, TenantId } from "../../kernel/ids.ts";
import type { EventRecord, SessionRow, StateSnapshot } from "../port.ts";
import { sessionNotFound } from "../refusal.ts";
import { createMemoryBlobs, type MemoryBlobs } from "./memory-blobs.ts";
import { createMemoryLedger, type MemoryLedger } from "./memory-ledger.ts";

export interface StoredSession {
  row: SessionRow;
  readonly records: EventRecord[];
  snapshot: StateSnapshot | null;
}

export interface MemoryTables {
  readonly clock: Clock;
  readonly blobs: MemoryBlobs;
  readonly ledger: MemoryLedger;
  find(tenant: TenantId, session: SessionId): StoredSession | undefined;
  /** @throws HarnessError `session_not_found` */
  require(tenant: TenantId, session: SessionId): StoredSession;
  add(row: SessionRow, records: readonly EventRecord[]): void;
  remove(tenant: TenantId, session: SessionId): void;
  /** In the order in which they were added. */
  all(): readonly StoredSession[];
}

/** @param open throws when the store is closed */
export function memoryTables(clock: Clock, open: () => void): MemoryTables {
  const sessions = new Map<string, StoredSession>();
  // Ids hold no slash, so two pairs never share a key.
  const keyOf = (tenant: TenantId, session: SessionId): string => `${tenant}/${session}`;
  return {
    clock,
    blobs: createMemoryBlobs(clock),
    ledger: createMemoryLedger(open),
    find: (tenant, session) => sessions.get(keyOf(tenant, session)),
    require(tenant, session) {
      const stored = sessions.get(keyOf(tenant, session));
      if (!stored) throw sessionNotFound(session);
      return stored;
    },
    add: (row, records) =>
      void sessions.set(keyOf(row.tenant, row.session), { row, records: [...records], snapshot: null }),
    remove: (tenant, session) => void sessions.delete(keyOf(tenant, session)),
    all: () => [...sessions.values()],
  };
}
