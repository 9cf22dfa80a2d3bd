/**
 * Memories in SQLite: what is left in files after forgetting (M2), stores from before there were memories, and the time a search
 * takes beside looking at all of them.
 */
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import type { Memory } from "../../../src/kernel/memory.ts";
import { wordsOf } from "../../../src/store/search-words.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import {
  changeMemories,
  MEMORY_ASKER,
  MEMORY_VIEW,
  memoryId,
  memoryOf,
  searchedIds,
} from "../../support/memory-fixture.ts";
import { beginning, journalOn, newSession, said } from "../../support/session-fixture.ts";
import { makeSqliteStore, type SqliteUnderTest } from "../../support/sqlite-store.ts";

let under: SqliteUnderTest;

beforeEach(async () => {
  under = await makeSqliteStore();
});
afterEach(() => under.dispose());

/** How much of a marker is looked for: the index may hold a word in parts. Characters. */
const PIECE = 10;
const HEX_RUN = /[0-9a-f]{10,}/gu;

const SEED = 5;
const ROUNDS = 25;

/** A word that stands nowhere by chance. */
function marker(): string {
  return randomBytes(20).toString("hex");
}

/** The markers of which any piece stands in any file of the store's directory. They are hexadecimal. */
async function inFiles(path: string, markers: readonly string[]): Promise<readonly string[]> {
  const home = dirname(path);
  const found = new Set<string>();
  for (const file of await readdir(home)) {
    const bytes = await readFile(join(home, file), "latin1");
    for (const [run] of bytes.matchAll(HEX_RUN)) {
      for (let at = 0; at + PIECE <= run.length; at++) found.add(run.slice(at, at + PIECE));
    }
  }
  const pieces = (word: string): readonly string[] =>
    Array.from({ length: Math.floor(word.length / PIECE) }, (_, i) => word.slice(i * PIECE, (i + 1) * PIECE));
  return markers.filter((word) => pieces(word).some((piece) => found.has(piece)));
}

describe("M2: what is forgotten", () => {
  it.each([
    ["locally", undefined],
    ["on a network file system", async () => "nfs"],
  ])("leaves no byte in any file of the store, %s, with other connections open", async (_, fileSystem) => {
    const { clock, path, store } = under;
    await store.close();
    const first = await openSqliteStore({ path, clock, ...(fileSystem && { fileSystem }) });
    const other = await openSqliteStore({ path, clock, ...(fileSystem && { fileSystem }) });
    const [secret, error, near] = [marker(), marker(), marker()];
    const put = [
      memoryOf("a", { text: `the token is ${secret}`, resolves: `E_${error}` }),
      memoryOf("b", { text: near }),
    ];
    await changeMemories(first, { put });
    expect(await searchedIds(other, secret)).toEqual([memoryId("a")]);
    for (let n = 0; n < 3; n++) await changeMemories(first, { used: [memoryId("a"), memoryId("b")] });
    expect(await inFiles(path, [secret, error, near])).toEqual([secret, error, near]);
    await changeMemories(other, { forget: [memoryId("a")] });
    expect(await inFiles(path, [secret, error, near])).toEqual([near]);
    expect(await first.getMemories(MEMORY_ASKER, [memoryId("a")])).toEqual([]);
    expect(await searchedIds(first, near)).toEqual([memoryId("b")]);
    await Promise.all([first.close(), other.close()]);
    expect(await inFiles(path, [secret, error, near])).toEqual([near]);
  });

  it("leaves none either when its text was replaced before: the replaced text is gone at once", async () => {
    const [before, after] = [marker(), marker()];
    await changeMemories(under.store, { put: [memoryOf("a", { text: before })] });
    await changeMemories(under.store, { put: [memoryOf("a", { text: after })] });
    expect(await inFiles(under.path, [before, after])).toEqual([after]);
    await changeMemories(under.store, { forget: [memoryId("a")] });
    expect(await inFiles(under.path, [before, after])).toEqual([]);
  });

  // To see that it can fail: where the texts are not written anew, each of the short run's draws finds a piece of one in a page that
  // SQLite split or merged.
  const draws = Array.from({ length: process.env["BELAY_TEST_LONG"] === undefined ? 3 : 20 }, (_, n) => SEED + n);
  it.each(draws)(
    "leaves none whatever was put, changed and forgotten before (draw %i)",
    { timeout: 120_000 },
    forgetsAll,
  );
});

