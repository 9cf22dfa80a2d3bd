/** Blobs in PostgreSQL: each step of `blob-pieces.ts` as one transaction of the server, safe beside others who do the same. */
import { sql } from "kysely";
import type { TenantId } from "../../kernel/ids.ts";
import { createPieceBlobs } from "../blob-pieces.ts";
import { BLOB_GRACE_MS, type Store } from "../port.ts";
import type { Questions } from "./connection.ts";
import type { TableContext } from "./table-context.ts";

export type PostgresBlobs = Pick<Store, "putBlob" | "getBlob" | "streamBlob" | "pruneBlobs">;

export function createPostgresBlobs({ connection, queries }: TableContext): PostgresBlobs {
  const { build, now } = queries;

  const arriving = async (ask: Questions, tenant: TenantId): Promise<number> => {
    const values = { tenant, hash: null, size: 0, put_at: now() };
    const made = await ask.first(build.insertInto("blobs").values(values).returning("id"));
    return made?.id ?? 0; // an INSERT without a condition returns its row
  };

  const store = (ask: Questions, blob: number, n: number, bytes: Uint8Array): Promise<number> =>
    ask.run(
      build
        .insertInto("blob_pieces")
        .values({ blob, n, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) })
        .onConflict((on) => on.doNothing()), // stored by an attempt whose answer was lost
    );

  return createPieceBlobs({
    idOf: (tenant, hash) =>
      connection.statement(async (ask) => {
        const query = build.selectFrom("blobs").select("id").where("tenant", "=", tenant).where("hash", "=", hash);
        return (await ask.first(query))?.id;
      }),

    addPiece: (tenant, { blob, n, last }) =>
      connection.transaction(async (ask) => {
        const id = blob ?? (await arriving(ask, tenant));
        await store(ask, id, n, last);
        return id;
      }),

    settle: (tenant, hash, size, { blob, n, last }) =>
      connection.transaction(async (ask) => {
        const { id, fresh } = await named(ask);
        if (fresh) {
          // The row that has the name takes the pieces over; their bytes stay where they are.
          if (blob !== null) await ask.run(build.updateTable("blob_pieces").set({ blob: id }).where("blob", "=", blob));
          await store(ask, id, n, last);
        }
        if (blob !== null) await ask.run(build.deleteFrom("blobs").where("id", "=", blob));

        /** B2: of two that name the same bytes at once the second waits here, and finds that the first has done it. */
        async function named(within: Questions): Promise<{ readonly id: number; readonly fresh: boolean }> {
          const row = await within.first(
            build
              .insertInto("blobs")
              .values({ tenant, hash, size, put_at: now() })
              .onConflict((on) =>
                on.columns(["tenant", "hash"]).doUpdateSet((is) => ({ put_at: is.ref("excluded.put_at") })),
              )
              // A row that was there before carries the mark of the transaction that changes it.
              .returning(["id", sql<boolean>`(xmax = 0)`.as("fresh")]),
          );
          return row ?? { id: 0, fresh: false }; // an upsert returns its row
        }
      }),

    pieceOf: (blob, n) =>
      connection.statement(async (ask) => {
        const query = build.selectFrom("blob_pieces").select("bytes").where("blob", "=", blob).where("n", "=", n);
        return (await ask.first(query))?.bytes;
      }),

    drop: (blob) =>
      connection.statement(async (ask) => {
        await ask.run(build.deleteFrom("blobs").where("id", "=", blob));
      }),

    // A blob that somebody puts or refers to at this moment is locked, and left for the next time. B3 holds in any case: a
    // reference that is written in between breaks the removal, and that is tried again.
    prune: (tenant, limit) =>
      connection.statement(async (ask) => {
        const free = build
          .selectFrom("blobs")
          .select("id")
          .where("tenant", "=", tenant)
          .where("put_at", "<", sql<number>`${now()} - ${BLOB_GRACE_MS}::bigint`)
          .where((is) => {
            const references = is
              .selectFrom("blob_refs")
              .select("session")
              .whereRef("blob_refs.tenant", "=", "blobs.tenant")
              .whereRef("blob_refs.hash", "=", "blobs.hash");
            return is.not(is.exists(references));
          })
          .limit(limit)
          .forUpdate()
          .skipLocked();
        const removed = await ask.all(build.deleteFrom("blobs").where("id", "in", free).returning("size"));
        return removed.map(({ size }) => size);
      }),
  });
}
