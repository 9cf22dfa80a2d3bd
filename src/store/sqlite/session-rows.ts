/** Finding rows of sessions. To be called within a transaction. */
import type { SessionId, TenantId } from "../../kernel/ids.ts";
import type { SessionRow } from "../port.ts";
import { sessionNotFound } from "../refusal.ts";
import { sessionRow } from "../session-row.ts";
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