/** Changes of all sorts, mixed; after each one what it forgot or replaced is looked for. */
async function forgetsAll(seed: number): Promise<void> {
  const { dispose, path, clock, ...place } = await makeSqliteStore();
  let store = place.store;
  try {
    await store.createSession(newSession());
    let journal = await journalOn(store);
    const draw = drawing(seed);
    const below = (n: number): number => Math.floor(draw() * n);
    const live = new Map<number, string>();
    const dead: string[] = [];
    let made = 0;
    // A digest looks like nothing else, and a run repeats to the byte. Rows of many lengths make SQLite move others.
    const written = (n: number): Memory => {
      const word = createHash("sha1").update(`${seed} ${made++}`).digest("hex");
      const replaced = live.get(n);
      if (replaced !== undefined) dead.push(replaced);
      live.set(n, word);
      return memoryOf(n, { text: `${word} ${"words of all ".repeat(below(70))}` });
    };
    for (let round = 0; round < ROUNDS; round++) {
      const known = [...live.keys()];
      const some = (count: number): readonly number[] =>
        known.length === 0 ? [] : Array.from({ length: count }, () => known[below(known.length)] ?? 0);
      const put = [...Array.from({ length: 8 }, () => written(made + 1_000)), ...some(4).map(written)];
      const forget = [...new Set(some(4))];
      await changeMemories(store, { put, used: some(5).map(memoryId), forget: forget.map(memoryId) });
      for (const n of forget) {
        dead.push(live.get(n) ?? "");
        live.delete(n);
      }
      expect(await inFiles(path, dead)).toEqual([]);
      if (round % 9 === 0) await journal.append([said("x".repeat(below(20_000)))]);
      if (round % 10 === 9) {
        await journal.close();
        await store.close();
        await clock.advance(100_000);
        store = await place.reopen();
        journal = await journalOn(store, { token: `token-${round}` });
      }
    }
    for (const [n, word] of [...live].slice(0, 5)) expect(await searchedIds(store, word)).toEqual([memoryId(n)]);
    await changeMemories(store, { forget: [...live.keys()].map(memoryId) });
    expect(await inFiles(path, [...dead, ...live.values()])).toEqual([]);
  } finally {
    await dispose();
  }
}

describe("another program that reads the store as it was", () => {
  const refusedInTheEnd = async (): Promise<unknown> => {
    let ended = false;
    const forgotten = changeMemories(under.store, { forget: [memoryId("a")] })
      .catch((error: unknown) => error)
      .finally(() => (ended = true));
    while (!ended) await under.clock.advance(100);
    return forgotten;
  };

  it("is waited for, then named: the memory is forgotten, its bytes go when it is forgotten again", async () => {
    const word = marker();
    await changeMemories(under.store, { put: [memoryOf("a", { text: word })] });
    const reader = new Sqlite(under.path);
    try {
      reader.exec("BEGIN");
      expect(reader.prepare("SELECT count(*) FROM memories").pluck().get()).toBe(1);
      const error = await refusedInTheEnd();
      expect(error).toMatchObject({ kind: "store_busy" });
      expect(String(error)).toContain("forget the same again");
      expect(String(error)).not.toContain(word);
      expect(await searchedIds(under.store, word)).toEqual([]);
      expect(await inFiles(under.path, [word])).toEqual([word]);
      reader.exec("COMMIT");
      await changeMemories(under.store, { forget: [memoryId("a")] });
      expect(await inFiles(under.path, [word])).toEqual([]);
    } finally {
      reader.close();
    }
  });

  it("and ends meanwhile is no hindrance", async () => {
    const word = marker();
    await changeMemories(under.store, { put: [memoryOf("a", { text: word })] });
    const reader = new Sqlite(under.path);
    try {
      reader.exec("BEGIN");
      reader.prepare("SELECT count(*) FROM memories").get();
      const forgotten = changeMemories(under.store, { forget: [memoryId("a")] });
      while (under.clock.sleepers === 0) await new Promise(setImmediate);
      reader.exec("COMMIT");
      await under.clock.advance(1_000);
      await forgotten;
      expect(await inFiles(under.path, [word])).toEqual([]);
    } finally {
      reader.close();
    }
  });

  it("and outlives us leaves nothing behind: the last one that closes empties the log", async () => {
    const word = marker();
    await changeMemories(under.store, { put: [memoryOf("a", { text: word })] });
    const reader = new Sqlite(under.path);
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM memories").get();
    expect(await refusedInTheEnd()).toMatchObject({ kind: "store_busy" });
    await under.store.close();
    reader.close();
    expect(await inFiles(under.path, [word])).toEqual([]);
  });
});

