/** The ledger in SQLite. The rule itself is in `ledger-rule.ts`; here it is looked at and written in one transaction. */
import type { SessionId, TenantId } from "../../kernel/ids.ts";
import { NO_MONEY } from "../../kernel/money.ts";
import {
  abandoned,
  type CallRow,
  callsOf,
  listedPosition,
  moved,
  positionOf,
  SCOPE_COLUMNS,
  type ScopeRow,
  scopesOf,
  type TenantCaps,
} from "../ledger-rule.ts";
import type { Ledger, LedgerMoves } from "../ledger.ts";
import { afterPrefix } from "./prefix.ts";
import type { LedgerCallsTable } from "./schema.ts";
import type { TableContext } from "./table-context.ts";

type Statements = Pick<TableContext, "connection" | "queries">;

/** To be called within a transaction of the caller's. */
export interface LedgerWriter {
  /** @throws BudgetRefusal when a cap leaves too little */
  move(tenant: TenantId, moves: LedgerMoves): void;
  /** Settles what a session that is removed leaves open. */
  abandon(tenant: TenantId, session: SessionId): void;
}

export function createSqliteLedger({ connection, queries }: Statements): Ledger {
  const rows = ledgerRows({ connection, queries });
  const writer = ledgerWriter({ connection, queries });

  return {
    moveLedger: (tenant, moves) =>
      connection.write(() => {
        writer.move(tenant, moves);
      }),

    positions: (tenant, scopes) =>
      connection.read(() => {
        const caps = rows.caps(tenant);
        return scopes.map((scope) => positionOf(rows.scope(tenant, scope.scope) ?? null, scope, caps));
      }),

    listScopes: (tenant, prefix, limit) =>
      connection.read(() => {
        const caps = rows.caps(tenant);
        const found = queries
          .selectFrom("ledger_scopes")
          .select(SCOPE_COLUMNS)
          .where("tenant", "=", tenant)
          .where("scope", ">=", prefix)
          .where("scope", "<", afterPrefix(prefix))
          .orderBy("scope")
          .limit(limit);
        return connection.all(found).map((row) => listedPosition(row, caps));
      }),

    setTenantCap: (tenant, period, cap) =>
      connection.write(() => {
        connection.run(queries.deleteFrom("ledger_caps").where("tenant", "=", tenant).where("period", "=", period));
        if (cap === null) return;
        const { cost, tokens } = cap;
        connection.run(queries.insertInto("ledger_caps").values({ tenant, period, cost, tokens }));
      }),

    tenantCaps: (tenant) => connection.read(() => rows.caps(tenant)),
  };
}

export function ledgerWriter({ connection, queries }: Statements): LedgerWriter {
  const rows = ledgerRows({ connection, queries });
  const putScope = scopeStatement({ connection, queries });
  const putCall = callStatement({ connection, queries });

  const move = (tenant: TenantId, moves: LedgerMoves): void => {
    const calls = callsOf(moves).flatMap((call) => rows.call(tenant, call) ?? []);
    const scopes = scopesOf(moves, calls).flatMap((scope) => rows.scope(tenant, scope) ?? []);
    const caps = moves.reserve.length === 0 ? {} : rows.caps(tenant);
    const after = moved({ calls, scopes }, caps, moves);
    for (const { call, settled, scopes: names, cost, tokens } of after.calls)
      putCall(tenant, call, settled ? null : JSON.stringify(names), settled ? null : cost, settled ? 0 : tokens);
    for (const row of after.scopes) putScope(tenant, ...SCOPE_COLUMNS.map((column) => row[column]));
  };

  return {
    move,
    abandon(tenant, session) {
      const settle = abandoned(rows.open(tenant), session);
      if (settle.length > 0) move(tenant, { reserve: [], settle });
    },
  };
}

interface LedgerRows {
  scope(tenant: TenantId, name: string): ScopeRow | undefined;
  call(tenant: TenantId, id: string): CallRow | undefined;
  /** Calls that are not settled. */
  open(tenant: TenantId): readonly CallRow[];
  caps(tenant: TenantId): TenantCaps;
}

function ledgerRows({ connection, queries }: Statements): LedgerRows {
  const scopes = connection.lookup(() =>
    queries.selectFrom("ledger_scopes").select(SCOPE_COLUMNS).where("tenant", "=", "").where("scope", "=", ""),
  );
  const calls = connection.lookup(() =>
    queries.selectFrom("ledger_calls").selectAll().where("tenant", "=", "").where("call", "=", ""),
  );
  const open = connection.lookup(() =>
    queries.selectFrom("ledger_calls").selectAll().where("tenant", "=", "").where("scopes", "is not", null),
  );
  const caps = connection.lookup(() => queries.selectFrom("ledger_caps").selectAll().where("tenant", "=", ""));
  return {
    scope: (tenant, name) => scopes(tenant, name)[0],
    call: (tenant, id) => calls(tenant, id).map(callRow)[0],
    open: (tenant) => open(tenant).map(callRow),
    caps: (tenant) => Object.fromEntries(caps(tenant).map(({ period, cost, tokens }) => [period, { cost, tokens }])),
  };
}

function callRow({ call, scopes, cost, tokens }: LedgerCallsTable): CallRow {
  // Written by `move`.
  const names = scopes === null ? [] : (JSON.parse(scopes) as readonly string[]);
  return { call, settled: scopes === null, scopes: names, cost, tokens };
}

/** `tenant`, then `SCOPE_COLUMNS`. */
function scopeStatement({ connection, queries }: Statements) {
  const zero = { cost: NO_MONEY, tokens: 0, unknown_cost: NO_MONEY, unknown_tokens: 0 };
  const none = { reserved_cost: NO_MONEY, reserved_tokens: 0, calls: 0, unpriced: 0 };
  return connection.statement(() =>
    queries.replaceInto("ledger_scopes").values({ tenant: "", scope: "", ...zero, ...none }),
  );
}

/** `tenant`, `call`, `scopes`, `cost`, `tokens`. */
function callStatement({ connection, queries }: Statements) {
  const row = { tenant: "", call: "", scopes: null, cost: null, tokens: 0 };
  return connection.statement(() => queries.replaceInto("ledger_calls").values(row));
}
