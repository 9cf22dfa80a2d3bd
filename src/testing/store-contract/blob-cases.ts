/** Contract: blobs. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { BlobHash, SessionId } from "../../kernel/ids.ts";
import { BLOB_GRACE_MS } from "../../store/port.ts";
import {
  appendOf,
  collected,
  type ContractCase,
  contractCase,
  driven,
  rejects,
  SESSION,
  storedSeqs,
  TENANT,
} from "./case.ts";

const PIECE_BYTES_MAX = 256 * 1024;
const LARGE_BYTES = 5 * 1024 * 1024;

export const blobCases: readonly ContractCase[] = [
  contractCase("a blob is named by its bytes and read back whole, also the empty one", async ({ store }) => {
    for (const text of ["", "a", "ä\u0000\u{1F9D7}"]) {
      const bytes = Buffer.from(text, "utf8");
      const hash = await store.putBlob(TENANT, bytes);
      assert.equal(hash, `sha256:${createHash("sha256").update(bytes).digest("hex")}`);
      assert.deepEqual(Buffer.from(await store.getBlob(TENANT, hash)), bytes);
    }
  }),

  contractCase("a blob that does not exist is missing, by name", async ({ store }) => {
    const hash = `sha256:${"0".repeat(64)}` as BlobHash;
    const error = await rejects("blob_missing", store.getBlob(TENANT, hash));
    assert.match(error.message, /sha256:0000/);
    await rejects("blob_missing", collected(store.streamBlob(TENANT, hash)));
  }),

  contractCase("a blob of 5 MiB is streamed in and out in bounded pieces", async ({ store }) => {
    const whole = largeBytes();
    const hash = await store.putBlob(TENANT, unevenly(whole));
    const pieces = await collected(store.streamBlob(TENANT, hash));
    assert.ok(pieces.every((piece) => piece.byteLength > 0 && piece.byteLength <= PIECE_BYTES_MAX));
    assert.ok(Buffer.concat(pieces).equals(whole));
    assert.ok(Buffer.from(await store.getBlob(TENANT, hash)).equals(whole));
    assert.equal(await store.putBlob(TENANT, whole), hash);
  }),

  contractCase("the same bytes are kept once", async ({ store, clock }) => {
    const whole = largeBytes();
    const hashes = await Promise.all([
      store.putBlob(TENANT, whole),
      store.putBlob(TENANT, unevenly(whole)),
      store.putBlob(TENANT, whole),
    ]);
    assert.equal(new Set(hashes).size, 1);
    await clock.advance(BLOB_GRACE_MS + 1);
    assert.deepEqual(await store.pruneBlobs(TENANT), { removed: 1, bytes: LARGE_BYTES });
  }),

  contractCase(
    "the same bytes are kept once also when two openings of the store put them at the same moment",
    async ({ store, reopen, clock }) => {
      assert.ok(reopen);
      const other = await reopen();
      const whole = largeBytes();
      for (const bytes of [whole, new Uint8Array([1, 2, 3])]) {
        const hashes = await Promise.all([store, other, store, other].map((one) => one.putBlob(TENANT, bytes)));
        assert.equal(new Set(hashes).size, 1);
        for (const hash of hashes) assert.ok(Buffer.from(await other.getBlob(TENANT, hash)).equals(bytes));
      }
      await clock.advance(BLOB_GRACE_MS + 1);
      const pruned = await Promise.all([store.pruneBlobs(TENANT), other.pruneBlobs(TENANT)]);
      assert.equal(
        pruned.reduce((sum, { removed }) => sum + removed, 0),
        2,
      );
    },
    "reopen",
  ),

  contractCase("a stream that fails on its way in leaves no blob behind", async ({ store, clock }) => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield largeBytes();
      throw new RangeError("the source failed");
    };
    await assert.rejects(store.putBlob(TENANT, broken()), RangeError);
    await clock.advance(BLOB_GRACE_MS + 1);
    assert.deepEqual(await store.pruneBlobs(TENANT), { removed: 0, bytes: 0 });
  }),

  contractCase("S4: the bytes handed in and out are the caller's own", async ({ store }) => {
    const bytes = new Uint8Array([1, 2, 3]);
    const hash = await store.putBlob(TENANT, bytes);
    bytes[0] = 9;
    const read = await store.getBlob(TENANT, hash);
    read[0] = 9;
    for (const piece of await collected(store.streamBlob(TENANT, hash))) piece[0] = 9;
    assert.deepEqual([...(await store.getBlob(TENANT, hash))], [1, 2, 3]);
  }),

  contractCase("a blob without a reference is kept through its grace and pruned after it", async ({ store, clock }) => {
    const hash = await store.putBlob(TENANT, new Uint8Array(10));
    await clock.advance(BLOB_GRACE_MS);
    assert.deepEqual(await store.pruneBlobs(TENANT), { removed: 0, bytes: 0 });
    await clock.advance(1);
    assert.deepEqual(await store.pruneBlobs(TENANT), { removed: 1, bytes: 10 });
    await rejects("blob_missing", store.getBlob(TENANT, hash));
  }),

  contractCase(
    "to put a blob again starts its grace anew: its reference may be under way",
    async ({ store, clock }) => {
      const hash = await store.putBlob(TENANT, new Uint8Array(10));
      await clock.advance(BLOB_GRACE_MS);
      await store.putBlob(TENANT, new Uint8Array(10));
      await clock.advance(BLOB_GRACE_MS);
      assert.equal((await store.pruneBlobs(TENANT)).removed, 0);
      assert.equal((await store.getBlob(TENANT, hash)).byteLength, 10);
    },
  ),

  contractCase(
    "a blob that an event refers to is never pruned, until its last session is removed",
    async ({ store, clock }) => {
      const hash = await store.putBlob(TENANT, new Uint8Array(10));
      const first = await driven(store);
      const second = await driven(store, { session: "ses_2" as SessionId });
      await store.append(appendOf(first, 0, 1, { blobs: [hash] }));
      await store.append(appendOf(first, 1, 1, { blobs: [hash, hash] }));
      await store.append(appendOf(second, 0, 1, { blobs: [hash] }));
      await clock.advance(10 * BLOB_GRACE_MS);
      await store.deleteSession(TENANT, SESSION);
      assert.equal((await store.pruneBlobs(TENANT)).removed, 0);
      assert.equal((await store.getBlob(TENANT, hash)).byteLength, 10);
      await store.deleteSession(TENANT, "ses_2" as SessionId);
      assert.deepEqual(await store.pruneBlobs(TENANT), { removed: 1, bytes: 10 });
    },
  ),

  contractCase("an append that refers to a missing blob writes nothing", async ({ store }) => {
    const lease = await driven(store);
    const known = await store.putBlob(TENANT, new Uint8Array(10));
    const missing = `sha256:${"0".repeat(64)}` as BlobHash;
    await rejects("blob_missing", store.append(appendOf(lease, 0, 1, { blobs: [known, missing] })));
    assert.deepEqual(await storedSeqs(store), []);
    await store.append(appendOf(lease, 0, 1, { blobs: [known] }));
  }),

  contractCase(
    "a blob whose bytes changed is refused, read whole or streamed",
    async ({ store, damage }) => {
      assert.ok(damage);
      const hash = await store.putBlob(TENANT, largeBytes());
      await damage.blob(hash);
      await rejects("store_corrupt", store.getBlob(TENANT, hash));
      await rejects("store_corrupt", collected(store.streamBlob(TENANT, hash)));
    },
    "damage",
  ),
];

/** The same for every call, and no two pieces alike. */
function largeBytes(): Buffer {
  const bytes = Buffer.alloc(LARGE_BYTES);
  for (let at = 0; at + 4 <= LARGE_BYTES; at += 4) bytes.writeUInt32LE(at, at);
  return bytes;
}

/** In chunks that never fit the store's own pieces. */
async function* unevenly(whole: Uint8Array): AsyncGenerator<Uint8Array> {
  let size = 1;
  for (let at = 0; at < whole.byteLength; at += size, size = (size * 7 + 1) % 400_000) {
    yield whole.subarray(at, at + size);
  }
}
