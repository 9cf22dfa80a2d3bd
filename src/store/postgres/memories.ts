/**
 * Memories in PostgreSQL, found by its full-text search: `ts_rank` of each word, weighed by how rare the word is among what is
 * looked at (`ts_rank` alone takes "the" for as telling as a name).
 *
 * M2 holds for every query at once. For the server's files it holds as far as a client can see to it: after a change that forgets,
 * the table is vacuumed, which gives dead rows and index entries free for others. The server does not overwrite freed bytes
 * with zeros, and keeps what was written in its log, its replicas and its backups: who must be rid of those runs
 * `VACUUM FULL memories` and lets the server's log pass. Rows that an open transaction of somebody else still sees are left to
 * the next vacuum, the server's own included.
 *
 * M4: one transaction, and one change of a tenant's memories at a time. A change whose answer was lost is made again: then
 * `uses` may count one use twice.
 */
import { sql } from "kysely";
import type { MemoryId, TenantId } from "../../kernel/ids.ts";
import type { Memory } from "../../kernel/memory.ts";
import type { Memories, MemoryChanges, MemoryHit, MemoryView } from "../memories.ts";
import { memoryBody, memoryColumns, type MemoryColumns, memoryOf, memoryWords } from "../memory-row.ts";
import {
  type MemoryAsker,
  type MemoryPlace,
  placesOf,
  refuseTooMany,
  requireChanges,
  requireMayPut,
  statesOf,
} from "../memory-rule.ts";
import { queryWords, type QueryWord } from "../search-words.ts";
import type { Questions } from "./connection.ts";
import { queryOf, vectorOf } from "./memory-words.ts";
import type { TableContext } from "./table-context.ts";

/** Memories written by one statement: its text stays within some megabytes. */
const ROWS_MAX = 500;

const COLUMNS = sql`tenant, principal, id, kind, scope, project, state, created_at, used_at, uses, body`;

type Row = MemoryColumns & { readonly body: string };

export function createPostgresMemories({ connection, queries }: TableContext): Memories {
  const { build, now } = queries;
  const compiled = <R>(query: ReturnType<typeof sql<R>>) => ({ compile: () => query.compile(build) });

  const found = async (ask: Questions, tenant: TenantId, ids: readonly MemoryId[]): Promise<Map<MemoryId, Memory>> => {
    const query = sql<Row>`SELECT ${COLUMNS} FROM memories WHERE tenant = ${tenant} AND id = ANY (${ids}::text[])`;
    const rows = await ask.all(compiled(query));
    return new Map(rows.map(memoryOf).map((memory) => [memory.id, memory]));
  };

  const put = async (ask: Questions, memories: readonly Memory[]): Promise<void> => {
    for (let from = 0; from < memories.length; from += ROWS_MAX) {
      const rows = memories.slice(from, from + ROWS_MAX).map((memory) => ({
        ...memoryColumns(memory),
        body: memoryBody(memory),
        words: vectorOf(memoryWords(memory)),
      }));
      const statement = sql`
        INSERT INTO memories (${COLUMNS}, words)
        SELECT ${COLUMNS}, words::tsvector FROM json_to_recordset(${JSON.stringify(rows)}::json) AS new (
          tenant text, principal text, id text, kind text, scope text, project text, state text,
          created_at bigint, used_at bigint, uses bigint, body text, words text)
        ON CONFLICT (tenant, id) DO UPDATE SET (kind, scope, project, state, created_at, used_at, uses, body, words) =
          (excluded.kind, excluded.scope, excluded.project, excluded.state, excluded.created_at, excluded.used_at,
           excluded.uses, excluded.body, excluded.words)`;
      await ask.run(compiled(statement));
    }
  };

  const countOf = async (
    ask: Questions,
    tenant: TenantId,
    { scope, project, principal }: MemoryPlace,
  ): Promise<number> => {
    const query = sql<{ readonly count: number }>`
      SELECT count(*) AS count FROM memories WHERE tenant = ${tenant} AND scope = ${scope} AND project = ${project}
      AND (${principal}::text IS NULL OR principal = ${principal})`;
    return (await ask.first(compiled(query)))?.count ?? 0;
  };

  /** @returns whether texts were removed */
  const changed = async (ask: Questions, of: MemoryAsker, changes: MemoryChanges): Promise<boolean> => {
    const { tenant } = of;
    const puts = requireChanges(of, changes);
    // Ends with the transaction.
    const key = sql`hashtextextended('belay memories ' || current_schema() || ' ' || ${tenant}::text, 0)`;
    await ask.run(compiled(sql`SELECT pg_advisory_xact_lock(${key})`));
    const ids = puts.map(({ memory }) => memory.id);
    const known = ids.length === 0 ? new Map<MemoryId, Memory>() : await found(ask, tenant, ids);
    const written = puts.filter(({ memory, revise }) => !revise || known.has(memory.id)).map(({ memory }) => memory);
    const grown = written.map((memory) => requireMayPut(of, known.get(memory.id) ?? null, memory));
    await put(ask, written);
    const used = sql`UPDATE memories SET used_at = ${now()}, uses = uses + 1 WHERE ${visible(of, changes.used)}`;
    if (changes.used.length > 0) await ask.run(compiled(used));
    const forgotten = sql`DELETE FROM memories WHERE ${visible(of, changes.forget)}`;
    const gone = changes.forget.length > 0 ? await ask.run(compiled(forgotten)) : 0;
    for (const place of placesOf(grown)) refuseTooMany(place, await countOf(ask, tenant, place));
    return gone > 0 || written.some((memory) => isOtherText(memory, known.get(memory.id)));
  };

  return {
    async changeMemories(of, changes) {
      const removed = await connection.transaction((ask) => changed(ask, of, changes));
      // Also when they were not there: an answer may have been lost. Where another one is vacuuming, that one does it.
      const vacuum = sql`VACUUM (SKIP_LOCKED) memories`;
      if (removed || changes.forget.length > 0) await connection.statement((ask) => ask.run(compiled(vacuum)));
    },

    getMemories: (of, ids) =>
      connection.statement(async (ask) => {
        const query = sql<Row>`SELECT ${COLUMNS} FROM memories WHERE ${visible(of, ids)}`;
        return (await ask.all(compiled(query))).map(memoryOf);
      }),

    listMemories: (view, limit) =>
      connection.statement(async (ask) => {
        const query = sql<Row>`
          SELECT ${COLUMNS} FROM memories WHERE ${viewed(view)} ORDER BY created_at DESC, row DESC LIMIT ${limit}`;
        return (await ask.all(compiled(query))).map(memoryOf);
      }),

    async searchMemories(view, query, limit) {
      const words = queryWords(query);
      if (words.length === 0) return [];
      return connection.statement(async (ask) => {
        const rows = await ask.all(compiled(ranked(view, words, limit)));
        return rows.map((row): MemoryHit => ({ memory: memoryOf(row), rank: row.rank }));
      });
    },
  };
}

