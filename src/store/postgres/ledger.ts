/**
 * The ledger in PostgreSQL. The rule is in `ledger-rule.ts`; here it is asked while every row that it looks at is held, and what
 * it answers is written in the same transaction.
 *
 * A move whose answer was lost is made again: the row of a call that was moved already says so (L3).
 */
import { sql } from "kysely";
import type { SessionId, TenantId } from "../../kernel/ids.ts";
import type { Ledger, LedgerMoves } from "../ledger.ts";
import { abandoned, listedPosition, positionOf, SCOPE_COLUMNS, type TenantCaps } from "../ledger-rule.ts";
import type { Questions } from "./connection.ts";
import { heldChange, ledgerWritten, tenantCapsOf } from "./ledger-rows.ts";
import type { Queries } from "./queries.ts";
import type { TableContext } from "./table-context.ts";

export function createPostgresLedger({ connection, queries }: TableContext): Ledger {
  const { build } = queries;

  const capsOf = async (ask: Questions, tenant: TenantId): Promise<TenantCaps> => {
    const query = build.selectFrom("tenant_caps").select(["period", "cost", "tokens"]).where("tenant", "=", tenant);
    return tenantCapsOf(await ask.all(query));
  };
  const known = (tenant: TenantId) =>
    build.selectFrom("ledger_scopes").select(SCOPE_COLUMNS).where("tenant", "=", tenant).where("calls", ">", 0);

  return {
    moveLedger: (tenant, moves) => connection.transaction((ask) => move(ask, queries, tenant, moves)),

    positions: (tenant, scopes) =>
      connection.statement(async (ask) => {
        const names = scopes.map(({ scope }) => scope);
        const rows = await ask.all(known(tenant).where(sql<boolean>`scope = ANY (${names}::text[])`));
        const caps = await capsOf(ask, tenant);
        const found = new Map(rows.map((row) => [row.scope, row]));
        return scopes.map((scope) => positionOf(found.get(scope.scope) ?? null, scope, caps));
      }),

    listScopes: (tenant, prefix, limit) =>
      connection.statement(async (ask) => {
        const all = known(tenant).where(sql<boolean>`starts_with(scope, ${prefix})`);
        const rows = await ask.all(all.orderBy("scope").limit(limit));
        const caps = await capsOf(ask, tenant);
        return rows.map((row) => listedPosition(row, caps));
      }),

    setTenantCap: (tenant, period, cap) =>
      connection.statement(async (ask) => {
        await ask.run(
          cap === null
            ? build.deleteFrom("tenant_caps").where("tenant", "=", tenant).where("period", "=", period)
            : build
                .insertInto("tenant_caps")
                .values({ tenant, period, cost: cap.cost, tokens: cap.tokens })
                .onConflict((on) =>
                  on.columns(["tenant", "period"]).doUpdateSet({ cost: cap.cost, tokens: cap.tokens }),
                ),
        );
      }),

    tenantCaps: (tenant) => connection.statement((ask) => capsOf(ask, tenant)),
  };
}

/** What a session that is removed has reserved stays as unknown spend: nobody will settle it. */
export async function abandonCalls(
  ask: Questions,
  queries: Queries,
  tenant: TenantId,
  session: SessionId,
): Promise<void> {
  const query = queries.build
    .selectFrom("ledger_calls")
    .select(["call", "settled", "scopes", "cost", "tokens"])
    .where("tenant", "=", tenant)
    .where("settled", "=", false);
  const open = await ask.all(query.where(sql<boolean>`${`session:${session}`} = ANY (scopes)`));
  const settle = abandoned(open, session);
  if (settle.length > 0) await move(ask, queries, tenant, { reserve: [], settle });
}

async function move(ask: Questions, queries: Queries, tenant: TenantId, moves: LedgerMoves): Promise<void> {
  const change = await heldChange(ask, queries, tenant, moves);
  const statement = sql`WITH fence AS (SELECT 1), ${ledgerWritten(change)} SELECT FROM fence`;
  await ask.run({ compile: () => statement.compile(queries.build) });
}
