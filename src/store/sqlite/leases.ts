/** Leases: who may write. The rule itself is in `lease-rule.ts`; here it is looked at and written in one transaction. */
import type { SessionId, TenantId } from "../../kernel/ids.ts";
import { canonicalJson } from "../../kernel/json.ts";
import { claimed, isHolder, type LeaseFields, leaseOf, refuseWhileHeld } from "../lease-rule.ts";
import type { Store } from "../port.ts";
import { fenced } from "../refusal.ts";
import { sessionRows } from "./session-rows.ts";
import type { TableContext } from "./table-context.ts";

export type SqliteLeases = Pick<Store, "claim" | "renew" | "release" | "requestCancel">;

export function createSqliteLeases({ connection, queries, clock }: TableContext): SqliteLeases {
  const rows = sessionRows({ connection, queries });

  const put = (tenant: TenantId, session: SessionId, fields: LeaseFields): void => {
    const { owner, epoch, lease_until } = fields;
    const change = {
      epoch,
      owner_token: owner?.token ?? null,
      owner: owner ? canonicalJson(owner) : null,
      lease_until,
      cancel_requested: fields.cancel_requested ? 1 : 0,
    };
    connection.run(
      queries.updateTable("sessions").set(change).where("tenant", "=", tenant).where("session", "=", session),
    );
  };

  return {
    claim: (command) =>
      connection.write(() => {
        const { tenant, session, owner, ttl_ms } = command;
        const row = rows.require(tenant, session);
        const now = clock.now();
        refuseWhileHeld(row, command, now);
        const fields = claimed(row, owner, now + ttl_ms);
        put(tenant, session, fields);
        return leaseOf({ tenant, session, token: owner.token }, fields);
      }),

    renew: (lease, ttl_ms) =>
      connection.write(() => {
        const row = rows.find(lease.tenant, lease.session);
        if (!row || !isHolder(row, lease)) throw fenced(lease.session);
        const fields = { ...row, lease_until: clock.now() + ttl_ms };
        put(lease.tenant, lease.session, fields);
        return leaseOf(lease, fields);
      }),

    release: (lease) =>
      connection.write(() => {
        const row = rows.find(lease.tenant, lease.session);
        if (row && isHolder(row, lease)) put(lease.tenant, lease.session, { ...row, owner: null, lease_until: 0 });
      }),

    requestCancel: (tenant, session) =>
      connection.write(() => {
        put(tenant, session, { ...rows.require(tenant, session), cancel_requested: true });
      }),
  };
}
