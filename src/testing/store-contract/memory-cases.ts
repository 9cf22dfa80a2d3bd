/** Contract: M1 to M4, memories. What is left in files after forgetting is each back-end's own to prove. */
import assert from "node:assert/strict";
import { InvariantError } from "../../kernel/harness-error.ts";
import type { MemoryId, PrincipalId, SessionId } from "../../kernel/ids.ts";
import { type Memory, MEMORY_CHARS_MAX, MEMORY_EVIDENCE_MAX } from "../../kernel/memory.ts";
import { MEMORIES_MAX, type MemoryChanges, type MemoryView } from "../../store/memories.ts";
import type { Store } from "../../store/port.ts";
import { type ContractCase, contractCase, driven, OTHER_TENANT, rejects, SESSION, TENANT } from "./case.ts";
import { givenMemory } from "./given-memory.ts";

const PROJECT = "sha256-of-a-repository";
const OTHER_PROJECT = "sha256-of-another";
const ME = { tenant: TENANT, principal: "principal-1" as PrincipalId };
const COLLEAGUE = { tenant: TENANT, principal: "principal-2" as PrincipalId };
const STRANGER = { tenant: OTHER_TENANT, principal: "principal-1" as PrincipalId };
/** What I see of the project, and of my own. */
const VIEW: MemoryView = { ...ME, project: PROJECT };

function idOf(name: string): MemoryId {
  return `mem_${name}` as MemoryId; // of the shape
}

/** Of the project, unless facts say otherwise. */
function memory(name: string, facts: Partial<Memory> = {}): Memory {
  return givenMemory({ ...ME, id: idOf(name), text: `text of ${name}`, ...facts }, PROJECT);
}

function change(store: Store, changes: Partial<MemoryChanges>, of: Pick<MemoryView, "tenant" | "principal"> = ME) {
  return store.changeMemories(of, { put: [], forget: [], used: [], ...changes });
}

function put(store: Store, ...memories: readonly Memory[]): Promise<void> {
  return change(store, { put: memories });
}

async function stored(store: Store, name: string, of: Pick<MemoryView, "tenant" | "principal"> = ME) {
  const [found] = await store.getMemories(of, [idOf(name)]);
  return found ?? null;
}

function names(memories: readonly Memory[]): readonly string[] {
  return memories.map(({ id }) => id.slice("mem_".length));
}

async function listed(store: Store, facts: Partial<MemoryView> = {}, limit = 99): Promise<readonly string[]> {
  return names(await store.listMemories({ ...VIEW, ...facts }, limit));
}

async function searched(
  store: Store,
  query: string,
  facts: Partial<MemoryView> = {},
  limit = 99,
): Promise<readonly string[]> {
  const hits = await store.searchMemories({ ...VIEW, ...facts }, query, limit);
  return names(hits.map((hit) => hit.memory));
}

