/**
 * An append as one statement: the fence, the records, the references and the summary; so is a session that has records at once.
 * It is one transaction and one round trip, so that nothing is ever half-done on the way: a connection that is lost leaves all
 * of it, or nothing. With moves of the ledger it is the last statement of the transaction that holds the ledger's rows.
 */
import { type CompiledQuery, sql } from "kysely";
import { canonicalJson } from "../../kernel/json.ts";
import type { AppendCommand, EventRecord, FirstRecords, NewSession } from "../port.ts";
import { newSessionColumns } from "../session-row.ts";
import type { Question } from "./connection.ts";
import { type LedgerChange, ledgerWritten } from "./ledger-rows.ts";
import type { Queries } from "./queries.ts";

/** Has one row when it was stored, and none when the writer is not the holder or not up to date. */
export function appendStatement(
  { build, now }: Queries,
  command: AppendCommand,
  ledger: LedgerChange | null,
): Question<{ readonly epoch: number }> {
  const { lease, after_seq, records, summary } = command;
  const statement = sql<{ readonly epoch: number }>`
    WITH fence AS (
      UPDATE sessions
      SET last_seq = ${after_seq + records.length}::bigint, summary = ${canonicalJson(summary)}, updated_at = ${now()}
      WHERE tenant = ${lease.tenant} AND session = ${lease.session} AND owner_token = ${lease.token}
        AND epoch = ${lease.epoch}::bigint AND last_seq = ${after_seq}::bigint
      RETURNING tenant, principal, session, epoch
    ), ${written(command)}${ledger === null ? sql`` : sql`, ${ledgerWritten(ledger)}`}
    SELECT epoch FROM fence`;
  return { compile: (): CompiledQuery<{ readonly epoch: number }> => statement.compile(build) };
}

/** The same for a session that is new: its row is the fence, and there is none when another one of its id is there. */
export function createStatement(
  { build, now }: Queries,
  session: NewSession,
  first: FirstRecords,
): Question<{ readonly epoch: number }> {
  const times = { created_at: now(), updated_at: now() };
  const row = { ...newSessionColumns(session), ...times, last_seq: first.records.length, cancel_requested: false };
  const insert = build
    .insertInto("sessions")
    .values(row)
    .onConflict((on) => on.doNothing())
    .returning(["tenant", "principal", "session", "epoch"]);
  const statement = sql<{ readonly epoch: number }>`
    WITH fence AS (${insert}), ${written(first)}
    SELECT epoch FROM fence`;
  return { compile: (): CompiledQuery<{ readonly epoch: number }> => statement.compile(build) };
}

/** The records and their references, for the session that `fence` names. */
function written({ records, blobs }: FirstRecords) {
  const column = <T>(of: (record: EventRecord) => T): T[] => records.map(of);
  return sql`stored AS (
      INSERT INTO records (tenant, principal, session, seq, kind, hash, body, blob)
      SELECT fence.tenant, fence.principal, fence.session, record.*
      FROM fence, unnest(
        ${column(({ seq }) => seq)}::bigint[], ${column(({ kind }) => kind)}::text[], ${column(({ hash }) => hash)}::text[],
        ${column(({ body }) => body)}::text[], ${column(({ blob }) => blob)}::text[]
      ) AS record (seq, kind, hash, body, blob)
    ), referred AS (
      INSERT INTO blob_refs (tenant, principal, session, hash)
      SELECT DISTINCT fence.tenant, fence.principal, fence.session, named.hash
      FROM fence, unnest(${[...blobs]}::text[]) AS named (hash)
      ON CONFLICT DO NOTHING
    )`;
}
