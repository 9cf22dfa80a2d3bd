/** Contract: C1 and C2, cells. */
import assert from "node:assert/strict";
import { InvariantError } from "../../kernel/harness-error.ts";
import { CELL_CHARS_MAX } from "../../store/cells.ts";
import type { Store } from "../../store/port.ts";
import { type ContractCase, contractCase, OTHER_TENANT, TENANT } from "./case.ts";

const KEY = "rate:anthropic";

function write(store: Store, expected: number, value: string | null, key = KEY): Promise<boolean> {
  return store.writeCell({ tenant: TENANT, key, expected, value });
}

export const cellCases: readonly ContractCase[] = [
  contractCase("a cell that nobody wrote has version 0 and no value", async ({ store, clock }) => {
    assert.deepEqual(await store.readCell(TENANT, KEY), { version: 0, value: null, now: clock.now() });
  }),

  contractCase("a cell keeps its value to the byte, and is read with the store's time", async ({ store, clock }) => {
    const value = `{"a":"ä \u{1F9D7} ' % \\\\ $1","b":[1,2]}`;
    assert.equal(await write(store, 0, value), true);
    await clock.advance(7);
    assert.deepEqual(await store.readCell(TENANT, KEY), { version: 1, value, now: clock.now() });
    assert.equal(await write(store, 1, ""), true);
    assert.equal((await store.readCell(TENANT, KEY)).value, "");
  }),

  contractCase("C1: a write that expects another version changes nothing", async ({ store }) => {
    for (const wrong of [1, 7]) assert.equal(await write(store, wrong, "x"), false);
    assert.equal((await store.readCell(TENANT, KEY)).version, 0);
    assert.equal(await write(store, 0, "a"), true);
    for (const wrong of [0, 2]) assert.equal(await write(store, wrong, "x"), false);
    const { version, value } = await store.readCell(TENANT, KEY);
    assert.deepEqual([version, value], [1, "a"]);
  }),

  contractCase("C1: of many writers that expect the same version one succeeds", async ({ store }) => {
    for (const expected of [0, 1]) {
      const won = await Promise.all(Array.from({ length: 6 }, (_, n) => write(store, expected, `writer ${n}`)));
      assert.equal(won.filter(Boolean).length, 1);
      assert.equal((await store.readCell(TENANT, KEY)).value, `writer ${won.indexOf(true)}`);
    }
  }),

  contractCase("C2: an emptied cell goes on with its versions, and is listed no more", async ({ store }) => {
    await write(store, 0, "a");
    assert.equal(await write(store, 1, null), true);
    const { version, value } = await store.readCell(TENANT, KEY);
    assert.deepEqual([version, value], [2, null]);
    assert.deepEqual(await store.listCells(TENANT, "", 9), []);
    assert.equal(await write(store, 0, "b"), false);
    assert.equal(await write(store, 2, "b"), true);
  }),

  contractCase("cells are listed by the beginning of their keys, in order, up to a limit", async ({ store, clock }) => {
    const keys = ["rate:b", "rate:a_%", "rate:ä", "rate:A", "rates", "breaker:a"];
    for (const key of keys) await write(store, 0, `of ${key}`, key);
    const list = async (prefix: string, limit: number): Promise<readonly string[]> =>
      (await store.listCells(TENANT, prefix, limit)).map(({ key }) => key);
    assert.deepEqual(await list("rate:", 9), ["rate:A", "rate:a_%", "rate:b", "rate:ä"]);
    assert.deepEqual(await list("rate:", 2), ["rate:A", "rate:a_%"]);
    assert.deepEqual(await list("rate:a_", 9), ["rate:a_%"]);
    assert.deepEqual(await list("r_te", 9), []);
    const written = clock.now();
    await clock.advance(5);
    assert.deepEqual(await store.listCells(TENANT, "breaker:", 9), [
      { key: "breaker:a", value: "of breaker:a", updated_at: written },
    ]);
  }),

  contractCase("a tenant's cells are its own", async ({ store }) => {
    await write(store, 0, "ours");
    assert.equal((await store.readCell(OTHER_TENANT, KEY)).version, 0);
    assert.deepEqual(await store.listCells(OTHER_TENANT, "", 9), []);
    assert.equal(await store.writeCell({ tenant: OTHER_TENANT, key: KEY, expected: 0, value: "theirs" }), true);
    assert.equal((await store.readCell(TENANT, KEY)).value, "ours");
  }),

  contractCase("a value beyond the limit is a programmer error and writes nothing", async ({ store }) => {
    const longest = "x".repeat(CELL_CHARS_MAX);
    await assert.rejects(async () => write(store, 0, `${longest}x`), InvariantError);
    assert.equal((await store.readCell(TENANT, KEY)).version, 0);
    assert.equal(await write(store, 0, longest), true);
    assert.equal((await store.readCell(TENANT, KEY)).value, longest);
  }),

  contractCase(
    "a cell is seen by others at once, and is there after the store was closed and opened again",
    async ({ store, reopen }) => {
      assert.ok(reopen);
      const other = await reopen();
      await write(store, 0, "a");
      assert.equal(await write(other, 0, "b"), false);
      assert.equal(await write(other, 1, "b"), true);
      await other.close();
      await store.close();
      const { version, value } = await (await reopen()).readCell(TENANT, KEY);
      assert.deepEqual([version, value], [2, "b"]);
    },
    "reopen",
  ),
];
