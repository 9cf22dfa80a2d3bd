/** Records and snapshots, in memory. */
import { hashOf } from "../../kernel/envelope.ts";
import { invariant } from "../../kernel/harness-error.ts";
import { isHolder } from "../lease-rule.ts";
import type { Store } from "../port.ts";
import { fenced, recordCorrupt } from "../refusal.ts";
import type { MemoryTables } from "./memory-tables.ts";

export type MemoryRecords = Pick<Store, "append" | "read" | "putSnapshot" | "getSnapshot">;

export function createMemoryRecords({ clock, blobs, ledger, ...tables }: MemoryTables): MemoryRecords {
  return {
    async append({ lease, after_seq, records, blobs: hashes, summary, ledger: moves }) {
      const { tenant, session } = lease;
      const stored = tables.find(tenant, session);
      if (!stored || !isHolder(stored.row, lease) || stored.row.last_seq !== after_seq) throw fenced(session);
      const gapless = records.every((record, i) => record.seq === after_seq + i + 1);
      invariant(gapless, "invariant S2: records are appended without gaps");
      // Whatever may refuse comes before the first change.
      const after = moves && ledger.after(tenant, moves);
      blobs.refer(tenant, session, hashes);
      if (after) ledger.put(tenant, after);
      for (const record of records) stored.records.push(structuredClone(record));
      const last_seq = after_seq + records.length;
      stored.row = { ...stored.row, last_seq, summary: structuredClone(summary), updated_at: clock.now() };
    },

    async read({ tenant, session, after_seq, limit }) {
      const records = tables.find(tenant, session)?.records.slice(after_seq, after_seq + limit) ?? [];
      for (const { seq, body, hash } of records) {
        if (hashOf(body) !== hash) throw recordCorrupt(session, seq, "does not match its checksum");
      }
      return structuredClone(records);
    },

    async putSnapshot(snapshot) {
      const stored = tables.find(snapshot.tenant, snapshot.session);
      if (stored) stored.snapshot = structuredClone(snapshot);
    },

    async getSnapshot(tenant, session) {
      return structuredClone(tables.find(tenant, session)?.snapshot ?? null);
    },
  };
}