describe("a store that a belay without memories wrote", () => {
  it("keeps its sessions, and has memories from now on", async () => {
    await under.store.createSession(newSession());
    await (await journalOn(under.store)).append(beginning());
    await under.store.close();
    const database = new Sqlite(under.path);
    for (const table of ["memories", "memory_texts", "memory_index"]) database.exec(`DROP TABLE ${table}`);
    database.pragma("user_version = 2");
    database.close();
    const [store] = await Promise.all([under.reopen(), under.reopen()]);
    expect(await store.listSessions({ tenant: LOCAL_TENANT, limit: 9 })).toHaveLength(1);
    await changeMemories(store, { put: [memoryOf("a")] });
    expect(await searchedIds(store, "text")).toEqual([memoryId("a")]);
  });
});

describe("thousands of memories", () => {
  it("are found by a word that most of them hold, when the rare ones have too few hits", async () => {
    const put = Array.from({ length: 2_000 }, (_, n) => memoryOf(n, { text: "common" }));
    await changeMemories(under.store, { put: [...put, memoryOf("rare", { text: "flumox" })] });
    const found = async (limit: number): Promise<readonly string[]> =>
      (await under.store.searchMemories(MEMORY_VIEW, "common flumox", limit)).map(({ memory }) => memory.id);
    expect(await found(1)).toEqual([memoryId("rare")]);
    expect(await found(3)).toEqual([memoryId("rare"), memoryId(1_999), memoryId(1_998)]);
  });

  it("(5,000) are searched in less time than it takes to look at them all", { timeout: 120_000 }, async () => {
    const draw = drawing(7);
    const sentence = (length: number): string =>
      Array.from({ length }, () => `w${Math.floor(3_000 * draw() ** 3).toString(36)}abc`).join(" ");
    await changeMemories(under.store, {
      put: Array.from({ length: 5_000 }, (_, n) => memoryOf(n, { text: sentence(30) })),
    });
    const queries = Array.from({ length: 200 }, (_, n) => sentence(3 + (n % 20)));
    const searches: number[] = [];
    const scans: number[] = [];
    for (const [n, query] of queries.entries()) {
      searches.push(await timed(() => under.store.searchMemories(MEMORY_VIEW, query, 10)));
      if (n % 10 > 0) continue;
      const words = wordsOf(query);
      const scan = async (): Promise<unknown> => {
        const all = await under.store.listMemories(MEMORY_VIEW, 5_000);
        return all.filter(({ text }) => words.some((word) => text.includes(word)));
      };
      scans.push(await timed(scan));
    }
    expect(percentile(searches, 0.5)).toBeLessThan(percentile(scans, 0.5));
  });
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}

/** Numbers in [0, 1), the same in every run. */
function drawing(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