const keeping: readonly ContractCase[] = [
  contractCase("a memory is kept to the letter, and what is handed out is the caller's own", async ({ store }) => {
    const one = memory("a", {
      kind: "anti_pattern",
      text: `"ä" ' % \\ $1 \u{1F9D7} \n\t\u0000 \ud800 -- ; DROP TABLE memories`,
      resolves: "ERR_MODULE_NOT_FOUND: 'x\u0000'",
      origin: "dream",
      untrusted: true,
      confidence: 0.1,
      state: "superseded",
      evidence: [{ session: SESSION, seq: 7 }],
      uses: 3,
      superseded_by: idOf("b"),
    });
    await put(store, one);
    const found = await stored(store, "a");
    assert.deepEqual(found, one);
    Object.assign(found ?? {}, { text: "changed by the caller" });
    assert.deepEqual(await stored(store, "a"), one);
  }),

  contractCase("memories are listed newest first, by scope, kind and state, up to a limit", async ({ store }) => {
    await put(store, memory("old", { created_at: 5, kind: "procedural" }), memory("new", { created_at: 9 }));
    await put(store, memory("user", { created_at: 7, scope: "user" }), memory("last", { created_at: 9 }));
    await put(store, memory("waits", { state: "proposed" }), memory("unfinished", { state: "pending" }));
    assert.deepEqual(await listed(store), ["last", "new", "user", "old"]);
    assert.deepEqual(await listed(store, {}, 2), ["last", "new"]);
    assert.deepEqual(await listed(store, { kinds: ["procedural"] }), ["old"]);
    assert.deepEqual(await listed(store, { kinds: [] }), []);
    assert.deepEqual(await listed(store, { scopes: ["user", "team"] }), ["user"]);
    assert.deepEqual(await listed(store, { states: ["pending", "proposed"] }), ["unfinished", "waits"]);
    assert.deepEqual(await searched(store, "text", { states: ["proposed"] }), ["waits"]);
    assert.deepEqual(await searched(store, "text", { kinds: ["procedural"] }), ["old"]);
    assert.deepEqual(await searched(store, "text", { scopes: ["user"] }), ["user"]);
  }),

  contractCase("a new version takes the place of the old one, in the index too", async ({ store }) => {
    await put(store, memory("a", { text: "we use jQuery" }), memory("b", { text: "use strict types" }));
    await put(store, memory("a", { text: "we moved to React", uses: 4, state: "superseded" }));
    assert.deepEqual(
      await stored(store, "a"),
      memory("a", { text: "we moved to React", uses: 4, state: "superseded" }),
    );
    const states = ["active", "superseded"] as const;
    assert.deepEqual(await searched(store, "jquery", { states }), []);
    assert.deepEqual(await searched(store, "react", { states }), ["a"]);
    assert.deepEqual(await searched(store, "react"), []);
    assert.equal((await listed(store, { states })).length, 2);
  }),

  contractCase("a revision of what somebody forgot meanwhile stays away", async ({ store }) => {
    await put(store, memory("a"), memory("b"));
    await change(store, { forget: [idOf("a")] });
    await change(store, { put: [], revise: [memory("a", { text: "again" }), memory("b", { text: "revised" })] });
    assert.equal(await stored(store, "a"), null);
    assert.deepEqual(await searched(store, "again revised"), ["b"]);
  }),

  contractCase("a use is stamped with the store's time and counted once a change", async ({ store, clock }) => {
    await put(store, memory("a"), memory("b", { uses: 127 }), memory("c"));
    await clock.advance(11);
    await change(store, { used: [idOf("a"), idOf("b"), idOf("a"), idOf("nobody")] });
    assert.deepEqual(await stored(store, "a"), memory("a", { used_at: clock.now(), uses: 1 }));
    assert.deepEqual(await stored(store, "b"), memory("b", { used_at: clock.now(), uses: 128 }));
    assert.deepEqual(await stored(store, "c"), memory("c"));
    assert.equal(await stored(store, "nobody"), null);
  }),

  contractCase("what is put, used and forgotten in one change is forgotten", async ({ store }) => {
    const a = idOf("a");
    await change(store, { put: [memory("a"), memory("b")], used: [a], forget: [a] });
    assert.deepEqual(await listed(store), ["b"]);
  }),

  contractCase("memories outlive the session in which they were learned", async ({ store }) => {
    const lease = await driven(store);
    await put(store, memory("a", { evidence: [{ session: SESSION, seq: 1 }] }));
    await store.release(lease);
    await store.deleteSession(TENANT, SESSION);
    assert.deepEqual((await stored(store, "a"))?.evidence, [{ session: SESSION, seq: 1 }]);
    assert.deepEqual(await searched(store, "text"), ["a"]);
  }),
];

