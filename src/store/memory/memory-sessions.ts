/** Sessions and their leases, in memory. */
import { claimed, isDriven, isHolder, leaseOf, refuseWhileHeld } from "../lease-rule.ts";
import { NO_RECORDS, requireFirst } from "../first-records.ts";
import type { Store } from "../port.ts";
import { fenced, leaseHeld, sessionExists } from "../refusal.ts";
import type { MemoryTables } from "./memory-tables.ts";

export type MemorySessions = Pick<Store, "createSession" | "getSession" | "listSessions" | "deleteSession">;
export type MemoryLeases = Pick<Store, "claim" | "renew" | "release" | "requestCancel">;

export function createMemorySessions({ clock, blobs, ledger, ...tables }: MemoryTables): MemorySessions {
  return {
    async createSession(session, first = NO_RECORDS) {
      if (tables.find(session.tenant, session.session)) throw sessionExists(session.session);
      requireFirst(first);
      blobs.refer(session.tenant, session.session, first.blobs);
      const now = clock.now();
      const row = {
        ...structuredClone(session),
        created_at: now,
        updated_at: now,
        epoch: 0,
        owner: null,
        lease_until: 0,
        last_seq: first.records.length,
        run_at: null,
        cancel_requested: false,
      };
      tables.add(row, structuredClone(first.records));
    },

    async getSession(tenant, session) {
      return structuredClone(tables.find(tenant, session)?.row ?? null);
    },

    async listSessions({ tenant, directory, root, limit }) {
      return tables
        .all()
        .map(({ row }) => row)
        .filter((row) => row.tenant === tenant)
        .filter(({ place }) => directory === undefined || place.cwd === directory || place.source === directory)
        .filter((row) => root === undefined || row.root === root)
        .reverse() // of one millisecond the last one made comes first; the sort keeps that
        .sort((a, b) => b.created_at - a.created_at)
        .slice(0, limit)
        .map((row) => structuredClone(row));
    },

    async deleteSession(tenant, session) {
      const stored = tables.find(tenant, session);
      if (!stored) return;
      const { owner } = stored.row;
      if (owner && isDriven(stored.row, clock.now())) throw leaseHeld(session, owner);
      ledger.abandon(tenant, session);
      tables.remove(tenant, session);
      blobs.forget(tenant, session);
    },
  };
}

export function createMemoryLeases({ clock, ...tables }: MemoryTables): MemoryLeases {
  return {
    async claim(command) {
      const stored = tables.require(command.tenant, command.session);
      const now = clock.now();
      refuseWhileHeld(stored.row, command, now);
      const fields = claimed(stored.row, structuredClone(command.owner), now + command.ttl_ms);
      stored.row = { ...stored.row, ...fields };
      return leaseOf({ ...command, token: command.owner.token }, fields);
    },

    async renew(lease, ttl_ms) {
      const stored = tables.find(lease.tenant, lease.session);
      if (!stored || !isHolder(stored.row, lease)) throw fenced(lease.session);
      stored.row = { ...stored.row, lease_until: clock.now() + ttl_ms };
      return leaseOf(lease, stored.row);
    },

    async release(lease) {
      const stored = tables.find(lease.tenant, lease.session);
      if (stored && isHolder(stored.row, lease)) stored.row = { ...stored.row, owner: null, lease_until: 0 };
    },

    async requestCancel(tenant, session) {
      const stored = tables.require(tenant, session);
      stored.row = { ...stored.row, cancel_requested: true };
    },
  };
}
