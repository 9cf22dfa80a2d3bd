/** The ledger, in memory. The rule itself is in `ledger-rule.ts`. */
import type { SessionId, TenantId } from "../../kernel/ids.ts";
import {
  abandoned,
  type CallRow,
  callsOf,
  type LedgerRows,
  listedPosition,
  moved,
  positionOf,
  type ScopeRow,
  scopesOf,
  type TenantCaps,
} from "../ledger-rule.ts";
import type { Ledger, LedgerMoves } from "../ledger.ts";
import { byText } from "./by-text.ts";

export interface MemoryLedger extends Ledger {
  /** What moves make of the ledger, to be put when the rest of the command has succeeded. @throws BudgetRefusal */
  after(tenant: TenantId, moves: LedgerMoves): LedgerRows;
  put(tenant: TenantId, rows: LedgerRows): void;
  /** Settles what a session that is removed leaves open. */
  abandon(tenant: TenantId, session: SessionId): void;
}

interface Books {
  readonly calls: Map<string, CallRow>;
  readonly scopes: Map<string, ScopeRow>;
  caps: TenantCaps;
}

/** @param open throws when the store is closed */
export function createMemoryLedger(open: () => void): MemoryLedger {
  const tenants = new Map<TenantId, Books>();

  const booksOf = (tenant: TenantId): Books => {
    open();
    const books = tenants.get(tenant) ?? { calls: new Map(), scopes: new Map(), caps: {} };
    tenants.set(tenant, books);
    return books;
  };

  const after = (tenant: TenantId, moves: LedgerMoves): LedgerRows => {
    const books = booksOf(tenant);
    const calls = callsOf(moves).flatMap((call) => books.calls.get(call) ?? []);
    const scopes = scopesOf(moves, calls).flatMap((scope) => books.scopes.get(scope) ?? []);
    return moved({ calls, scopes }, books.caps, moves);
  };

  const put = (tenant: TenantId, { calls, scopes }: LedgerRows): void => {
    const books = booksOf(tenant);
    for (const row of calls) books.calls.set(row.call, row);
    for (const row of scopes) books.scopes.set(row.scope, row);
  };

  return {
    after,
    put,
    abandon(tenant, session) {
      const settle = abandoned([...booksOf(tenant).calls.values()], session);
      put(tenant, after(tenant, { reserve: [], settle }));
    },
    async moveLedger(tenant, moves) {
      put(tenant, after(tenant, moves));
    },
    async positions(tenant, scopes) {
      const books = booksOf(tenant);
      return scopes.map((scope) => positionOf(books.scopes.get(scope.scope) ?? null, scope, books.caps));
    },
    async listScopes(tenant, prefix, limit) {
      const books = booksOf(tenant);
      return [...books.scopes.values()]
        .filter(({ scope }) => scope.startsWith(prefix))
        .sort((a, b) => byText(a.scope, b.scope))
        .slice(0, limit)
        .map((row) => listedPosition(row, books.caps));
    },
    async setTenantCap(tenant, period, cap) {
      const books = booksOf(tenant);
      const { [period]: _replaced, ...others } = books.caps;
      books.caps = cap === null ? others : { ...others, [period]: { ...cap } };
    },
    async tenantCaps(tenant) {
      return structuredClone(booksOf(tenant).caps);
    },
  };
}