const seeing: readonly ContractCase[] = [
  contractCase("M1: no tenant sees, counts, uses or forgets the memories of another", async ({ store }) => {
    await put(store, memory("team", { scope: "team" }), memory("mine", { scope: "user" }));
    const theirs: MemoryView = { ...STRANGER, project: PROJECT };
    assert.deepEqual(await listed(store, theirs), []);
    assert.deepEqual(await searched(store, "text", theirs), []);
    for (const name of ["team", "mine"]) assert.equal(await stored(store, name, STRANGER), null);
    await change(store, { used: [idOf("team")], forget: [idOf("team"), idOf("mine")] }, STRANGER);
    assert.deepEqual(await stored(store, "team"), memory("team", { scope: "team" }));
    // The same id is another memory there.
    await change(store, { put: [{ ...memory("mine"), ...STRANGER, text: "theirs" }] }, STRANGER);
    assert.equal((await stored(store, "mine"))?.text, "text of mine");
    assert.equal((await stored(store, "mine", STRANGER))?.text, "theirs");
  }),

  contractCase(
    "M1: of scope user and project a memory is its principal's, of scope team everybody's",
    async ({ store }) => {
      await put(store, memory("user", { scope: "user" }), memory("project"), memory("team", { scope: "team" }));
      const theirs: MemoryView = { ...COLLEAGUE, project: PROJECT };
      assert.deepEqual(await listed(store, theirs), ["team"]);
      assert.deepEqual(await searched(store, "text", theirs), ["team"]);
      const ids = ["user", "project", "team"].map(idOf);
      assert.deepEqual(names(await store.getMemories(COLLEAGUE, ids)), ["team"]);
      await change(store, { used: ids }, COLLEAGUE);
      const uses = (await store.getMemories(ME, ids)).map((found) => [found.scope, found.uses]);
      assert.deepEqual(Object.fromEntries(uses), { user: 0, project: 0, team: 1 });
      await change(store, { forget: ids }, COLLEAGUE);
      assert.deepEqual([...(await listed(store))].sort(), ["project", "user"]);
    },
  ),

  contractCase("M1: a project's memories are seen in that project, the user's own everywhere", async ({ store }) => {
    await put(store, memory("user", { scope: "user" }), memory("here"), memory("team", { scope: "team" }));
    await put(store, memory("there", { project: OTHER_PROJECT }));
    const seen = async (project: string | null): Promise<readonly string[]> => {
      const inList = [...(await listed(store, { project }))].sort();
      assert.deepEqual([...(await searched(store, "text", { project }))].sort(), inList);
      return inList;
    };
    assert.deepEqual(await seen(PROJECT), ["here", "team", "user"]);
    assert.deepEqual(await seen(OTHER_PROJECT), ["there", "user"]);
    assert.deepEqual(await seen(null), ["user"]);
    assert.deepEqual(await seen(""), ["user"]);
  }),

  contractCase("M1: nobody puts a memory in another's place, and nothing of that change is done", async ({ store }) => {
    const mine = memory("mine");
    await put(store, mine, memory("team", { scope: "team" }));
    const theirs = { ...memory("theirs"), ...COLLEAGUE };
    const refused: readonly Memory[] = [
      { ...mine, ...COLLEAGUE },
      mine,
      { ...memory("team", { scope: "team" }), ...COLLEAGUE },
      memory("team"),
      memory("team", { scope: "team", project: OTHER_PROJECT }),
      memory("unknown"),
    ];
    for (const one of refused) {
      const error = await rejects("usage", change(store, { put: [theirs, one], forget: [idOf("team")] }, COLLEAGUE));
      assert.ok(!error.message.includes("text of"), "no message holds a text");
    }
    assert.deepEqual(await listed(store), ["team", "mine"]);
    assert.deepEqual(await listed(store, COLLEAGUE), ["team"]);
  }),

  contractCase("a team's memory is changed by all who share it, and moved by its author alone", async ({ store }) => {
    await put(store, memory("team", { scope: "team" }));
    await change(store, { put: [memory("team", { scope: "team", text: "better said" })] }, COLLEAGUE);
    assert.equal((await stored(store, "team"))?.text, "better said");
    assert.equal((await stored(store, "team", COLLEAGUE))?.principal, ME.principal);
    await put(store, memory("team", { scope: "user" }));
    assert.equal(await stored(store, "team", COLLEAGUE), null);
  }),
];

