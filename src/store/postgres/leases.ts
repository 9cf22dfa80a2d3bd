/** Leases: who may write. The rule is in `lease-rule.ts`; here it is looked at under the row's lock. */
import { sql } from "kysely";
import { canonicalJson } from "../../kernel/json.ts";
import { claimed, leaseOf, refuseWhileHeld } from "../lease-rule.ts";
import type { Lease, Store } from "../port.ts";
import { fenced, sessionNotFound } from "../refusal.ts";
import { lockedSession, nowOf } from "./session-rows.ts";
import type { TableContext } from "./table-context.ts";

export type PostgresLeases = Pick<Store, "claim" | "renew" | "release" | "requestCancel">;

export function createPostgresLeases({ connection, queries }: TableContext): PostgresLeases {
  const { build, now } = queries;

  /** The row while the lease is the holder's: it fits none otherwise. */
  const held = ({ tenant, session, token, epoch }: Lease) =>
    build
      .updateTable("sessions")
      .where("tenant", "=", tenant)
      .where("session", "=", session)
      .where("owner_token", "=", token)
      .where("epoch", "=", epoch);

  return {
    claim: (command) =>
      connection.transaction(async (ask, { again }) => {
        const { tenant, session, owner, ttl_ms } = command;
        const row = await lockedSession(ask, queries, tenant, session);
        if (!row) throw sessionNotFound(session);
        const of = { tenant, session, token: owner.token };
        // A token is new for every claim: what stands there is the claim whose answer was lost.
        if (again && row.owner?.token === owner.token) return leaseOf(of, row);
        const time = await nowOf(ask, queries);
        refuseWhileHeld(row, command, time);
        const fields = claimed(row, owner, time + ttl_ms);
        const { epoch, lease_until, cancel_requested } = fields;
        const change = { epoch, owner_token: owner.token, owner: canonicalJson(owner), lease_until, cancel_requested };
        const update = build.updateTable("sessions").set(change);
        await ask.run(update.where("tenant", "=", tenant).where("session", "=", session));
        return leaseOf(of, fields);
      }),

    renew: (lease, ttl_ms) =>
      connection.statement(async (ask) => {
        const until = sql<number>`${now()} + ${ttl_ms}::bigint`;
        const renewed = await ask.first(
          held(lease).set({ lease_until: until }).returning(["lease_until", "last_seq", "cancel_requested"]),
        );
        if (!renewed) throw fenced(lease.session);
        const { lease_until, last_seq, cancel_requested } = renewed;
        return { ...lease, until: lease_until, last_seq, cancel_requested };
      }),

    release: (lease) =>
      connection.statement(async (ask) => {
        await ask.run(held(lease).set({ owner: null, owner_token: null, lease_until: 0 }));
      }),

    requestCancel: (tenant, session) =>
      connection.statement(async (ask) => {
        const update = build.updateTable("sessions").set({ cancel_requested: true });
        const found = await ask.run(update.where("tenant", "=", tenant).where("session", "=", session));
        if (found === 0) throw sessionNotFound(session);
      }),
  };
}
