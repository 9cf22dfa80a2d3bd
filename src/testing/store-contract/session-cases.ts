/** Contract: rows, lists, cancel requests, removal, tenants. */
import assert from "node:assert/strict";
import type { BlobHash, SessionId } from "../../kernel/ids.ts";
import {
  appendOf,
  claimOf,
  type ContractCase,
  contractCase,
  driven,
  newSession,
  OTHER_TENANT,
  records,
  rejects,
  SESSION,
  storedSeqs,
  SUMMARY,
  TENANT,
  TTL_MS,
} from "./case.ts";

export const sessionCases: readonly ContractCase[] = [
  contractCase(
    "a new session has no owner, epoch 0, no events, and all that it was created with",
    async ({ store, clock }) => {
      const created = newSession({
        priority: 3,
        summary: { ...SUMMARY, title: "ä \u{1F9D7} 'quoted' \"title\"", cost: null },
      });
      await store.createSession(created);
      assert.deepEqual(await store.getSession(TENANT, SESSION), {
        ...created,
        created_at: clock.now(),
        updated_at: clock.now(),
        epoch: 0,
        owner: null,
        lease_until: 0,
        last_seq: 0,
        run_at: null,
        cancel_requested: false,
      });
    },
  ),

  contractCase("a second session of the same id is refused and changes nothing", async ({ store }) => {
    await store.createSession(newSession());
    const error = await rejects("session_exists", store.createSession(newSession({ priority: 9 })));
    assert.match(error.message, new RegExp(SESSION));
    assert.equal((await store.getSession(TENANT, SESSION))?.priority, 0);
  }),

  contractCase(
    "a session can be created with its first records and their blobs: all of it, or nothing",
    async (made) => {
      const { store } = made;
      const hash = await store.putBlob(TENANT, Buffer.from("a large text"));
      await store.createSession(newSession(), { records: records(1, 3), blobs: [hash] });
      const row = await store.getSession(TENANT, SESSION);
      assert.deepEqual([row?.last_seq, row?.epoch, row?.owner], [3, 0, null]);
      assert.deepEqual(await store.read({ tenant: TENANT, session: SESSION, after_seq: 0, limit: 9 }), records(1, 3));
      await rejects("session_exists", store.createSession(newSession(), { records: records(1, 5), blobs: [] }));
      assert.deepEqual(await storedSeqs(store), [1, 2, 3]);
      const lease = await store.claim(claimOf("a"));
      await store.append(appendOf(lease, 3, 1));
      assert.deepEqual(await storedSeqs(store), [1, 2, 3, 4]);

      const session = "ses_other" as SessionId;
      const missing = `sha256:${"0".repeat(64)}` as BlobHash;
      await rejects(
        "blob_missing",
        store.createSession(newSession({ session }), { records: records(1, 2), blobs: [hash, missing] }),
      );
      assert.equal(await store.getSession(TENANT, session), null);
      assert.deepEqual(await store.read({ tenant: TENANT, session, after_seq: 0, limit: 9 }), []);

      await store.release(lease);
      await store.deleteSession(TENANT, SESSION);
      assert.deepEqual(await storedSeqs(store), []);
    },
  ),

  contractCase("a session that does not exist is null, has no events and no snapshot", async ({ store }) => {
    assert.equal(await store.getSession(TENANT, SESSION), null);
    assert.deepEqual(await storedSeqs(store), []);
    assert.equal(await store.getSnapshot(TENANT, SESSION), null);
  }),

  contractCase(
    "S4: what was handed in or out is the caller's own: changing it changes nothing stored",
    async ({ store }) => {
      const given = structuredClone(newSession());
      await store.createSession(given);
      (given.place as { cwd: string }).cwd = "/changed";
      (given.summary as { title: string }).title = "changed";
      const row = await store.getSession(TENANT, SESSION);
      assert.equal(row?.place.cwd, "/home/u/project/sub");
      (row.summary as { title: string }).title = "changed";
      const [listed] = await store.listSessions({ tenant: TENANT, limit: 1 });
      assert.equal(listed?.summary.title, SUMMARY.title);
      (listed.place as { source: string }).source = "/changed";
      assert.equal((await store.getSession(TENANT, SESSION))?.place.source, "/home/u/project");
    },
  ),

  contractCase(
    "sessions are listed newest first, also those of one millisecond, up to the limit",
    async ({ store, clock }) => {
      for (const id of ["ses_a", "ses_c", "ses_b"]) await store.createSession(newSession({ session: id as SessionId }));
      await clock.advance(5);
      await store.createSession(newSession({ session: "ses_0" as SessionId }));
      const ids = async (limit: number): Promise<readonly string[]> =>
        (await store.listSessions({ tenant: TENANT, limit })).map(({ session }) => session);
      assert.deepEqual(await ids(10), ["ses_0", "ses_b", "ses_c", "ses_a"]);
      assert.deepEqual(await ids(2), ["ses_0", "ses_b"]);
    },
  ),

  contractCase("a list can be of the sessions of one directory: started in it, or of its source", async ({ store }) => {
    const at = (session: string, cwd: string, source: string): Promise<void> =>
      store.createSession(newSession({ session: session as SessionId, place: { cwd, source, directory: "/d" } }));
    await at("ses_a", "/p/sub", "/p");
    await at("ses_b", "/p", "/p");
    await at("ses_c", "/q", "/q");
    const of = async (directory: string): Promise<readonly string[]> =>
      (await store.listSessions({ tenant: TENANT, directory, limit: 10 })).map(({ session }) => session);
    assert.deepEqual(await of("/p"), ["ses_b", "ses_a"]);
    assert.deepEqual(await of("/p/sub"), ["ses_a"]);
    assert.deepEqual(await of("/nowhere"), []);
  }),

  contractCase("a list can be of the sessions of one tree", async ({ store }) => {
    const at = (session: string, root: string): Promise<void> =>
      store.createSession(newSession({ session: session as SessionId, root: root as SessionId }));
    await at("ses_a", "ses_a");
    await at("ses_b", "ses_a");
    await at("ses_c", "ses_c");
    const of = async (root: string): Promise<readonly string[]> =>
      (await store.listSessions({ tenant: TENANT, root: root as SessionId, limit: 10 })).map(({ session }) => session);
    assert.deepEqual(await of("ses_a"), ["ses_b", "ses_a"]);
    assert.deepEqual(await of("ses_c"), ["ses_c"]);
    assert.deepEqual(await of("ses_b"), []);
  }),

  contractCase(
    "a request to cancel is seen by the next renew, is idempotent, and ends with the next claim",
    async ({ store, clock }) => {
      const lease = await driven(store);
      assert.equal(lease.cancel_requested, false);
      await store.requestCancel(TENANT, SESSION);
      await store.requestCancel(TENANT, SESSION);
      assert.equal((await store.renew(lease, TTL_MS)).cancel_requested, true);
      assert.equal((await store.getSession(TENANT, SESSION))?.cancel_requested, true);
      await clock.advance(TTL_MS);
      assert.equal((await store.claim(claimOf("token-2"))).cancel_requested, false);
      assert.equal((await store.getSession(TENANT, SESSION))?.cancel_requested, false);
    },
  ),

  contractCase("to cancel a session that does not exist is refused", async ({ store }) => {
    await rejects("session_not_found", store.requestCancel(TENANT, SESSION));
  }),

  contractCase(
    "a removed session is gone with its events and its snapshot, and its id is free again",
    async ({ store }) => {
      const lease = await driven(store);
      await store.append(appendOf(lease, 0, 3));
      await store.putSnapshot({ tenant: TENANT, session: SESSION, seq: 3, fold: 1, state: "{}" });
      await store.release(lease);
      await store.deleteSession(TENANT, SESSION);
      assert.equal(await store.getSession(TENANT, SESSION), null);
      assert.deepEqual(await storedSeqs(store), []);
      await store.createSession(newSession());
      assert.deepEqual(await storedSeqs(store), []);
      assert.equal(await store.getSnapshot(TENANT, SESSION), null);
    },
  ),

  contractCase(
    "a session is not removed while it is driven, and is once its lease ran out",
    async ({ store, clock }) => {
      const lease = await driven(store);
      await rejects("lease_held", store.deleteSession(TENANT, SESSION));
      await clock.advance(TTL_MS);
      await store.deleteSession(TENANT, SESSION);
      await rejects("fenced", store.append(appendOf(lease, 0, 1)));
      await rejects("fenced", store.renew(lease, TTL_MS));
      await store.release(lease);
    },
  ),

  contractCase("to remove what does not exist does nothing", async ({ store }) => {
    await store.deleteSession(TENANT, SESSION);
  }),

  contractCase("two tenants do not see each other, also with the same ids", async ({ store }) => {
    const mine = await driven(store);
    const theirs = await driven(store, { tenant: OTHER_TENANT, summary: { ...SUMMARY, title: "theirs" } });
    await store.append(appendOf(mine, 0, 2));
    await store.append(appendOf(theirs, 0, 1, { summary: { ...SUMMARY, title: "theirs" } }));
    assert.deepEqual(await storedSeqs(store), [1, 2]);
    assert.deepEqual(await storedSeqs(store, SESSION, OTHER_TENANT), [1]);
    const [listed, ...others] = await store.listSessions({ tenant: OTHER_TENANT, limit: 10 });
    assert.equal(listed?.summary.title, "theirs");
    assert.deepEqual(others, []);
    const blob = await store.putBlob(TENANT, new Uint8Array([1, 2, 3]));
    await rejects("blob_missing", store.getBlob(OTHER_TENANT, blob));
    await rejects("fenced", store.append(appendOf({ ...mine, tenant: OTHER_TENANT, token: "token-x" }, 1, 1)));
    await store.release(theirs);
    await store.deleteSession(OTHER_TENANT, SESSION);
    assert.deepEqual(await storedSeqs(store), [1, 2]);
  }),
];
