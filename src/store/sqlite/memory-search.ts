/** Memories looked at through a view: listed, and searched with FTS5. */
import type { Memories, MemoryHit, MemoryView } from "../memories.ts";
import { memoryOf } from "../memory-row.ts";
import { statesOf } from "../memory-rule.ts";
import { queryWords, type QueryWord } from "../search-words.ts";
import type { MemoryRows } from "./memory-rows.ts";
import type { TableContext } from "./table-context.ts";

export type SqliteMemorySearch = Pick<Memories, "listMemories" | "searchMemories">;

/**
 * Entries of the index that a search ranks when the rarest of its words have enough: each takes some microseconds, and a common
 * word has one for nearly every memory while it says nearly nothing.
 */
const RANKED_MAX = 1_500;

export function createSqliteMemorySearch(
  { connection, queries }: Pick<TableContext, "connection" | "queries">,
  rows: MemoryRows,
): SqliteMemorySearch {
  /** What M1 and the view let through. */
  const viewed = (view: MemoryView) => {
    const { tenant, principal, project, scopes, kinds } = view;
    const all = queries
      .selectFrom("memories")
      .where("tenant", "=", tenant)
      .where((is) => is.or([is("scope", "=", "team"), is("principal", "=", principal)]))
      .where((is) => is.or([is("scope", "=", "user"), is("project", "is", project)]))
      .where("state", "in", statesOf(view));
    const ofScopes = scopes ? all.where("scope", "in", scopes) : all;
    return kinds ? ofScopes.where("kind", "in", kinds) : ofScopes;
  };

  const counted = connection.lookup(() =>
    queries
      .selectFrom("memory_index")
      .select((is) => is.fn.countAll<number>().as("entries"))
      .where("memory_index", "match", ""),
  );

  const ranked = (view: MemoryView, words: readonly QueryWord[], limit: number): readonly MemoryHit[] => {
    const found = viewed(view)
      .innerJoin("memory_index", "memory_index.rowid", "memories.row")
      .select(["memories.row", "memory_index.rank"])
      .where("memory_index", "match", matchOf(words))
      .orderBy("rank")
      .orderBy("memories.row", "desc")
      .limit(limit);
    // Texts are read of the best alone.
    return connection.all(found).map(({ row, rank }): MemoryHit => ({ memory: rows.at(row), rank: -rank }));
  };

  return {
    listMemories: (view, limit) =>
      connection.read(() => {
        const found = viewed(view)
          .innerJoin("memory_texts", "memory_texts.row", "memories.row")
          .selectAll("memories")
          .select("memory_texts.body")
          .orderBy("created_at", "desc")
          .orderBy("memories.row", "desc")
          .limit(limit);
        return connection.all(found).map(memoryOf);
      }),

    async searchMemories(view, query, limit) {
      const words = queryWords(query);
      if (words.length === 0) return [];
      return connection.read(() => {
        const byRarity = words
          .map((word) => ({ word, entries: counted(matchOf([word]))[0]?.entries ?? 0 }))
          .sort((a, b) => a.entries - b.entries);
        let entries = 0;
        const rare = byRarity.filter((one) => (entries += one.entries) <= RANKED_MAX).map(({ word }) => word);
        const found = rare.length > 0 ? ranked(view, rare, limit) : [];
        return found.length >= limit || rare.length === words.length ? found : ranked(view, words, limit);
      });
    },
  };
}

/** In the language of FTS5: between quotes nothing has a meaning, and words hold none. */
function matchOf(words: readonly QueryWord[]): string {
  return words.map(({ word, prefix }) => `"${word}"${prefix ? " *" : ""}`).join(" OR ");
}