const searching: readonly ContractCase[] = [
  contractCase("M3: what holds more of the words comes first, and a rare word counts for more", async ({ store }) => {
    await put(
      store,
      ...Array.from({ length: 12 }, (_, n) => memory(`common${n}`, { text: `the tests of part ${n} run by hand` })),
      memory("rare", { text: "vitest has a pool that leaks between files" }),
      memory("both", { text: "the tests run in a vitest pool" }),
    );
    const hits = await store.searchMemories(VIEW, "why do the tests leak in the vitest pool?", 3);
    assert.deepEqual([...names(hits.map((hit) => hit.memory))].slice(0, 2).sort(), ["both", "rare"]);
    assert.ok(hits.every(({ rank }, i) => rank > 0 && rank <= (hits[i - 1]?.rank ?? Infinity)));
    assert.equal(hits.length, 3);
  }),

  contractCase("M3: to search touches nothing", async ({ store, clock }) => {
    await put(store, memory("a"));
    await clock.advance(5);
    const [hit] = await store.searchMemories(VIEW, "text", 9);
    assert.deepEqual(hit?.memory, memory("a"));
    assert.deepEqual(await stored(store, "a"), memory("a"));
  }),

  contractCase("an anti-pattern is found by the error that it resolves", async ({ store }) => {
    await put(store, memory("a", { text: "Install the native part anew.", resolves: "Error: ERR_DLOPEN_FAILED" }));
    for (const query of ["ERR_DLOPEN_FAILED", "dlopen", "native part"]) {
      assert.deepEqual(await searched(store, query), ["a"], query);
    }
  }),

  contractCase("words are found whatever their case, accents, marks and neighbours", async ({ store }) => {
    await put(
      store,
      memory("a", { text: "Führe `npm run test:unit -- --no-cache` in src/store/port.ts aus (useEffect)." }),
    );
    await put(store, memory("b", { text: "データベースの移行は手動" }), memory("c", { text: "Тесты идут долго" }));
    await put(store, memory("d", { text: "migrations are numbered" }));
    const expected: readonly (readonly [query: string, name: string])[] = [
      ["FUHRE", "a"],
      ["führe", "a"],
      ["fu\u0308hre", "a"],
      ["no-cache", "a"],
      ["cache", "a"],
      ["port.ts", "a"],
      ["store", "a"],
      ["useeffect", "a"],
      ["effect", "a"],
      ["移行", "b"],
      ["行", "b"],
      ["ベース", "b"],
      ["тесты", "c"],
      ["migrat", "d"],
      ["x".repeat(50_000) + " ", ""],
      ["mig", ""],
      ["igrations", ""],
      ["手紙", ""],
    ];
    for (const [query, name] of expected) {
      assert.deepEqual(await searched(store, query), name === "" ? [] : [name], query.slice(0, 80));
    }
  }),

  contractCase("nothing in a query is syntax", async ({ store }) => {
    await put(store, memory("a", { text: "alpha NEAR beta" }), memory("b", { text: "gamma and not delta" }));
    const found: readonly (readonly [query: string, names: readonly string[]])[] = [
      ["NEAR(alpha beta, 1)", ["a"]],
      ["NEAR", ["a"]],
      ["alpha NOT alpha", ["a", "b"]],
      ["-alpha", ["a"]],
      ["words:alpha", ["a"]],
      ["^alpha", ["a"]],
      [`"alpha`, ["a"]],
      [`al"pha" OR "alpha" *`, ["a"]],
      ["'gamma' & !gamma | (gamma", ["b"]],
      ["gamma:*ABCD <-> \\", ["b"]],
      ["{words} : gamma + ", ["b"]],
      ["alp*", []],
      ["*", []],
      [`"" ''`, []],
      ["", []],
      [" \u0000\n\ud800 ", []],
      ["%", []],
      ["()", []],
    ];
    for (const [query, expected] of found) {
      assert.deepEqual([...(await searched(store, query))].sort(), expected, JSON.stringify(query));
    }
  }),

  contractCase("a search is bounded by its limit, and of equals the newest come first", async ({ store }) => {
    await put(store, ...["a", "b", "c"].map((name) => memory(name, { text: "the same" })));
    assert.deepEqual(await searched(store, "same", {}, 2), ["c", "b"]);
    const words = Array.from({ length: 400 }, (_, n) => `word${n}`).join(" ");
    assert.deepEqual(await searched(store, `${words} same`), []);
    assert.deepEqual(await searched(store, "is was the same so far"), ["c", "b", "a"]);
  }),
];

