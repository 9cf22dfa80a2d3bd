/**
 * An append as one statement: the fence, the records, the references and the summary. It is one transaction and one round
 * trip, so that nothing is ever half-done on the way: a connection that is lost leaves all of it, or nothing.
 */
import { type CompiledQuery, sql } from "kysely";
import { canonicalJson } from "../../kernel/json.ts";
import type { AppendCommand } from "../port.ts";
import type { Question } from "./connection.ts";
import type { Queries } from "./queries.ts";

/** Has one row when it was stored, and none when the writer is not the holder or not up to date. */
export function appendStatement({ build, now }: Queries, command: AppendCommand): Question<{ readonly epoch: number }> {
  const { lease, after_seq, records, blobs, summary } = command;
  const column = <T>(of: (record: AppendCommand["records"][number]) => T): T[] => records.map(of);
  const statement = sql<{ readonly epoch: number }>`
    WITH fence AS (
      UPDATE sessions
      SET last_seq = ${after_seq + records.length}::bigint, summary = ${canonicalJson(summary)}, updated_at = ${now()}
      WHERE tenant = ${lease.tenant} AND session = ${lease.session} AND owner_token = ${lease.token}
        AND epoch = ${lease.epoch}::bigint AND last_seq = ${after_seq}::bigint
      RETURNING tenant, principal, session, epoch
    ), stored AS (
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
    )
    SELECT epoch FROM fence`;
  return { compile: (): CompiledQuery<{ readonly epoch: number }> => statement.compile(build) };
}
