/**
 * Blobs, as rows: pieces of 256 KiB in the same database as the records. So a blob and the record that refers to it share
 * one log and one sync, pruning is one transaction, and there are no files to sync, to leave behind or to go missing.
 *
 * B1: a blob has a name only when all of its pieces are stored; one that is still arriving has none and is found by nobody.
 * B2: the same bytes of a tenant are kept once; putting them again starts their grace anew.
 * B3: a blob with a reference is never pruned: the reference is a foreign key.
 */
import { HarnessError } from "../../kernel/harness-error.ts";
import type { BlobHash, TenantId } from "../../kernel/ids.ts";
import { blobHasher, joined, piecesOf } from "../blob-bytes.ts";
import { BLOB_GRACE_MS, type Store } from "../port.ts";
import { blobCorrupt, blobMissing } from "../refusal.ts";
import { type Arrived, blobRows } from "./blob-rows.ts";
import type { TableContext } from "./table-context.ts";

export type SqliteBlobs = Pick<Store, "putBlob" | "getBlob" | "streamBlob" | "pruneBlobs">;

/** Blobs that one transaction of pruning removes: writers get their turn in between. */
const PRUNE_BATCH_BLOBS = 50;

export function createSqliteBlobs({ connection, queries, clock }: TableContext): SqliteBlobs {
  const rows = blobRows({ connection, queries, clock });

  /** Without a name a blob is found by nobody and is pruned after the grace: this only does so sooner. */
  const tidy = async (blob: number | null): Promise<void> => {
    if (blob === null) return;
    try {
      await connection.write(() => rows.drop(blob));
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
    }
  };

  async function* stream(tenant: TenantId, hash: BlobHash): AsyncGenerator<Uint8Array> {
    const blob = await connection.read(() => rows.idOf(tenant, hash));
    if (blob === undefined) throw blobMissing(hash);
    const hasher = blobHasher();
    for (let n = 0; ; n++) {
      const piece = await connection.read(() => rows.pieceOf(blob, n));
      if (!piece) break;
      hasher.add(piece);
      yield new Uint8Array(piece);
    }
    if (hasher.name() === hash) return;
    // Pruned while it was read, or damaged?
    const still = await connection.read(() => rows.idOf(tenant, hash));
    throw still === blob ? blobCorrupt(hash) : blobMissing(hash);
  }

  return {
    async putBlob(tenant, content) {
      const hasher = blobHasher();
      let size = 0;
      // The last piece is held back: what fits into one piece is stored in one transaction.
      let arrived: Arrived = { blob: null, n: 0, last: new Uint8Array() };
      try {
        for await (const piece of piecesOf(content)) {
          hasher.add(piece);
          size += piece.byteLength;
          if (size > piece.byteLength) {
            const { blob, n, last } = arrived;
            arrived = {
              blob: await connection.write(() => rows.addPiece(tenant, blob, n, last)),
              n: n + 1,
              last: piece,
            };
          } else arrived = { ...arrived, last: piece };
        }
        const hash = hasher.name();
        await connection.write(() => rows.settle(tenant, hash, size, arrived));
        return hash;
      } catch (error) {
        await tidy(arrived.blob);
        throw error;
      }
    },

    async getBlob(tenant, hash) {
      const pieces: Uint8Array[] = [];
      for await (const piece of stream(tenant, hash)) pieces.push(piece);
      return joined(pieces);
    },

    streamBlob: stream,

    async pruneBlobs(tenant) {
      const before = clock.now() - BLOB_GRACE_MS;
      let removed = 0;
      let bytes = 0;
      for (;;) {
        const batch = await connection.write(() => {
          const found = rows.unreferenced(tenant, before, PRUNE_BATCH_BLOBS);
          for (const { id } of found) rows.drop(id);
          return found;
        });
        removed += batch.length;
        bytes += batch.reduce((sum, { size }) => sum + size, 0);
        if (batch.length < PRUNE_BATCH_BLOBS) return { removed, bytes };
      }
    },
  };
}
