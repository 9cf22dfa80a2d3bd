/** A SQLite store in a directory of its own, with the means to damage it. */
import { rm, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import type { Store } from "../../src/store/port.ts";
import { openSqliteStore, type SqliteStoreOptions } from "../../src/store/sqlite/sqlite-store.ts";
import { type ManualClock, manualClock } from "../../src/testing/manual-clock.ts";
import type { StoreUnderTest } from "../../src/testing/store-contract.ts";

export interface SqliteUnderTest extends StoreUnderTest {
  readonly path: string;
  readonly reopen: () => Promise<Store>;
  readonly damage: NonNullable<StoreUnderTest["damage"]>;
}

export async function makeSqliteStore(
  options: Partial<Omit<SqliteStoreOptions, "path" | "clock">> = {},
  clock: ManualClock = manualClock(),
): Promise<SqliteUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), "belay-store-"));
  const path = join(directory, "home", "belay.db");
  const opened: Store[] = [];
  const open = async (): Promise<Store> => {
    const store = await openSqliteStore({ path, clock, ...options });
    opened.push(store);
    return store;
  };
  return {
    store: await open(),
    clock,
    path,
    reopen: open,
    damage: {
      blob: async (hash) => {
        const change =
          "UPDATE blob_pieces SET bytes = zeroblob(length(bytes)) WHERE n = 1 AND blob = (SELECT id FROM blobs WHERE hash = ?)";
        changeOne(path, change, hash);
      },
      record: async (session, seq) => {
        changeOne(
          path,
          "UPDATE records SET body = replace(body, 'e', 'E') WHERE session = ? AND seq = ?",
          session,
          seq,
        );
      },
      snapshot: async (session) => {
        changeOne(path, "UPDATE snapshots SET state = state || ' ' WHERE session = ?", session);
      },
    },
    dispose: async () => {
      for (const store of opened) await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Behind the store's back. */
function changeOne(path: string, sql: string, ...values: readonly (string | number)[]): void {
  const database = new Sqlite(path);
  try {
    const { changes } = database.prepare(sql).run(...values);
    if (changes !== 1) throw new RangeError(`${changes} rows were damaged instead of one`);
  } finally {
    database.close();
  }
}