const changing: readonly ContractCase[] = [
  contractCase("what is forgotten is found no more, by nobody and by no word of it", async ({ store }) => {
    await put(store, memory("a", { text: "the key is hunter2", scope: "team" }), memory("b"));
    await change(store, { used: [idOf("a")] });
    await change(store, { forget: [idOf("a"), idOf("nobody")] });
    assert.equal(await stored(store, "a"), null);
    for (const query of ["hunter2", "hunt", "the key is"]) assert.deepEqual(await searched(store, query), []);
    assert.deepEqual(await listed(store), ["b"]);
    assert.deepEqual(await searched(store, "text"), ["b"]);
    await change(store, { forget: [idOf("a")] });
    await put(store, memory("c", { text: "hunter3" }));
    assert.deepEqual(await searched(store, "hunter3"), ["c"]);
  }),

  contractCase("M4: a change that is refused changes nothing", async ({ store }) => {
    await change(store, { put: [{ ...memory("theirs"), ...COLLEAGUE }] }, COLLEAGUE);
    await put(store, memory("a"), memory("b"));
    const refused = {
      put: [memory("a", { text: "changed" }), memory("theirs")],
      used: [idOf("b")],
      forget: [idOf("a")],
    };
    await rejects("usage", change(store, refused));
    assert.deepEqual(await stored(store, "a"), memory("a"));
    assert.deepEqual(await stored(store, "b"), memory("b"));
    assert.deepEqual(await searched(store, "changed"), []);
  }),

  contractCase("M4: changes at the same time are all done, one after the other", async ({ store }) => {
    await put(store, memory("shared", { scope: "team" }), memory("gone"));
    const many = Array.from({ length: 8 }, (_, n) => n);
    await Promise.all(
      many.map((n) =>
        change(store, {
          put: [memory(`of${n}`), memory("last", { text: `writer ${n}` })],
          used: [idOf("shared")],
          forget: [idOf("gone"), idOf(`of${n - 1}`)],
        }),
      ),
    );
    assert.equal((await stored(store, "shared"))?.uses, many.length);
    assert.equal(await stored(store, "gone"), null);
    assert.match((await stored(store, "last"))?.text ?? "", /^writer \d$/);
    assert.equal((await searched(store, "writer")).length, 1);
  }),

  contractCase("what is no memory is a programmer error and writes nothing", async ({ store }) => {
    const long = "x".repeat(MEMORY_CHARS_MAX);
    const evidence = Array.from({ length: MEMORY_EVIDENCE_MAX + 1 }, (_, seq) => ({
      session: "ses_x" as SessionId,
      seq,
    }));
    const wrong: readonly Partial<Memory>[] = [
      { text: `${long}x` },
      { resolves: `${long}x` },
      { confidence: 1.01 },
      { confidence: Number.NaN },
      { evidence },
      { project: "" },
      { scope: "user", project: PROJECT },
      { tenant: OTHER_TENANT },
    ];
    for (const facts of wrong) {
      await assert.rejects(async () => put(store, memory("good"), memory("wrong", facts)), InvariantError);
    }
    assert.deepEqual(await listed(store), []);
    await put(store, memory("good", { text: long, resolves: long, evidence: evidence.slice(1) }));
    assert.equal((await stored(store, "good"))?.evidence.length, MEMORY_EVIDENCE_MAX);
  }),

  contractCase(
    "more memories of a scope and project than are kept are refused, and fewer are not",
    async ({ store }) => {
      const all = Array.from({ length: MEMORIES_MAX }, (_, n) => memory(`n${n}`, { scope: "team", text: "" }));
      await put(store, ...all);
      const one = memory("more", { scope: "team", text: "secret" });
      const error = await rejects("store_full", put(store, memory("elsewhere"), one));
      assert.ok(!error.message.includes("secret"), "no message holds a text");
      assert.deepEqual(await listed(store, { scopes: ["project"] }), []);
      await put(store, memory("elsewhere"), memory("n7", { scope: "team", uses: 1, text: "" }));
      await change(store, { put: [one], forget: [idOf("n9")] });
      assert.deepEqual(await searched(store, "secret"), ["more"]);
      const moved = change(store, { put: [memory("elsewhere", { scope: "team" })] });
      await rejects("store_full", moved);
    },
  ),

  contractCase(
    "memories are seen by others at once, and are there after the store was closed and opened again",
    async ({ store, reopen }) => {
      assert.ok(reopen);
      const other = await reopen();
      await put(store, memory("a"), memory("b"));
      assert.deepEqual(await searched(other, "text"), ["b", "a"]);
      await Promise.all([
        change(other, { forget: [idOf("a")], used: [idOf("b")] }),
        change(store, { forget: [idOf("a")], used: [idOf("b")] }),
      ]);
      await other.close();
      await store.close();
      const again = await reopen();
      assert.deepEqual(await searched(again, "text"), ["b"]);
      assert.equal((await stored(again, "b"))?.uses, 2);
    },
    "reopen",
  ),
];

export const memoryCases: readonly ContractCase[] = [...keeping, ...seeing, ...searching, ...changing];
