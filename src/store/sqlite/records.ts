/** Records of events, and snapshots of what they fold to. */
import { hashOf } from "../../kernel/envelope.ts";
import { invariant } from "../../kernel/harness-error.ts";
import type { BlobHash, SessionId, TenantId } from "../../kernel/ids.ts";
import { canonicalJson } from "../../kernel/json.ts";
import type { AppendCommand, EventRecord, FirstRecords, SessionRow, Store } from "../port.ts";
import { blobMissing, fenced, recordCorrupt } from "../refusal.ts";
import { ledgerWriter } from "./ledger.ts";
import type { TableContext } from "./table-context.ts";

export type SqliteRecords = Pick<Store, "append" | "read" | "putSnapshot" | "getSnapshot">;

export function createSqliteRecords({ connection, queries, clock }: TableContext): SqliteRecords {
  const move = moveStatement({ connection, queries });
  const writeRecords = recordWriter({ connection, queries });
  const ledger = ledgerWriter({ connection, queries });

  /** The fence and the new position in one statement: it fits no row unless the writer is the holder and up to date. */
  const moveOn = ({ lease, after_seq, records, summary }: AppendCommand): boolean => {
    const { tenant, session, token, epoch } = lease;
    const last_seq = after_seq + records.length;
    const { changes } = move(last_seq, canonicalJson(summary), clock.now(), tenant, session, token, epoch, after_seq);
    return changes === 1;
  };

  return {
    append: (command) =>
      connection.write(() => {
        const { lease, after_seq, records } = command;
        const gapless = records.every(({ seq }, i) => seq === after_seq + i + 1);
        invariant(gapless, "invariant S2: records are appended without gaps");
        if (!moveOn(command)) throw fenced(lease.session);
        writeRecords(lease, command);
        if (command.ledger) ledger.move(lease.tenant, command.ledger);
      }),

    read: ({ tenant, session, after_seq, limit }) =>
      connection.read(() => {
        const query = queries
          .selectFrom("records")
          .select(["seq", "kind", "hash", "body", "blob"])
          .where("tenant", "=", tenant)
          .where("session", "=", session)
          .where("seq", ">", after_seq)
          .orderBy("seq")
          .limit(limit);
        return connection.all(query).map((row): EventRecord => {
          if (hashOf(row.body) !== row.hash) throw recordCorrupt(session, row.seq, "does not match its checksum");
          return { ...row, blob: row.blob as BlobHash | null }; // the brand that `append` was given
        });
      }),

    putSnapshot: (snapshot) =>
      connection.write(() => {
        const { tenant, session, seq, fold, state } = snapshot;
        const known = queries
          .selectFrom("sessions")
          .select("id")
          .where("tenant", "=", tenant)
          .where("session", "=", session);
        if (!connection.first(known)) return; // deleted in the meantime
        connection.run(
          queries.replaceInto("snapshots").values({ tenant, session, seq, fold, hash: hashOf(state), state }),
        );
      }),

    getSnapshot: (tenant, session) =>
      connection.read(() => {
        const query = queries
          .selectFrom("snapshots")
          .selectAll()
          .where("tenant", "=", tenant)
          .where("session", "=", session);
        const row = connection.first(query);
        if (!row || hashOf(row.state) !== row.hash) return null;
        return { tenant, session, seq: row.seq, fold: row.fold, state: row.state };
      }),
  };
}

type Statements = Pick<TableContext, "connection" | "queries">;

/** Writes records and their references; within a transaction of the caller's. @throws HarnessError `blob_missing` */
export function recordWriter({ connection, queries }: Statements) {
  const insert = insertStatement({ connection, queries });
  const refer = (tenant: TenantId, session: SessionId, hash: BlobHash): void => {
    const blob = connection.first(
      queries.selectFrom("blobs").select("id").where("tenant", "=", tenant).where("hash", "=", hash),
    );
    if (!blob) throw blobMissing(hash);
    connection.run(
      queries
        .insertInto("blob_refs")
        .values({ tenant, session, hash })
        .onConflict((on) => on.doNothing()),
    );
  };
  return ({ tenant, session }: Pick<SessionRow, "tenant" | "session">, { records, blobs }: FirstRecords): void => {
    for (const { seq, kind, hash, body, blob } of records) insert(tenant, session, seq, kind, hash, body, blob);
    for (const hash of blobs) refer(tenant, session, hash);
  };
}

/** `last_seq`, `summary`, `updated_at`; then of the row: `tenant`, `session`, `owner_token`, `epoch`, `last_seq`. */
function moveStatement({ connection, queries }: Statements) {
  return connection.statement(() =>
    queries
      .updateTable("sessions")
      .set({ last_seq: 0, summary: "", updated_at: 0 })
      .where("tenant", "=", "")
      .where("session", "=", "")
      .where("owner_token", "=", "")
      .where("epoch", "=", 0)
      .where("last_seq", "=", 0),
  );
}

/** `tenant`, `session`, `seq`, `kind`, `hash`, `body`, `blob`. */
function insertStatement({ connection, queries }: Statements) {
  const row = { tenant: "", session: "", seq: 0, kind: "", hash: "", body: "", blob: null };
  return connection.statement(() => queries.insertInto("records").values(row));
}
