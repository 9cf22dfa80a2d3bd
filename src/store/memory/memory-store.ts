/**
 * The store in memory: for tests, and for embedding without a disk. It ends with the process and belongs to one process; in
 * everything else it keeps the port's invariants. No command waits between looking and writing, so each is atomic by itself.
 */
import type { Clock } from "../../kernel/clock.ts";
import type { Store } from "../port.ts";
import { storeClosed } from "../refusal.ts";
import { createMemoryCells } from "./memory-cells.ts";
import { createMemoryMemories } from "./memory-memories.ts";
import { createMemoryRecords } from "./memory-records.ts";
import { createMemoryLeases, createMemorySessions } from "./memory-sessions.ts";
import { type MemoryTables, memoryTables } from "./memory-tables.ts";

export function createMemoryStore(options: { readonly clock: Clock }): Store {
  let closed = false;

  const open = (): void => {
    if (closed) throw storeClosed();
  };
  const tables = memoryTables(options.clock, open);
  // Every command reaches the sessions through these, so none works after the end.
  const guarded: MemoryTables = {
    ...tables,
    find: (tenant, session) => (open(), tables.find(tenant, session)),
    require: (tenant, session) => (open(), tables.require(tenant, session)),
    all: () => (open(), tables.all()),
  };
  const { clock, blobs } = guarded;
  const { moveLedger, positions, listScopes, setTenantCap, tenantCaps } = guarded.ledger;

  return {
    capabilities: { name: "memory", durable: false, shared: false, weakened: [] },
    now: async () => clock.now(),
    ...createMemorySessions(guarded),
    ...createMemoryLeases(guarded),
    ...createMemoryRecords(guarded),
    ...createMemoryCells(clock, open),
    ...createMemoryMemories(clock, open),
    ...{ moveLedger, positions, listScopes, setTenantCap, tenantCaps },
    async putBlob(tenant, content) {
      open();
      return blobs.put(tenant, content);
    },
    async getBlob(tenant, hash) {
      open();
      return blobs.get(tenant, hash);
    },
    async *streamBlob(tenant, hash) {
      open();
      yield* blobs.stream(tenant, hash);
    },
    async pruneBlobs(tenant) {
      open();
      return blobs.prune(tenant);
    },
    async close() {
      closed = true;
    },
  };
}
