/**
 * Cells in PostgreSQL: compare and swap as one statement.
 *
 * C1, C2: the row of a cell that was emptied stays, with its version. A write leaves its mark, so that one whose answer was lost
 *         is told from another one of the same value.
 * A cell is a cache: its commit is not waited for until it is on disk. That ends with the transaction, so a commit that is
 * to be on disk is, also of the same connection.
 */
import { sql } from "kysely";
import { HarnessError } from "../../kernel/harness-error.ts";
import { type Cell, type Cells, requireCell, type WriteCell } from "../cells.ts";
import type { Questions } from "./connection.ts";
import type { TableContext } from "./table-context.ts";

/** So many writes of others may pass before a write whose answer was lost is asked for. A mark has 8 bytes. */
const MARKS_MAX = 128;
/** A mark is the opening and the number of the write: of so many that no two are asked for at the same time. */
const WRITES = 2 ** 20;

/** @param opening another one for every opening of the store, below 2³² */
export function createPostgresCells({ connection, queries }: TableContext, opening: number): Cells {
  const { build, now } = queries;
  let writes = 0;

  const written = async (
    ask: Questions,
    { tenant, key, expected, value }: WriteCell,
    mark: number,
  ): Promise<boolean> => {
    // For this transaction, which is this statement.
    const lazily = sql<boolean>`set_config('synchronous_commit', 'off', true) = 'off'`;
    const statement =
      expected === 0
        ? sql`INSERT INTO cells (tenant, key, version, value, updated_at, marks)
            SELECT ${tenant}, ${key}, 1, ${value}, ${now()}, ARRAY[${mark}::bigint] WHERE ${lazily} ON CONFLICT DO NOTHING`
        : sql`UPDATE cells SET version = version + 1, value = ${value}, updated_at = ${now()},
              marks = (ARRAY[${mark}::bigint] || marks)[1:${sql.lit(MARKS_MAX)}]
            WHERE tenant = ${tenant} AND key = ${key} AND version = ${expected}::bigint AND ${lazily}`;
    return (await ask.run({ compile: () => statement.compile(build) })) === 1;
  };

  /** Whether the write stands there, or stood: done by an attempt whose answer was lost. */
  const isDone = async (ask: Questions, { tenant, key, expected }: WriteCell, mark: number): Promise<boolean> => {
    const done = sql<boolean>`${mark}::bigint = ANY (marks)`.as("done");
    const query = build.selectFrom("cells").select(["version", done]);
    const cell = await ask.first(query.where("tenant", "=", tenant).where("key", "=", key));
    if (cell === undefined || cell.done || cell.version - expected <= MARKS_MAX) return cell?.done ?? false;
    throw new HarnessError(
      "store_io",
      `Whether the cell ${key} was written is not known: the answer was lost, and others have written it since.`,
      "Read it, and decide anew.",
    );
  };

  return {
    readCell: (tenant, key) =>
      connection.statement(async (ask): Promise<Cell> => {
        const query = sql<Cell>`
          SELECT coalesce(cell.version, 0) AS version, cell.value, ${now()} AS now
          FROM (SELECT 1) AS one LEFT JOIN cells AS cell ON cell.tenant = ${tenant} AND cell.key = ${key}`;
        const cell = await ask.first({ compile: () => query.compile(build) });
        return cell ?? { version: 0, value: null, now: 0 }; // a left join of one row has one
      }),

    writeCell: (command) => {
      requireCell(command);
      writes = (writes + 1) % WRITES;
      const mark = opening * WRITES + writes;
      return connection.statement(
        async (ask, { again }) => (await written(ask, command, mark)) || (again && (await isDone(ask, command, mark))),
      );
    },

    listCells: (tenant, prefix, limit) =>
      connection.statement((ask) =>
        ask.all(
          build
            .selectFrom("cells")
            .select(["key", (is) => is.ref("value").$notNull().as("value"), "updated_at"])
            .where("tenant", "=", tenant)
            .where(sql<boolean>`starts_with(key, ${prefix})`)
            .where("value", "is not", null)
            .orderBy("key")
            .limit(limit),
        ),
      ),
  };
}
