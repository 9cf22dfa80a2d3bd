/** Snapshots of what a session's events fold to. */
import { hashOf } from "../../kernel/envelope.ts";
import type { Store } from "../port.ts";
import type { TableContext } from "./table-context.ts";

export type PostgresSnapshots = Pick<Store, "putSnapshot" | "getSnapshot">;

export function createPostgresSnapshots({ connection, queries: { build } }: TableContext): PostgresSnapshots {
  return {
    putSnapshot: ({ tenant, session, seq, fold, state }) =>
      connection.statement(async (ask) => {
        const taken = build
          .selectFrom("sessions")
          .where("tenant", "=", tenant)
          .where("session", "=", session)
          .select((is) => [
            "tenant",
            "principal",
            "session",
            is.cast<number>(is.val(seq), "bigint").as("seq"),
            is.cast<number>(is.val(fold), "integer").as("fold"),
            is.cast<string>(is.val(hashOf(state)), "text").as("hash"),
            is.cast<string>(is.val(state), "text").as("state"),
          ]);
        await ask.run(
          build
            .insertInto("snapshots")
            .columns(["tenant", "principal", "session", "seq", "fold", "hash", "state"])
            .expression(taken) // no row when the session was deleted in the meantime
            .onConflict((on) =>
              on.columns(["tenant", "principal", "session"]).doUpdateSet((is) => ({
                seq: is.ref("excluded.seq"),
                fold: is.ref("excluded.fold"),
                hash: is.ref("excluded.hash"),
                state: is.ref("excluded.state"),
              })),
            ),
        );
      }),

    getSnapshot: (tenant, session) =>
      connection.statement(async (ask) => {
        const all = build.selectFrom("snapshots").select(["seq", "fold", "hash", "state"]);
        const row = await ask.first(all.where("tenant", "=", tenant).where("session", "=", session));
        if (!row || hashOf(row.state) !== row.hash) return null;
        return { tenant, session, seq: row.seq, fold: row.fold, state: row.state };
      }),
  };
}
