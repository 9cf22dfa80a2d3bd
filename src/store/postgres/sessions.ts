/** Sessions: made, listed, removed. */
import { NO_RECORDS, requireFirst } from "../first-records.ts";
import { isDriven } from "../lease-rule.ts";
import type { NewSession, SessionRow, Store } from "../port.ts";
import { leaseHeld, sessionExists } from "../refusal.ts";
import { sessionRow } from "../session-row.ts";
import { createStatement } from "./append-statement.ts";
import { abandonCalls } from "./ledger.ts";
import { missingBlob } from "./records.ts";
import { findSession, lockedSession, nowOf } from "./session-rows.ts";
import type { TableContext } from "./table-context.ts";

export type PostgresSessions = Pick<Store, "createSession" | "getSession" | "listSessions" | "deleteSession">;

export function createPostgresSessions(context: TableContext): PostgresSessions {
  const { connection, queries } = context;
  const { build } = queries;

  return {
    createSession: (session, first = NO_RECORDS) =>
      connection.statement(async (ask, { again }) => {
        requireFirst(first);
        const made = await ask.first(createStatement(queries, session, first)).catch((error: unknown) => {
          throw missingBlob(error, first.blobs) ?? error;
        });
        if (made) return;
        const found = again ? await findSession(ask, queries, session.tenant, session.session) : null;
        if (found === null || !isOurs(found, session)) throw sessionExists(session.session);
      }),

    getSession: (tenant, session) => connection.statement((ask) => findSession(ask, queries, tenant, session)),

    listSessions: ({ tenant, directory, root, limit }) =>
      connection.statement(async (ask) => {
        const all = build.selectFrom("sessions").selectAll().where("tenant", "=", tenant);
        const wanted =
          directory === undefined
            ? all
            : all.where((is) => is.or([is("cwd", "=", directory), is("source", "=", directory)]));
        const ofTree = root === undefined ? wanted : wanted.where("root", "=", root);
        const sorted = ofTree.orderBy("created_at", "desc").orderBy("id", "desc").limit(limit);
        return (await ask.all(sorted)).map(sessionRow);
      }),

    deleteSession: (tenant, session) =>
      connection.transaction(async (ask) => {
        // As an append does: the ledger first, then the session's row.
        await abandonCalls(ask, queries, tenant, session);
        const row = await lockedSession(ask, queries, tenant, session);
        if (row?.owner && isDriven(row, await nowOf(ask, queries))) throw leaseHeld(session, row.owner);
        // Records, snapshot and references go with the row.
        await ask.run(build.deleteFrom("sessions").where("tenant", "=", tenant).where("session", "=", session));
        // What the last writer reserved between the two steps. From here on nobody can.
        await abandonCalls(ask, queries, tenant, session);
      }),
  };
}

/** Made by an attempt whose answer was lost, and not yet driven by anybody. A trace is as unique as a session's id. */
function isOurs(found: SessionRow, session: NewSession): boolean {
  return found.trace === session.trace && found.principal === session.principal && found.epoch === 0;
}
