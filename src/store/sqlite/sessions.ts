/** Sessions: made, listed, removed. */
import { NO_RECORDS, requireFirst } from "../first-records.ts";
import { isDriven } from "../lease-rule.ts";
import type { Store } from "../port.ts";
import { leaseHeld, sessionExists } from "../refusal.ts";
import { newSessionColumns, sessionRow } from "../session-row.ts";
import { ledgerWriter } from "./ledger.ts";
import { recordWriter } from "./records.ts";
import { sessionRows } from "./session-rows.ts";
import type { TableContext } from "./table-context.ts";

export type SqliteSessions = Pick<Store, "createSession" | "getSession" | "listSessions" | "deleteSession">;

export function createSqliteSessions({ connection, queries, clock }: TableContext): SqliteSessions {
  const rows = sessionRows({ connection, queries });
  const writeRecords = recordWriter({ connection, queries });
  const ledger = ledgerWriter({ connection, queries });

  return {
    createSession: (session, first = NO_RECORDS) =>
      connection.write(() => {
        if (rows.find(session.tenant, session.session)) throw sessionExists(session.session);
        requireFirst(first);
        const now = clock.now();
        const times = { created_at: now, updated_at: now };
        const row = { ...newSessionColumns(session), ...times, last_seq: first.records.length, cancel_requested: 0 };
        connection.run(queries.insertInto("sessions").values(row));
        writeRecords(session, first);
      }),

    getSession: (tenant, session) => connection.read(() => rows.find(tenant, session)),

    listSessions: ({ tenant, directory, root, limit }) =>
      connection.read(() => {
        const all = queries.selectFrom("sessions").selectAll().where("tenant", "=", tenant);
        const wanted =
          directory === undefined
            ? all
            : all.where((is) => is.or([is("cwd", "=", directory), is("source", "=", directory)]));
        const ofTree = root === undefined ? wanted : wanted.where("root", "=", root);
        const sorted = ofTree.orderBy("created_at", "desc").orderBy("id", "desc").limit(limit);
        return connection.all(sorted).map(sessionRow);
      }),

    deleteSession: (tenant, session) =>
      connection.write(() => {
        const row = rows.find(tenant, session);
        if (row?.owner && isDriven(row, clock.now())) throw leaseHeld(session, row.owner);
        // What was spent stays in the ledger, and what is still reserved may have been.
        if (row) ledger.abandon(tenant, session);
        // Records, snapshot and references go with the row.
        connection.run(queries.deleteFrom("sessions").where("tenant", "=", tenant).where("session", "=", session));
      }),
  };
}
