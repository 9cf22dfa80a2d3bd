/**
 * The rule of the ledger (L1 to L4), in one place for every back-end: from the rows that moves touch to the rows after them, or
 * to a refusal. Pure. A back-end loads `callsOf` and `scopesOf` under its lock, asks `moved`, and writes what that returns, in
 * one transaction.
 */
import { smallerCap } from "../kernel/budget.ts";
import type { LedgerScope } from "../kernel/ledger-scopes.ts";
import type { SessionId } from "../kernel/ids.ts";
import { addMoney, NO_MONEY, type NanoDollars, nanoDollars } from "../kernel/money.ts";
import type {
  LedgerMoves,
  RefusedBy,
  Reservation,
  ScopePosition,
  Settlement,
  TenantCap,
  TenantPeriod,
} from "./ledger.ts";
import { budgetRefusal } from "./ledger-refusal.ts";
import { corrupt } from "./refusal.ts";

/** What the ledger keeps of a scope. Money in nano-dollars. */
export type ScopeRow = Omit<ScopePosition, "cap_cost" | "cap_tokens" | "strict">;

/** Its members, as the columns of a table. */
export const SCOPE_COLUMNS = [
  "scope",
  "cost",
  "tokens",
  "unknown_cost",
  "unknown_tokens",
  "reserved_cost",
  "reserved_tokens",
  "calls",
  "unpriced",
] as const satisfies readonly (keyof ScopeRow)[];

/** What the ledger keeps of a call. A settled one is kept so that it is not reserved again; its scopes are no longer needed. */
export interface CallRow {
  readonly call: string;
  readonly settled: boolean;
  /** Where it is reserved, each once; none when it is settled. */
  readonly scopes: readonly string[];
  /** Reserved; null without a known price. */
  readonly cost: NanoDollars | null;
  readonly tokens: number;
}

export type TenantCaps = { readonly [P in TenantPeriod]?: TenantCap };

/** What `moved` looks at: of what `callsOf` and `scopesOf` name, what there is. */
export interface LedgerRows {
  readonly calls: readonly CallRow[];
  readonly scopes: readonly ScopeRow[];
}

/** The calls that moves touch, each once. */
export function callsOf({ reserve, settle }: LedgerMoves): readonly string[] {
  return [...new Set([...reserve, ...settle].map(({ call }) => call))];
}

/** The scopes that moves touch, each once, in order of name: so that two who lock them never wait for each other. */
export function scopesOf({ reserve }: LedgerMoves, calls: readonly CallRow[]): readonly string[] {
  const asked = reserve.flatMap(({ scopes }) => scopes.map(({ scope }) => scope));
  return [...new Set([...asked, ...calls.flatMap(({ scopes }) => scopes)])].sort();
}

/**
 * The rows that moves change, as they are afterwards; none of a call that is known already (L3).
 * What is settled makes room first, but a call that is reserved by the same moves is settled after it was reserved.
 * @throws BudgetRefusal when a cap leaves too little
 */
export function moved(before: LedgerRows, caps: TenantCaps, { reserve, settle }: LedgerMoves): LedgerRows {
  const calls = new Map(before.calls.map((row) => [row.call, row]));
  const scopes = new Map(before.scopes.map((row) => [row.scope, row]));
  const changed = { calls: new Set<string>(), scopes: new Set<string>() };

  const put = (call: CallRow, rows: readonly ScopeRow[]): void => {
    calls.set(call.call, call);
    changed.calls.add(call.call);
    for (const row of rows) scopes.set(row.scope, row);
    for (const { scope } of rows) changed.scopes.add(scope);
  };
  const release = (settlement: Settlement): void => {
    const call = calls.get(settlement.call);
    if (call === undefined || call.settled) return;
    const held = call.scopes.map((scope) => scopes.get(scope) ?? missing(call, scope));
    put({ ...call, settled: true, scopes: [] }, settled(held, call, settlement));
  };

  for (const settlement of settle) release(settlement);
  for (const reservation of reserve) {
    if (calls.has(reservation.call)) continue;
    const judged = judge(scopes, reservation, caps);
    if ("refused" in judged) throw budgetRefusal(judged.refused);
    const { call, cost, tokens } = reservation;
    put({ call, settled: false, scopes: judged.rows.map(({ scope }) => scope), cost, tokens }, judged.rows);
  }
  for (const settlement of settle) release(settlement);

  return {
    calls: [...calls.values()].filter(({ call }) => changed.calls.has(call)),
    scopes: [...scopes.values()].filter(({ scope }) => changed.scopes.has(scope)),
  };
}

/** What is left of calls whose session is removed: nobody will settle them, and they may have been paid for. */
export function abandoned(open: readonly CallRow[], session: SessionId): readonly Settlement[] {
  return open
    .filter(({ settled: done, scopes }) => !done && scopes.includes(`session:${session}`))
    .map(({ call, cost, tokens }) => {
      return { call, cost: NO_MONEY, tokens: 0, unknown_cost: cost, unknown_tokens: tokens };
    });
}

