/** The rows of blobs and their pieces. To be called within a transaction. */
import type { BlobHash, TenantId } from "../../kernel/ids.ts";
import type { Arrived } from "../blob-pieces.ts";
import type { TableContext } from "./table-context.ts";

export interface BlobRows {
  idOf(tenant: TenantId, hash: BlobHash): number | undefined;
  /** Stores one more piece; the first one makes the blob, without a name. @returns its row */
  addPiece(tenant: TenantId, blob: number | null, n: number, bytes: Uint8Array): number;
  /** Adds the last piece and gives the blob its name, or drops it for the one that has the name already. */
  settle(tenant: TenantId, hash: BlobHash, size: number, arrived: Arrived): void;
  pieceOf(blob: number, n: number): Uint8Array | undefined;
  /** Blobs that nothing refers to and that were last put before `before`. */
  unreferenced(
    tenant: TenantId,
    before: number,
    limit: number,
  ): readonly { readonly id: number; readonly size: number }[];
  drop(blob: number): void;
}

export function blobRows({ connection, queries, clock }: TableContext): BlobRows {
  const idOf = (tenant: TenantId, hash: BlobHash): number | undefined =>
    connection.first(queries.selectFrom("blobs").select("id").where("tenant", "=", tenant).where("hash", "=", hash))
      ?.id;

  /** Stores one more piece; the first one makes the blob, without a name. @returns its row */
  const addPiece = (tenant: TenantId, blob: number | null, n: number, bytes: Uint8Array): number => {
    const arriving = { tenant, hash: null, size: 0, put_at: clock.now() };
    const id = blob ?? connection.run(queries.insertInto("blobs").values(arriving)).id;
    connection.run(queries.insertInto("blob_pieces").values({ blob: id, n, bytes }));
    return id;
  };

  const drop = (blob: number): void => {
    connection.run(queries.deleteFrom("blobs").where("id", "=", blob));
  };

  /** B1, B2: adds the last piece and gives the blob its name, or drops it for the one that has the name already. */
  const settle = (tenant: TenantId, hash: BlobHash, size: number, arrived: Arrived): void => {
    const known = idOf(tenant, hash);
    if (known !== undefined && arrived.blob !== null) drop(arrived.blob);
    const blob = known ?? addPiece(tenant, arrived.blob, arrived.n, arrived.last);
    const change = { hash, size, put_at: clock.now() };
    connection.run(queries.updateTable("blobs").set(change).where("id", "=", blob));
  };

  const pieceOf = (blob: number, n: number): Uint8Array | undefined =>
    connection.first(queries.selectFrom("blob_pieces").select("bytes").where("blob", "=", blob).where("n", "=", n))
      ?.bytes;

  const unreferenced: BlobRows["unreferenced"] = (tenant, before, limit) => {
    const old = queries
      .selectFrom("blobs")
      .select(["id", "size"])
      .where("tenant", "=", tenant)
      .where("put_at", "<", before);
    const free = old.where((is) => {
      const references = is
        .selectFrom("blob_refs")
        .select("session")
        .whereRef("blob_refs.tenant", "=", "blobs.tenant")
        .whereRef("blob_refs.hash", "=", "blobs.hash");
      return is.not(is.exists(references));
    });
    return connection.all(free.limit(limit));
  };

  return { idOf, addPiece, settle, pieceOf, unreferenced, drop };
}