function isOtherText(memory: Memory, known: Memory | undefined): boolean {
  return known !== undefined && (known.text !== memory.text || known.resolves !== memory.resolves);
}

/** M1. */
function visible({ tenant, principal }: MemoryAsker, ids: readonly MemoryId[]) {
  return sql<boolean>`tenant = ${tenant} AND id = ANY (${ids}::text[]) AND (scope = 'team' OR principal = ${principal})`;
}

/** M1, and what the view asks for. */
function viewed(view: MemoryView) {
  const { tenant, principal, project, scopes = null, kinds = null } = view;
  return sql<boolean>`tenant = ${tenant} AND (scope = 'team' OR principal = ${principal})
    AND (scope = 'user' OR project = ${project}::text) AND state = ANY (${statesOf(view)}::text[])
    AND (${scopes}::text[] IS NULL OR scope = ANY (${scopes}::text[]))
    AND (${kinds}::text[] IS NULL OR kind = ANY (${kinds}::text[]))`;
}

/** The weight of a word is that of bm25. */
function ranked(view: MemoryView, words: readonly QueryWord[], limit: number) {
  const each = words.map(queryOf);
  return sql<Row & { readonly rank: number }>`
    WITH asked AS (SELECT one::tsquery FROM unnest(${each}::text[]) AS one),
    hits AS MATERIALIZED (SELECT * FROM memories WHERE ${viewed(view)} AND words @@ ${each.join(" | ")}::tsquery),
    everything AS (SELECT count(*) AS all_of FROM memories WHERE ${viewed(view)}),
    weights AS (
      SELECT one, ln(1 + (max(all_of) - count(*) + 0.5) / (count(*) + 0.5))::float8 AS weight
      FROM asked JOIN hits ON hits.words @@ one CROSS JOIN everything GROUP BY one)
    SELECT ${COLUMNS}, (SELECT sum(weight * ts_rank(words, one, 1)) FROM weights WHERE words @@ one) AS rank
    FROM hits ORDER BY rank DESC, row DESC LIMIT ${limit}`;
}
