/** Contract: S1 and S2, records and snapshots. */
import assert from "node:assert/strict";
import { hashOf } from "../../kernel/envelope.ts";
import { InvariantError } from "../../kernel/harness-error.ts";
import {
  appendOf,
  type ContractCase,
  contractCase,
  driven,
  records,
  rejects,
  SESSION,
  storedSeqs,
  SUMMARY,
  TENANT,
} from "./case.ts";

const MANY = 10_000;
const BATCH = 250;

/** What a database might reorder, refuse, trim or take for its own syntax. */
const BODIES: readonly string[] = [
  String.raw`{"z":1,"a":2,"a ":"\u0000 \ud800 \udc00"}`,
  `{"text":"${"\u{1F9D7}\u200d\u{1F3FB} e\u0301 \u00e9 \uffff"}"}`,
  String.raw`{"a":"{\"NULL\",NULL,\\}' \\ $1 :name ? -- /* ; %s"}`,
  "NULL",
  "",
  " {}\r\n\t",
  "{1,2}",
  `{"n":9007199254740993,"x":1e400,"y":-0.0}`,
  `{"large":"${"\u00e9\\".repeat(21_000)}"}`,
];

export const recordCases: readonly ContractCase[] = [
  contractCase(
    "S1: appended records are read back to the byte and in order, and the summary with them",
    async ({ store, clock }) => {
      const lease = await driven(store);
      await clock.advance(7);
      const summary = { ...SUMMARY, status: "running" as const, turns: 2, tokens: 90, cost: 12_345 };
      await store.append(appendOf(lease, 0, 3, { summary }));
      await store.append(appendOf(lease, 3, 2, { summary }));
      assert.deepEqual(await store.read({ tenant: TENANT, session: SESSION, after_seq: 0, limit: 10 }), records(1, 5));
      const row = await store.getSession(TENANT, SESSION);
      assert.equal(row?.last_seq, 5);
      assert.equal(row.updated_at, clock.now());
      assert.deepEqual(row.summary, summary);
    },
  ),

  contractCase("bodies are kept to the byte, whatever stands in them", async ({ store }) => {
    const lease = await driven(store);
    const given = BODIES.map((body, i) => ({ seq: i + 1, kind: "Invented", hash: hashOf(body), body, blob: null }));
    await store.append(appendOf(lease, 0, given.length, { records: given }));
    assert.deepEqual(await store.read({ tenant: TENANT, session: SESSION, after_seq: 0, limit: 100 }), given);
    const state = BODIES.join("\n");
    await store.putSnapshot({ tenant: TENANT, session: SESSION, seq: 1, fold: 1, state });
    assert.equal((await store.getSnapshot(TENANT, SESSION))?.state, state);
  }),

  contractCase("a read starts after a position and ends at its limit", async ({ store }) => {
    const lease = await driven(store);
    await store.append(appendOf(lease, 0, 9));
    const seqs = async (after_seq: number, limit: number): Promise<readonly number[]> =>
      (await store.read({ tenant: TENANT, session: SESSION, after_seq, limit })).map(({ seq }) => seq);
    assert.deepEqual(await seqs(0, 4), [1, 2, 3, 4]);
    assert.deepEqual(await seqs(4, 4), [5, 6, 7, 8]);
    assert.deepEqual(await seqs(8, 4), [9]);
    assert.deepEqual(await seqs(9, 4), []);
    assert.deepEqual(await seqs(99, 4), []);
  }),

  contractCase("S2: an append after any but the last position writes nothing", async ({ store }) => {
    const lease = await driven(store);
    await store.append(appendOf(lease, 0, 2));
    for (const after of [0, 1, 3, 99]) {
      await rejects("fenced", store.append(appendOf(lease, after, 1, { summary: { ...SUMMARY, title: "wrong" } })));
    }
    assert.deepEqual(await storedSeqs(store), [1, 2]);
    assert.equal((await store.getSession(TENANT, SESSION))?.summary.title, SUMMARY.title);
  }),

  contractCase("S2: records with a gap are a programmer error and write nothing", async ({ store }) => {
    const lease = await driven(store);
    const gap = [...records(1, 1), ...records(3, 1)];
    await assert.rejects(store.append(appendOf(lease, 0, 2, { records: gap })), InvariantError);
    assert.deepEqual(await storedSeqs(store), []);
    await store.append(appendOf(lease, 0, 1));
  }),

  contractCase("S2: of many appends at the same moment one succeeds, and there is no gap", async ({ store }) => {
    const lease = await driven(store);
    const settled = await Promise.allSettled(Array.from({ length: 6 }, () => store.append(appendOf(lease, 0, 2))));
    assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 1);
    assert.deepEqual(await storedSeqs(store), [1, 2]);
  }),

  contractCase("S4: appended and read records are the caller's own", async ({ store }) => {
    const lease = await driven(store);
    const given = structuredClone(records(1, 1));
    await store.append(appendOf(lease, 0, 1, { records: given }));
    for (const record of given) (record as { body: string }).body = "changed";
    for (const record of await store.read({ tenant: TENANT, session: SESSION, after_seq: 0, limit: 1 })) {
      (record as { body: string }).body = "changed";
    }
    assert.deepEqual(await store.read({ tenant: TENANT, session: SESSION, after_seq: 0, limit: 1 }), records(1, 1));
  }),

  contractCase("records of kinds that nobody knows are kept as they are", async ({ store }) => {
    const lease = await driven(store);
    const [one] = records(1, 1);
    assert.ok(one);
    await store.append(appendOf(lease, 0, 1, { records: [{ ...one, kind: "FromTheFuture" }] }));
    const [read] = await store.read({ tenant: TENANT, session: SESSION, after_seq: 0, limit: 1 });
    assert.equal(read?.kind, "FromTheFuture");
  }),

  contractCase(`a session of ${MANY} events is read back whole`, async ({ store }) => {
    const lease = await driven(store);
    for (let after = 0; after < MANY; after += BATCH) await store.append(appendOf(lease, after, BATCH));
    const seqs = await storedSeqs(store);
    assert.equal(seqs.length, MANY);
    assert.ok(seqs.every((seq, i) => seq === i + 1));
    assert.deepEqual(
      await store.read({ tenant: TENANT, session: SESSION, after_seq: MANY - 1, limit: 9 }),
      records(MANY, 1),
    );
  }),

  contractCase("a snapshot is kept, and the next one takes its place", async ({ store }) => {
    await driven(store);
    const snapshot = { tenant: TENANT, session: SESSION, seq: 3, fold: 1, state: '{"a":"ä"}' };
    await store.putSnapshot(snapshot);
    assert.deepEqual(await store.getSnapshot(TENANT, SESSION), snapshot);
    await store.putSnapshot({ ...snapshot, seq: 9, fold: 2 });
    assert.deepEqual(await store.getSnapshot(TENANT, SESSION), { ...snapshot, seq: 9, fold: 2 });
  }),

  contractCase("a snapshot of a session that does not exist is not kept", async ({ store }) => {
    await store.putSnapshot({ tenant: TENANT, session: SESSION, seq: 1, fold: 1, state: "{}" });
    assert.equal(await store.getSnapshot(TENANT, SESSION), null);
  }),

  contractCase(
    "S1: what was acknowledged is there after the store was closed and opened again",
    async ({ store, reopen }) => {
      assert.ok(reopen);
      const lease = await driven(store);
      await store.append(appendOf(lease, 0, 3));
      const blob = await store.putBlob(TENANT, new Uint8Array([1, 2, 3]));
      await store.putSnapshot({ tenant: TENANT, session: SESSION, seq: 3, fold: 1, state: "{}" });
      const row = await store.getSession(TENANT, SESSION);
      await store.close();
      await store.close();
      const again = await reopen();
      assert.deepEqual(await again.getSession(TENANT, SESSION), row);
      assert.deepEqual(await again.read({ tenant: TENANT, session: SESSION, after_seq: 0, limit: 9 }), records(1, 3));
      assert.deepEqual([...(await again.getBlob(TENANT, blob))], [1, 2, 3]);
      assert.equal((await again.getSnapshot(TENANT, SESSION))?.seq, 3);
      await again.append(appendOf(lease, 3, 1));
      assert.deepEqual(await storedSeqs(again), [1, 2, 3, 4]);
    },
    "reopen",
  ),

  contractCase(
    "S1: what was acknowledged is seen at once by another that has the store open",
    async ({ store, reopen }) => {
      assert.ok(reopen);
      const other = await reopen();
      const lease = await driven(store);
      await store.append(appendOf(lease, 0, 2));
      assert.deepEqual(await storedSeqs(other), [1, 2]);
      await rejects("fenced", other.append(appendOf(lease, 1, 1)));
      await other.append(appendOf(lease, 2, 1));
      await rejects("fenced", store.append(appendOf(lease, 2, 1)));
      assert.deepEqual(await storedSeqs(store), [1, 2, 3]);
    },
    "reopen",
  ),

  contractCase(
    "S2: of appends at the same moment through two openings of the store one succeeds",
    async ({ store, reopen }) => {
      assert.ok(reopen);
      const other = await reopen();
      const lease = await driven(store);
      for (let after = 0; after < 20; after += 2) {
        const settled = await Promise.allSettled([
          store.append(appendOf(lease, after, 2)),
          other.append(appendOf(lease, after, 2)),
        ]);
        assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 1);
      }
      assert.deepEqual(
        await storedSeqs(other),
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
    },
    "reopen",
  ),

  contractCase(
    "a record whose bytes changed is refused by name, and the ones before it are still read",
    async ({ store, damage }) => {
      assert.ok(damage);
      const lease = await driven(store);
      await store.append(appendOf(lease, 0, 5));
      await damage.record(SESSION, 4);
      const error = await rejects(
        "store_corrupt",
        store.read({ tenant: TENANT, session: SESSION, after_seq: 0, limit: 9 }),
      );
      assert.match(error.message, /Event 4 of session ses_1/);
      assert.deepEqual(await store.read({ tenant: TENANT, session: SESSION, after_seq: 0, limit: 3 }), records(1, 3));
    },
    "damage",
  ),

  contractCase(
    "a snapshot whose bytes changed is as good as none",
    async ({ store, damage }) => {
      assert.ok(damage);
      await driven(store);
      await store.putSnapshot({ tenant: TENANT, session: SESSION, seq: 1, fold: 1, state: '{"seq":1}' });
      await damage.snapshot(SESSION);
      assert.equal(await store.getSnapshot(TENANT, SESSION), null);
    },
    "damage",
  ),
];
