/**
 * Blobs as rows, one way for every SQL back-end: pieces of 256 KiB in the same database as the records. So a blob and the
 * record that refers to it share one log and one sync, and there are no files to sync, to leave behind or to go missing.
 *
 * B1: a blob has a name only when all of its pieces are stored; one that is still arriving has none and is found by nobody.
 * B2: the same bytes of a tenant are kept once; putting them again starts their grace anew.
 * B3: a blob with a reference is never pruned: the reference is a foreign key.
 */
import { HarnessError } from "../kernel/harness-error.ts";
import type { BlobHash, TenantId } from "../kernel/ids.ts";
import { blobHasher, joined, piecesOf } from "./blob-bytes.ts";
import type { Store } from "./port.ts";
import { blobCorrupt, blobMissing } from "./refusal.ts";

/** A blob of which pieces `0 … n−1` are stored in row `blob`; `last` is piece n. */
export interface Arrived {
  readonly blob: number | null;
  readonly n: number;
  readonly last: Uint8Array;
}

/** What a back-end does, each in one transaction. */
export interface BlobPieces {
  /** The row of the blob of this name. */
  idOf(tenant: TenantId, hash: BlobHash): Promise<number | undefined>;
  /** Stores one more piece; the first one makes the blob, without a name. @returns its row */
  addPiece(tenant: TenantId, arrived: Arrived): Promise<number>;
  /** Adds the last piece and gives the blob its name, or drops it for the one that has the name already. */
  settle(tenant: TenantId, hash: BlobHash, size: number, arrived: Arrived): Promise<void>;
  pieceOf(blob: number, n: number): Promise<Uint8Array | undefined>;
  drop(blob: number): Promise<void>;
  /** Removes at most `limit` blobs that nothing refers to and whose grace is over. @returns the size of each */
  prune(tenant: TenantId, limit: number): Promise<readonly number[]>;
}

/** Blobs that one transaction of pruning removes: writers get their turn in between. */
const PRUNE_BATCH_BLOBS = 50;

export function createPieceBlobs(rows: BlobPieces): Pick<Store, "putBlob" | "getBlob" | "streamBlob" | "pruneBlobs"> {
  /** Without a name a blob is found by nobody and is pruned after the grace: this only does so sooner. */
  const tidy = async (blob: number | null): Promise<void> => {
    if (blob === null) return;
    try {
      await rows.drop(blob);
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
    }
  };

  async function* stream(tenant: TenantId, hash: BlobHash): AsyncGenerator<Uint8Array> {
    const blob = await rows.idOf(tenant, hash);
    if (blob === undefined) throw blobMissing(hash);
    const hasher = blobHasher();
    for (let n = 0; ; n++) {
      const piece = await rows.pieceOf(blob, n);
      if (!piece) break;
      hasher.add(piece);
      yield new Uint8Array(piece);
    }
    if (hasher.name() === hash) return;
    // Pruned while it was read, or damaged?
    throw (await rows.idOf(tenant, hash)) === blob ? blobCorrupt(hash) : blobMissing(hash);
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
          arrived =
            size > piece.byteLength
              ? { blob: await rows.addPiece(tenant, arrived), n: arrived.n + 1, last: piece }
              : { ...arrived, last: piece };
        }
        const hash = hasher.name();
        await rows.settle(tenant, hash, size, arrived);
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
      let removed = 0;
      let bytes = 0;
      for (;;) {
        const batch = await rows.prune(tenant, PRUNE_BATCH_BLOBS);
        removed += batch.length;
        bytes += batch.reduce((sum, size) => sum + size, 0);
        if (batch.length < PRUNE_BATCH_BLOBS) return { removed, bytes };
      }
    },
  };
}
