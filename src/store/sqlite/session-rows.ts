/** Rows of sessions, as the port has them. To be called within a transaction. */
import type { Selectable } from "kysely";
import type { PrincipalId, SessionId, TenantId, TraceId } from "../../kernel/ids.ts";
import type { Owner, SessionRow, SessionSummary } from "../port.ts";
import { corrupt, sessionNotFound } from "../refusal.ts";
import type { SessionsTable } from "./schema.ts";
import type { TableContext } from "./table-context.ts";

export interface SessionRows {
  find(tenant: TenantId, session: SessionId): SessionRow | null;
  /** @throws HarnessError `session_not_found` */
  require(tenant: TenantId, session: SessionId): SessionRow;
}

export function sessionRows({ connection, queries }: Pick<TableContext, "connection" | "queries">): SessionRows {
  const find = (tenant: TenantId, session: SessionId): SessionRow | null => {
    const all = queries.selectFrom("sessions").selectAll();
    const row = connection.first(all.where("tenant", "=", tenant).where("session", "=", session));
    return row ? sessionRow(row) : null;
  };
  return {
    find,
    require(tenant, session) {
      const row = find(tenant, session);
      if (!row) throw sessionNotFound(session);
      return row;
    },
  };
}

export function sessionRow(row: Selectable<SessionsTable>): SessionRow {
  const { cwd, source, directory } = row;
  return {
    // The casts put the brands back on that `createSession` was given.
    tenant: row.tenant as TenantId,
    session: row.session as SessionId,
    principal: row.principal as PrincipalId,
    root: row.root as SessionId,
    trace: row.trace as TraceId,
    place: { cwd, source, directory },
    summary: parsed<SessionSummary>(row.summary, row.session),
    priority: row.priority,
    created_at: row.created_at,
    updated_at: row.updated_at,
    epoch: row.epoch,
    owner: row.owner === null ? null : parsed<Owner>(row.owner, row.session),
    lease_until: row.lease_until,
    last_seq: row.last_seq,
    run_at: row.run_at,
    cancel_requested: row.cancel_requested !== 0,
  };
}

function parsed<T>(text: string, session: string): T {
  try {
    return JSON.parse(text) as T; // written by this store from a value of this type
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw corrupt(`The row of session ${session} is damaged.`, error);
  }
}
