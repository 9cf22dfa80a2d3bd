/** What the parts of the memory store share: the sessions by tenant and id. */
import type { Clock } from "../../kernel/clock.ts";
import type { SessionId, TenantId } from "../../kernel/ids.ts";
import type { EventRecord, SessionRow, StateSnapshot } from "../port.ts";
import { sessionNotFound } from "../refusal.ts";
import { createMemoryBlobs, type MemoryBlobs } from "./memory-blobs.ts";

export interface StoredSession {
  row: SessionRow;
  readonly records: EventRecord[];
  snapshot: StateSnapshot | null;
}

export interface MemoryTables {
  readonly clock: Clock;
  readonly blobs: MemoryBlobs;
  find(tenant: TenantId, session: SessionId): StoredSession | undefined;
  /** @throws HarnessError `session_not_found` */
  require(tenant: TenantId, session: SessionId): StoredSession;
  add(row: SessionRow, records: readonly EventRecord[]): void;
  remove(tenant: TenantId, session: SessionId): void;
  /** In the order in which they were added. */
  all(): readonly StoredSession[];
}

export function memoryTables(clock: Clock): MemoryTables {
  const sessions = new Map<string, StoredSession>();
  // Ids hold no slash, so two pairs never share a key.
  const keyOf = (tenant: TenantId, session: SessionId): string => `${tenant}/${session}`;
  return {
    clock,
    blobs: createMemoryBlobs(clock),
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
