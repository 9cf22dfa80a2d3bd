/**
 * Memories in SQLite, found by FTS5.
 *
 * M2: a change that removes or replaces a text writes the texts and the index anew, with zeros in every page that they leave, and
 * then empties the log. What is left to be said:
 * - A connection that holds a read transaction from before the change still needs the log (ours never hold one for longer than a
 *   look; a foreign program may). It is waited for within the bound of `store_busy`; then the change is done and durable, and
 *   `changeMemories` says by `store_busy` that the bytes are still in the log. To forget again finishes it, and so does the last
 *   connection that closes.
 * - A crash between the two steps leaves the bytes in the log likewise, until the next such change or the last close.
 * - On a network file system there is no log; the rollback journal is removed at every commit.
 */
import { HarnessError } from "../../kernel/harness-error.ts";
import type { Memories, MemoryChanges } from "../memories.ts";
import { isVisible, type MemoryAsker, placesOf, refuseTooMany, requireChanges, requireMayPut } from "../memory-rule.ts";
import { memoryRows } from "./memory-rows.ts";
import { createSqliteMemorySearch } from "./memory-search.ts";
import type { TableContext } from "./table-context.ts";

export function createSqliteMemories({ connection, queries, clock }: TableContext): Memories {
  const rows = memoryRows({ connection, queries });

  /** @returns whether texts were removed */
  const changed = (of: MemoryAsker, changes: MemoryChanges): boolean => {
    const { tenant } = of;
    let removed = false;
    const grown = requireChanges(of, changes).map(({ memory, revise }) => {
      const known = rows.find(tenant, memory.id);
      if (known === null && revise) return null;
      const place = requireMayPut(of, known?.memory ?? null, memory);
      if (known === null) rows.add(memory);
      else if (rows.replace(known, memory)) removed = true;
      return place;
    });
    const visible = (ids: MemoryChanges["used"]) =>
      [...new Set(ids)].flatMap((id) => {
        const known = rows.find(tenant, id);
        return known !== null && isVisible(of, known.memory) ? [known] : [];
      });
    const now = clock.now();
    for (const known of visible(changes.used)) rows.use(known, now);
    for (const known of visible(changes.forget)) {
      rows.remove(known);
      removed = true;
    }
    for (const place of placesOf(grown)) refuseTooMany(place, rows.count(tenant, place));
    if (removed) rows.rewrite();
    return removed;
  };

  return {
    async changeMemories(of, changes) {
      const removed = await connection.writeErasing(() => changed(of, changes));
      // Also when they were not there: then this finishes what an earlier attempt could not.
      if ((removed || changes.forget.length > 0) && !(await connection.emptyLog())) throw stillInTheLog();
    },

    getMemories: (of, ids) =>
      connection.read(() =>
        [...new Set(ids)]
          .flatMap((id) => rows.find(of.tenant, id)?.memory ?? [])
          .filter((memory) => isVisible(of, memory)),
      ),

    ...createSqliteMemorySearch({ connection, queries }, rows),
  };
}

function stillInTheLog(): HarnessError {
  return new HarnessError(
    "store_busy",
    "The memories are forgotten, but another program reads the store as it was, which keeps their bytes in its log.",
    "End that program, then forget the same again.",
  );
}
