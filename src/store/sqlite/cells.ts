/**
 * Cells in SQLite. A write of one costs no sync: cells are written at every model call of every process, a sync takes
 * milliseconds, and what a power failure would take from them (rates, breakers) is out of date when the machine is up again.
 */
import { type Cells, requireCell } from "../cells.ts";
import { afterPrefix } from "./prefix.ts";
import type { TableContext } from "./table-context.ts";

export function createSqliteCells({ connection, queries, clock }: TableContext): Cells {
  const find = connection.lookup(() =>
    queries.selectFrom("cells").select(["version", "value"]).where("tenant", "=", "").where("key", "=", ""),
  );
  const insert = connection.statement(() =>
    queries
      .insertInto("cells")
      .values({ tenant: "", key: "", version: 0, value: null, updated_at: 0 })
      .onConflict((on) => on.doNothing()),
  );
  const update = connection.statement(() =>
    queries
      .updateTable("cells")
      .set({ version: 0, value: null, updated_at: 0 })
      .where("tenant", "=", "")
      .where("key", "=", "")
      .where("version", "=", 0),
  );

  return {
    readCell: (tenant, key) =>
      connection.read(() => {
        const [row] = find(tenant, key);
        return { version: row?.version ?? 0, value: row?.value ?? null, now: clock.now() };
      }),

    async writeCell(command) {
      requireCell(command);
      const { tenant, key, expected, value } = command;
      return connection.writeUnsynced(() => {
        const next = expected + 1;
        const { changes } =
          expected === 0
            ? insert(tenant, key, next, value, clock.now())
            : update(next, value, clock.now(), tenant, key, expected);
        return changes === 1;
      });
    },

    listCells: (tenant, prefix, limit) =>
      connection.read(() => {
        const found = queries
          .selectFrom("cells")
          .select(["key", "value", "updated_at"])
          .where("tenant", "=", tenant)
          .where("key", ">=", prefix)
          .where("key", "<", afterPrefix(prefix))
          .where("value", "is not", null)
          .orderBy("key")
          .limit(limit);
        return connection.all(found.$narrowType<{ readonly value: string }>());
      }),
  };
}
