/** Memories in PostgreSQL: what is done about what was forgotten, and stores from before there were memories. */
import { describe, expect, it } from "vitest";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { changeMemories, memoryId, memoryOf, searchedIds } from "../../support/memory-fixture.ts";
import { postgresPlaces } from "../../support/postgres.ts";
import { newSession } from "../../support/session-fixture.ts";

const { place, open } = postgresPlaces();

async function vacuums(): Promise<unknown> {
  const { rows } = await place().query("SELECT pg_stat_get_vacuum_count('memories'::regclass)::int AS count");
  return rows[0]?.["count"];
}

describe("a memory that is forgotten", () => {
  it("leaves no row behind that the table still counts, and neither does a text that was replaced", async () => {
    const store = await open();
    await changeMemories(store, { put: [memoryOf("a"), memoryOf("b")], used: [memoryId("a")] });
    expect(await vacuums()).toBe(0);
    await changeMemories(store, { forget: [memoryId("a")] });
    expect(await vacuums()).toBe(1);
    await changeMemories(store, { put: [memoryOf("b", { text: "said otherwise" })] });
    expect(await vacuums()).toBe(2);
    await changeMemories(store, { put: [memoryOf("b", { text: "said otherwise", uses: 4 }), memoryOf("c")] });
    expect(await vacuums()).toBe(2);
    const { rows } = await place().query("SELECT id FROM memories ORDER BY id");
    expect(rows.map((row) => row["id"])).toEqual([memoryId("b"), memoryId("c")]);
  });
});

describe("a store that a belay without memories wrote", () => {
  it("keeps its sessions, and has memories from now on", async () => {
    const before = await open();
    await before.createSession(newSession());
    await place().query("DROP TABLE memories");
    await place().query("DELETE FROM migrations WHERE version > 2");
    const [store] = await Promise.all([open(), open()]);
    expect(await store.listSessions({ tenant: LOCAL_TENANT, limit: 9 })).toHaveLength(1);
    await changeMemories(store, { put: [memoryOf("a")] });
    expect(await searchedIds(store, "text")).toEqual([memoryId("a")]);
  });
});
