/** Rows of the ledger, within a command: held, judged by the rule, and what is to be written of them. */
import { type RawBuilder, sql } from "kysely";
import type { TenantId } from "../../kernel/ids.ts";
import type { LedgerMoves, TenantCap, TenantPeriod } from "../ledger.ts";
import { callsOf, type LedgerRows, moved, scopesOf, type TenantCaps } from "../ledger-rule.ts";
import type { Questions } from "./connection.ts";
import type { Queries } from "./queries.ts";

/** What moves change. */
export interface LedgerChange {
  readonly tenant: TenantId;
  /** Which of the calls were there before. */
  readonly known: ReadonlySet<string>;
  readonly rows: LedgerRows;
}

type CapRow = TenantCap & { readonly period: TenantPeriod };

interface Held extends LedgerRows {
  readonly caps: readonly CapRow[];
}

/**
 * Holds the rows until the transaction ends, and judges. Of moves that were applied already nothing is left to change (L3).
 * @throws BudgetRefusal when a cap leaves too little
 */
export async function heldChange(
  ask: Questions,
  { build }: Queries,
  tenant: TenantId,
  moves: LedgerMoves,
): Promise<LedgerChange> {
  const hold = sql<{ readonly held: Held }>`
    SELECT ledger_hold(${tenant}, ${callsOf(moves)}::text[], ${scopesOf(moves, [])}::text[]) AS held`;
  const row = await ask.first({ compile: () => hold.compile(build) });
  const held = row?.held ?? { calls: [], scopes: [], caps: [] }; // a SELECT without a table has one row
  const known = new Set(held.calls.map(({ call }) => call));
  return { tenant, known, rows: moved(held, tenantCapsOf(held.caps), moves) };
}

export function tenantCapsOf(rows: readonly CapRow[]): TenantCaps {
  return Object.fromEntries(rows.map(({ period, cost, tokens }) => [period, { cost, tokens }]));
}

/**
 * The change as parts of a statement, for its WITH: made when `fence` has a row. Two that reserve the same call at once in
 * different scopes meet at its key: the second is undone, and finds the call when it is tried again.
 */
export function ledgerWritten({ tenant, known, rows }: LedgerChange): RawBuilder<unknown> {
  const made = rows.calls.filter(({ call }) => !known.has(call));
  const settled = rows.calls.filter(({ call }) => known.has(call)).map(({ call }) => call);
  return sql`scopes_moved AS (
      UPDATE ledger_scopes AS at
      SET cost = row.cost, tokens = row.tokens, unknown_cost = row.unknown_cost, unknown_tokens = row.unknown_tokens,
        reserved_cost = row.reserved_cost, reserved_tokens = row.reserved_tokens, calls = row.calls, unpriced = row.unpriced
      FROM json_to_recordset(${JSON.stringify(rows.scopes)}::json) AS row (
        scope text, cost bigint, tokens bigint, unknown_cost bigint, unknown_tokens bigint,
        reserved_cost bigint, reserved_tokens bigint, calls bigint, unpriced bigint
      )
      WHERE at.tenant = ${tenant} AND at.scope = row.scope AND EXISTS (SELECT FROM fence)
    ), calls_made AS (
      INSERT INTO ledger_calls (tenant, call, settled, scopes, cost, tokens)
      SELECT ${tenant}, row.* FROM json_to_recordset(${JSON.stringify(made)}::json)
        AS row (call text, settled boolean, scopes text[], cost bigint, tokens bigint)
      WHERE EXISTS (SELECT FROM fence)
    ), calls_settled AS (
      UPDATE ledger_calls SET settled = true, scopes = '{}'
      WHERE tenant = ${tenant} AND call = ANY (${settled}::text[]) AND EXISTS (SELECT FROM fence)
    )`;
}
