/** Blobs of the memory store: bytes by (tenant, hash), with the sessions that refer to each. */
import type { Clock } from "../../kernel/clock.ts";
import type { BlobHash, SessionId, TenantId } from "../../kernel/ids.ts";
import { BLOB_PIECE_BYTES, blobHashOf, bytesOf } from "../blob-bytes.ts";
import { BLOB_GRACE_MS } from "../port.ts";
import { blobCorrupt, blobMissing } from "../refusal.ts";

interface StoredBlob {
  readonly bytes: Uint8Array;
  /** When it was last put: a second put starts the grace anew. */
  put_at: number;
  readonly sessions: Set<SessionId>;
}

export interface MemoryBlobs {
  put(tenant: TenantId, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<BlobHash>;
  /** All or none. @throws HarnessError `blob_missing` when one of them is not stored */
  refer(tenant: TenantId, session: SessionId, hashes: readonly BlobHash[]): void;
  forget(tenant: TenantId, session: SessionId): void;
  get(tenant: TenantId, hash: BlobHash): Uint8Array;
  stream(tenant: TenantId, hash: BlobHash): AsyncGenerator<Uint8Array>;
  prune(tenant: TenantId): { readonly removed: number; readonly bytes: number };
}

export function createMemoryBlobs(clock: Clock): MemoryBlobs {
  const tenants = new Map<TenantId, Map<BlobHash, StoredBlob>>();

  const blobsOf = (tenant: TenantId): Map<BlobHash, StoredBlob> => {
    const known = tenants.get(tenant) ?? new Map<BlobHash, StoredBlob>();
    tenants.set(tenant, known);
    return known;
  };

  const stored = (tenant: TenantId, hash: BlobHash): StoredBlob => {
    const blob = blobsOf(tenant).get(hash);
    if (!blob) throw blobMissing(hash);
    return blob;
  };

  const get = (tenant: TenantId, hash: BlobHash): Uint8Array => {
    const { bytes } = stored(tenant, hash);
    if (blobHashOf(bytes) !== hash) throw blobCorrupt(hash);
    return bytes.slice();
  };

  return {
    async put(tenant, content) {
      const bytes = await bytesOf(content);
      const hash = blobHashOf(bytes);
      const known = blobsOf(tenant).get(hash);
      if (known) known.put_at = clock.now();
      else blobsOf(tenant).set(hash, { bytes, put_at: clock.now(), sessions: new Set() });
      return hash;
    },
    refer(tenant, session, hashes) {
      for (const blob of hashes.map((hash) => stored(tenant, hash))) blob.sessions.add(session);
    },
    forget(tenant, session) {
      for (const blob of blobsOf(tenant).values()) blob.sessions.delete(session);
    },
    get,
    async *stream(tenant, hash) {
      const bytes = get(tenant, hash);
      for (let from = 0; from < bytes.byteLength; from += BLOB_PIECE_BYTES) {
        yield bytes.slice(from, from + BLOB_PIECE_BYTES);
      }
    },
    prune(tenant) {
      const before = clock.now() - BLOB_GRACE_MS;
      let removed = 0;
      let bytes = 0;
      for (const [hash, blob] of blobsOf(tenant)) {
        if (blob.sessions.size > 0 || blob.put_at >= before) continue;
        blobsOf(tenant).delete(hash);
        removed += 1;
        bytes += blob.bytes.byteLength;
      }
      return { removed, bytes };
    },
  };
}
