/** Contract: S3, one writer per session. */
import assert from "node:assert/strict";
import {
  appendOf,
  claimOf,
  type ContractCase,
  contractCase,
  driven,
  newSession,
  owner,
  rejects,
  SESSION,
  storedSeqs,
  TENANT,
  TTL_MS,
} from "./case.ts";

export const leaseCases: readonly ContractCase[] = [
  contractCase(
    "a claim makes one writer: the lease names it, the row shows it, the epoch is one higher",
    async ({ store, clock }) => {
      await store.createSession(newSession());
      const lease = await store.claim(claimOf("token-1"));
      assert.deepEqual(lease, {
        tenant: TENANT,
        session: SESSION,
        token: "token-1",
        epoch: 1,
        until: clock.now() + TTL_MS,
        last_seq: 0,
        cancel_requested: false,
      });
      const row = await store.getSession(TENANT, SESSION);
      assert.deepEqual(row?.owner, owner("token-1"));
      assert.equal(row.epoch, 1);
      assert.equal(row.lease_until, clock.now() + TTL_MS);
    },
  ),

  contractCase("a session that does not exist cannot be claimed", async ({ store }) => {
    await rejects("session_not_found", store.claim(claimOf("token-1")));
  }),

  contractCase(
    "while a lease runs every other claim is refused, and the refusal names the owner",
    async ({ store }) => {
      await driven(store);
      const error = await rejects("lease_held", store.claim(claimOf("token-2")));
      assert.match(error.message, /4711/);
      assert.match(error.message, /host-1/);
    },
  ),

  contractCase(
    "S3: a lease that ran out can be claimed: the epoch rises, and the old holder is fenced from everything",
    async ({ store, clock }) => {
      const old = await driven(store);
      await store.append(appendOf(old, 0, 2));
      await clock.advance(TTL_MS);
      const fresh = await store.claim(claimOf("token-2"));
      assert.equal(fresh.epoch, 2);
      assert.equal(fresh.last_seq, 2);
      await rejects("fenced", store.append(appendOf(old, 2, 1)));
      await rejects("fenced", store.renew(old, TTL_MS));
      await store.release(old);
      assert.equal((await store.getSession(TENANT, SESSION))?.owner?.token, "token-2");
      await store.append(appendOf(fresh, 2, 1));
      assert.deepEqual(await storedSeqs(store), [1, 2, 3]);
    },
  ),

  contractCase("a lease that ran out and that nobody claimed is still its holder's", async ({ store, clock }) => {
    const lease = await driven(store);
    await clock.advance(10 * TTL_MS);
    await store.append(appendOf(lease, 0, 1));
    const renewed = await store.renew(lease, TTL_MS);
    assert.equal(renewed.until, clock.now() + TTL_MS);
    assert.equal(renewed.epoch, lease.epoch);
    await rejects("lease_held", store.claim(claimOf("token-2")));
  }),

  contractCase("an owner that was proven dead is superseded at once; any other token is not", async ({ store }) => {
    const dead = await driven(store);
    await rejects("lease_held", store.claim(claimOf("token-2", { supersede: "token-0" })));
    const lease = await store.claim(claimOf("token-2", { supersede: "token-1" }));
    assert.equal(lease.epoch, 2);
    await rejects("fenced", store.append(appendOf(dead, 0, 1)));
    assert.deepEqual(await storedSeqs(store), []);
  }),

  contractCase("the same token with an older epoch is fenced too", async ({ store }) => {
    const first = await driven(store);
    await store.release(first);
    const second = await store.claim(claimOf("token-1"));
    await rejects("fenced", store.append(appendOf(first, 0, 1)));
    await store.append(appendOf(second, 0, 1));
  }),

  contractCase("a released session is free at once, and the epoch still rises", async ({ store }) => {
    const lease = await driven(store);
    await store.release(lease);
    await store.release(lease);
    const row = await store.getSession(TENANT, SESSION);
    assert.equal(row?.owner, null);
    assert.equal(row.lease_until, 0);
    await rejects("fenced", store.renew(lease, TTL_MS));
    assert.equal((await store.claim(claimOf("token-2"))).epoch, 2);
  }),

  contractCase("a renewed lease runs from now", async ({ store, clock }) => {
    const lease = await driven(store);
    await clock.advance(TTL_MS - 1);
    await store.renew(lease, TTL_MS);
    await clock.advance(TTL_MS - 1);
    await rejects("lease_held", store.claim(claimOf("token-2")));
    await clock.advance(1);
    await store.claim(claimOf("token-2"));
  }),

  contractCase("of many claims at the same moment one succeeds", async ({ store }) => {
    await store.createSession(newSession());
    const claims = Array.from({ length: 8 }, (_, i) => store.claim(claimOf(`token-${i}`)));
    const settled = await Promise.allSettled(claims);
    assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 1);
    assert.equal((await store.getSession(TENANT, SESSION))?.epoch, 1);
  }),

  contractCase(
    "S3: of claims at the same moment through two openings of the store one succeeds, again and again",
    async ({ store, reopen }) => {
      assert.ok(reopen);
      const other = await reopen();
      await store.createSession(newSession());
      for (let round = 1; round <= 10; round++) {
        const claims = [store, other].flatMap((one, i) => [
          one.claim(claimOf(`token-${round}-${i}-a`)),
          one.claim(claimOf(`token-${round}-${i}-b`)),
        ]);
        const won = (await Promise.allSettled(claims)).filter((result) => result.status === "fulfilled");
        assert.deepEqual(
          won.map(({ value }) => value.epoch),
          [round],
        );
        for (const { value } of won) await other.release(value);
      }
    },
    "reopen",
  ),
];
