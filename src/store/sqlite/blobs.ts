/** Blobs in SQLite: each step of `blob-pieces.ts` as one transaction of this connection. */
import { createPieceBlobs } from "../blob-pieces.ts";
import { BLOB_GRACE_MS, type Store } from "../port.ts";
import { blobRows } from "./blob-rows.ts";
import type { TableContext } from "./table-context.ts";

export type SqliteBlobs = Pick<Store, "putBlob" | "getBlob" | "streamBlob" | "pruneBlobs">;

export function createSqliteBlobs(context: TableContext): SqliteBlobs {
  const { connection, clock } = context;
  const rows = blobRows(context);
  return createPieceBlobs({
    idOf: (tenant, hash) => connection.read(() => rows.idOf(tenant, hash)),
    addPiece: (tenant, { blob, n, last }) => connection.write(() => rows.addPiece(tenant, blob, n, last)),
    settle: (tenant, hash, size, arrived) => connection.write(() => rows.settle(tenant, hash, size, arrived)),
    pieceOf: (blob, n) => connection.read(() => rows.pieceOf(blob, n)),
    drop: (blob) => connection.write(() => rows.drop(blob)),
    prune: (tenant, limit) =>
      connection.write(() => {
        const found = rows.unreferenced(tenant, clock.now() - BLOB_GRACE_MS, limit);
        for (const { id } of found) rows.drop(id);
        return found.map(({ size }) => size);
      }),
  });
}
