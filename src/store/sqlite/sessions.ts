/** Sessions: made, listed, removed. */
import { canonicalJson } from "../../kernel/json.ts";
import { isDriven } from "../lease-rule.ts";
import type { Store } from "../port.ts";
import { leaseHeld, sessionExists } from "../refusal.ts";
import { sessionRow, sessionRows } from "./session-rows.ts";
import type { TableContext } from "./table-context.ts";

export type SqliteSessions = Pick<Store, "createSession" | "getSession" | "listSessions" | "deleteSession">;

export function createSqliteSessions({ connection, queries, clock }: TableContext): SqliteSessions {
  const rows = sessionRows({ connection, queries });

  return {
    createSession: (session) =>
      connection.write(() => {
        if (rows.find(session.tenant, session.session)) throw sessionExists(session.session);
        const { place, summary, ...fields } = session;
        const now = clock.now();
        connection.run(
          queries.insertInto("sessions").values({
            tenant: fields.tenant,
            session: fields.session,
            principal: fields.principal,
            root: fields.root,
            trace: fields.trace,
            cwd: place.cwd,
            source: place.source,
            directory: place.directory,
            priority: fields.priority,
            created_at: now,
            updated_at: now,
            epoch: 0,
            owner_token: null,
            owner: null,
            lease_until: 0,
            last_seq: 0,
            run_at: null,
            cancel_requested: 0,
            summary: canonicalJson(summary),
          }),
        );
      }),

    getSession: (tenant, session) => connection.read(() => rows.find(tenant, session)),

    listSessions: ({ tenant, directory, limit }) =>
      connection.read(() => {
        const all = queries.selectFrom("sessions").selectAll().where("tenant", "=", tenant);
        const wanted =
          directory === undefined
            ? all
            : all.where((is) => is.or([is("cwd", "=", directory), is("source", "=", directory)]));
        const sorted = wanted.orderBy("created_at", "desc").orderBy("id", "desc").limit(limit);
        return connection.all(sorted).map(sessionRow);
      }),

    deleteSession: (tenant, session) =>
      connection.write(() => {
        const row = rows.find(tenant, session);
        if (row?.owner && isDriven(row, clock.now())) throw leaseHeld(session, row.owner);
        // Records, snapshot and references go with the row.
        connection.run(queries.deleteFrom("sessions").where("tenant", "=", tenant).where("session", "=", session));
      }),
  };
}
