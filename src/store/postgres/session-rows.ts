/** Finding rows of sessions, within a command. */
import type { SessionId, TenantId } from "../../kernel/ids.ts";
import type { SessionRow } from "../port.ts";
import { sessionRow } from "../session-row.ts";
import type { Questions } from "./connection.ts";
import type { Queries } from "./queries.ts";

export async function findSession(
  ask: Questions,
  { build }: Queries,
  tenant: TenantId,
  session: SessionId,
): Promise<SessionRow | null> {
  const row = await ask.first(
    build.selectFrom("sessions").selectAll().where("tenant", "=", tenant).where("session", "=", session),
  );
  return row ? sessionRow(row) : null;
}

/** Nobody else changes the row until the transaction ends. */
export async function lockedSession(
  ask: Questions,
  { build }: Queries,
  tenant: TenantId,
  session: SessionId,
): Promise<SessionRow | null> {
  const query = build.selectFrom("sessions").selectAll().where("tenant", "=", tenant).where("session", "=", session);
  const row = await ask.first(query.forUpdate());
  return row ? sessionRow(row) : null;
}

/** The store's time. Asked for after a lock, because waiting for the lock took time. */
export async function nowOf(ask: Questions, { build, now }: Queries): Promise<number> {
  const row = await ask.first(build.selectNoFrom(now().as("now")));
  return row?.now ?? 0; // a SELECT without a table has one row
}
