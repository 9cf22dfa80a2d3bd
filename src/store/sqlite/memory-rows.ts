/** The rows of memories. To be called within a transaction; what changes them, within an erasing one. */
import type { MemoryId, TenantId } from "../../kernel/ids.ts";
import type { Memory } from "../../kernel/memory.ts";
import { memoryBody, memoryColumns, memoryOf, memoryWords } from "../memory-row.ts";
import type { MemoryPlace } from "../memory-rule.ts";
import { corrupt } from "../refusal.ts";
import type { TableContext } from "./table-context.ts";

export interface MemoryRow {
  readonly row: number;
  readonly memory: Memory;
}

export interface MemoryRows {
  find(tenant: TenantId, id: MemoryId): MemoryRow | null;
  /** What is in a row that was found in the same transaction. */
  at(row: number): Memory;
  add(memory: Memory): void;
  /** @returns whether a text was replaced: then `rewrite` is due */
  replace(known: MemoryRow, memory: Memory): boolean;
  /** One more use. */
  use(known: MemoryRow, now: number): void;
  /** `rewrite` is due afterwards. */
  remove(known: MemoryRow): void;
  count(tenant: TenantId, place: MemoryPlace): number;
  /**
   * M2: writes the texts and their index anew, and leaves zeros in every page in which they stood. To remove a row overwrites the
   * row; but a page that SQLite once split, or merged with another, keeps copies of rows in what it holds for free, and so does
   * the index. It takes some 10 milliseconds for a thousand memories.
   */
  rewrite(): void;
}

type Statements = Pick<TableContext, "connection" | "queries">;

export function memoryRows({ connection, queries }: Statements): MemoryRows {
  const last = connection.lookup(() => queries.selectFrom("memories").select((is) => is.fn.max("row").as("row")));
  const whole = () =>
    queries
      .selectFrom("memories")
      .innerJoin("memory_texts", "memory_texts.row", "memories.row")
      .selectAll("memories")
      .select("memory_texts.body");
  const named = connection.lookup(() => whole().where("tenant", "=", "").where("id", "=", ""));
  const numbered = connection.lookup(() => whole().where("memories.row", "=", 0));
  const columns = { tenant: "", principal: "", id: "", kind: "", scope: "", project: "", state: "" };
  const numbers = { created_at: 0, used_at: 0, uses: 0 };
  const put = connection.statement(() => queries.replaceInto("memories").values({ row: 0, ...columns, ...numbers }));
  const putText = connection.statement(() =>
    queries.replaceInto("memory_texts").values({ row: 0, body: "", words: "" }),
  );
  const index = connection.statement(() => queries.insertInto("memory_index").values({ rowid: 0, words: "" }));
  const use = connection.statement(() =>
    queries
      .updateTable("memories")
      .set((is) => ({ used_at: 0, uses: is("uses", "+", 1) }))
      .where("row", "=", 0),
  );

  const write = (row: number, memory: Memory): string => {
    const { tenant, principal, id, kind, scope, project, state, created_at, used_at, uses } = memoryColumns(memory);
    put(row, tenant, principal, id, kind, scope, project, state, created_at, used_at, uses);
    const words = memoryWords(memory).join(" ");
    putText(row, memoryBody(memory), words);
    return words;
  };

  return {
    find(tenant, id) {
      const [row] = named(tenant, id);
      return row === undefined ? null : { row: row.row, memory: memoryOf(row) };
    },

    at(row) {
      const [found] = numbered(row);
      if (found === undefined) throw corrupt(`The memory in row ${row} has no text.`);
      return memoryOf(found);
    },

    add(memory) {
      const row = (last()[0]?.row ?? 0) + 1;
      index(row, write(row, memory));
    },

    replace({ row, memory: known }, memory) {
      write(row, memory);
      return known.text !== memory.text || known.resolves !== memory.resolves;
    },

    use({ row }, now) {
      use(now, 1, row);
    },

    remove({ row }) {
      connection.run(queries.deleteFrom("memories").where("row", "=", row));
      connection.run(queries.deleteFrom("memory_texts").where("row", "=", row));
    },

    count(tenant, { scope, project, principal }) {
      const all = queries
        .selectFrom("memories")
        .select((is) => is.fn.countAll<number>().as("count"))
        .where("tenant", "=", tenant)
        .where("scope", "=", scope)
        .where("project", "=", project);
      return connection.first(principal === null ? all : all.where("principal", "=", principal))?.count ?? 0;
    },

    rewrite() {
      const texts = queries.selectFrom("memory_texts").selectAll();
      connection.run(queries.schema.createTable("memory_spare").temporary().as(texts));
      connection.run(queries.deleteFrom("memory_texts"));
      const spare = queries.selectFrom("memory_spare").select(["row", "body", "words"]).orderBy("row");
      connection.run(queries.insertInto("memory_texts").columns(["row", "body", "words"]).expression(spare));
      connection.run(queries.schema.dropTable("memory_spare"));
      connection.run(queries.insertInto("memory_index").values({ memory_index: "rebuild" }));
    },
  };
}