/** Where a scope stands for who asks with caps of their own. `row` is null where nothing was reserved yet. */
export function positionOf(row: ScopeRow | null, scope: LedgerScope, caps: TenantCaps): ScopePosition {
  const tenant = tenantCap(scope.scope, caps);
  return {
    ...(row ?? openedScope(scope)),
    cap_cost: smallerCap(scope.cost, tenant?.cost ?? null),
    cap_tokens: smallerCap(scope.tokens, tenant?.tokens ?? null),
    strict: (scope.strict && scope.cost !== null) || (tenant !== undefined && tenant.cost !== null),
  };
}

/** The same for who has no caps: only the tenant's hold. */
export function listedPosition(row: ScopeRow, caps: TenantCaps): ScopePosition {
  const opening = { cost: NO_MONEY, tokens: 0 };
  return positionOf(row, { scope: row.scope, cost: null, tokens: null, strict: false, opening }, caps);
}

type Judged = { readonly refused: RefusedBy } | { readonly rows: readonly ScopeRow[] };

/** L1, L2: the rows of all its scopes with the reservation in them, or why not. */
function judge(scopes: ReadonlyMap<string, ScopeRow>, reservation: Reservation, caps: TenantCaps): Judged {
  const positions = once(reservation.scopes).map((scope) => positionOf(scopes.get(scope.scope) ?? null, scope, caps));
  const refused = positions.flatMap((position) => refusedBy(position, reservation));
  // Where one cap can never let it through, waiting for another one is in vain.
  const first = refused.find((one) => !isHeld(one)) ?? refused[0];
  if (first !== undefined) return { refused: first };
  return { rows: positions.map((position) => reserved(position, reservation)) };
}

function refusedBy(at: ScopePosition, { cost, tokens }: Reservation): readonly RefusedBy[] {
  const units: readonly RefusedBy[] = [
    ...(at.cap_cost === null || (cost === null && !at.strict)
      ? []
      : [
          {
            scope: at.scope,
            unit: "cost" as const,
            cap: at.cap_cost,
            spent: at.cost + at.unknown_cost,
            reserved: at.reserved_cost,
            asked: cost,
          },
        ]),
    ...(at.cap_tokens === null
      ? []
      : [
          {
            scope: at.scope,
            unit: "tokens" as const,
            cap: at.cap_tokens,
            spent: at.tokens + at.unknown_tokens,
            reserved: at.reserved_tokens,
            asked: tokens,
          },
        ]),
  ];
  return units.filter(({ cap, spent, reserved: held, asked }) => asked === null || spent + held + asked > cap);
}

/** Only what others reserved is in the way. */
function isHeld({ cap, spent, asked }: RefusedBy): boolean {
  return asked !== null && spent + asked <= cap;
}

function reserved(position: ScopePosition, { cost, tokens }: Reservation): ScopeRow {
  const { cap_cost: _cost, cap_tokens: _tokens, strict: _strict, ...row } = position;
  return {
    ...row,
    reserved_cost: addMoney(row.reserved_cost, cost ?? NO_MONEY),
    reserved_tokens: row.reserved_tokens + tokens,
    calls: row.calls + 1,
    unpriced: row.unpriced + (cost === null ? 1 : 0),
  };
}

/** L4: what was used takes the place of what was reserved; what a lost answer may have cost beyond that stays. */
function settled(rows: readonly ScopeRow[], call: CallRow, settlement: Settlement): readonly ScopeRow[] {
  return rows.map((row) => ({
    ...row,
    cost: addMoney(row.cost, settlement.cost ?? NO_MONEY),
    tokens: row.tokens + settlement.tokens,
    unknown_cost: addMoney(row.unknown_cost, settlement.unknown_cost ?? NO_MONEY),
    unknown_tokens: row.unknown_tokens + settlement.unknown_tokens,
    reserved_cost: nanoDollars(row.reserved_cost - (call.cost ?? NO_MONEY)),
    reserved_tokens: row.reserved_tokens - call.tokens,
  }));
}

function openedScope({ scope, opening }: LedgerScope): ScopeRow {
  return {
    scope,
    cost: opening.cost,
    tokens: opening.tokens,
    unknown_cost: NO_MONEY,
    unknown_tokens: 0,
    reserved_cost: NO_MONEY,
    reserved_tokens: 0,
    calls: 0,
    unpriced: 0,
  };
}

/** A scope that is named twice is one scope, under the smaller of its caps. */
function once(scopes: readonly LedgerScope[]): readonly LedgerScope[] {
  const merged = new Map<string, LedgerScope>();
  for (const scope of scopes) {
    const other = merged.get(scope.scope);
    merged.set(scope.scope, other === undefined ? scope : tighter(other, scope));
  }
  return [...merged.values()];
}

function tighter(a: LedgerScope, b: LedgerScope): LedgerScope {
  const strict = (a.strict && a.cost !== null) || (b.strict && b.cost !== null);
  return { ...a, cost: smallerCap(a.cost, b.cost), tokens: smallerCap(a.tokens, b.tokens), strict };
}

function tenantCap(scope: string, caps: TenantCaps): TenantCap | undefined {
  if (scope === "tenant") return caps.total;
  if (scope.startsWith("month:")) return caps.month;
  return scope.startsWith("day:") ? caps.day : undefined;
}

function missing({ call }: CallRow, scope: string): never {
  throw corrupt(`The ledger has no scope ${scope}, in which the call ${call} is reserved.`);
}
