/** Blobs as bytes: their names, and the pieces in which they are kept and streamed. Shared by the back-ends. */
import { createHash } from "node:crypto";
import type { BlobHash } from "../kernel/ids.ts";

/** The largest piece that is held in memory at a time while a blob is streamed. Bytes. */
export const BLOB_PIECE_BYTES: number = 256 * 1024;

/** Names bytes while they pass by. */
export interface BlobHasher {
  add(bytes: Uint8Array): void;
  /** Once, after the last piece. */
  name(): BlobHash;
}

export function blobHasher(): BlobHasher {
  const hash = createHash("sha256");
  return {
    add: (bytes) => void hash.update(bytes),
    name: () => `sha256:${hash.digest("hex")}` as BlobHash, // the brand's one form, made here
  };
}

export function blobHashOf(bytes: Uint8Array): BlobHash {
  const hasher = blobHasher();
  hasher.add(bytes);
  return hasher.name();
}

/** Cuts content into pieces of `BLOB_PIECE_BYTES`; the last one may be shorter. Each piece is a copy of its own. */
export async function* piecesOf(content: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    for (let from = 0; from < chunk.byteLength;) {
      const part = chunk.slice(from, from + BLOB_PIECE_BYTES - size);
      held.push(part);
      size += part.byteLength;
      from += part.byteLength;
      if (size === BLOB_PIECE_BYTES) {
        yield joined(held);
        held = [];
        size = 0;
      }
    }
  }
  if (size > 0) yield joined(held);
}

/** All of it, as a copy. */
export async function bytesOf(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of piecesOf(content)) pieces.push(piece);
  return joined(pieces);
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}
