/**
 * The ledger: what is reserved and spent, by scope, shared by every process that uses the store. Its commands are part of the
 * store port; its rule stands in `ledger-rule.ts`, once for every back-end.
 *
 * L1: a reservation is taken in all its scopes or in none, in one transaction with whatever journals it.
 * L2: in every scope: spent + unknown + reserved ≤ cap, as of every reservation, whoever made the others.
 * L3: a call is reserved once and settled once; the second time of the same call changes nothing.
 * L4: a lost answer's rest stays as unknown spend and counts as spent.
 */
import type { LedgerScope } from "../kernel/ledger-scopes.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { TenantId } from "../kernel/ids.ts";
import type { NanoDollars } from "../kernel/money.ts";

export interface Ledger {
  /**
   * Reserves and settles without a journal: for work that is not a session's (jobs of a batch).
   * @throws BudgetRefusal when a cap leaves too little; then nothing was changed
   */
  moveLedger(tenant: TenantId, moves: LedgerMoves): Promise<void>;
  /** Where scopes stand, in the order asked; a scope that nothing was reserved in stands at its opening. */
  positions(tenant: TenantId, scopes: readonly LedgerScope[]): Promise<readonly ScopePosition[]>;
  /** Scopes that exist, by the beginning of their names; in order of name, at most `limit`. */
  listScopes(tenant: TenantId, prefix: string, limit: number): Promise<readonly ScopePosition[]>;
  /** Caps of the tenant: they are added to whatever a reservation names, from the next one on. Null takes one away. */
  setTenantCap(tenant: TenantId, period: TenantPeriod, cap: TenantCap | null): Promise<void>;
  tenantCaps(tenant: TenantId): Promise<{ readonly [P in TenantPeriod]?: TenantCap }>;
}

/** `total` caps the scope `tenant`, `month` each `month:2026-11`, `day` each `day:2026-11-21` (UTC). */
export type TenantPeriod = "total" | "month" | "day";

export interface TenantCap {
  readonly cost: NanoDollars | null;
  readonly tokens: number | null;
}

export interface LedgerMoves {
  readonly reserve: readonly Reservation[];
  readonly settle: readonly Settlement[];
}

export interface Reservation {
  /** `SESSION/CALL` of a model call (a fork's journal names its parent's calls), or the id of whatever is paid for: unique within the tenant. */
  readonly call: string;
  /** Outermost first. */
  readonly scopes: readonly LedgerScope[];
  /** The worst case. Null: without a known price; refused where a cap of money is strict or a tenant's. */
  readonly cost: NanoDollars | null;
  readonly tokens: number;
}

export interface Settlement {
  readonly call: string;
  /** Null: without a known price. */
  readonly cost: NanoDollars | null;
  readonly tokens: number;
  /** Of a lost answer: what it may have cost beyond that. */
  readonly unknown_cost: NanoDollars | null;
  readonly unknown_tokens: number;
}

/** Amounts of money in nano-dollars. */
export interface ScopePosition {
  readonly scope: string;
  /** The smallest cap that holds there: the asker's own or the tenant's. Null: none. */
  readonly cap_cost: NanoDollars | null;
  readonly cap_tokens: number | null;
  /** Whether a call without a price is refused there. */
  readonly strict: boolean;
  /** Settled. */
  readonly cost: NanoDollars;
  readonly tokens: number;
  /** Of lost answers. */
  readonly unknown_cost: NanoDollars;
  readonly unknown_tokens: number;
  /** Held by calls under way. */
  readonly reserved_cost: NanoDollars;
  readonly reserved_tokens: number;
  /** Calls that were reserved there. */
  readonly calls: number;
  /** Of them, those without a known price. */
  readonly unpriced: number;
}

/** Which cap said no, and how it stood. */
export interface RefusedBy {
  readonly scope: string;
  readonly unit: "cost" | "tokens";
  readonly cap: number;
  /** Settled and unknown. */
  readonly spent: number;
  readonly reserved: number;
  /** Null: the price is not known. */
  readonly asked: number | null;
}

/** A reservation that a cap leaves too little for. `kind` is `budget_held` where only reservations of others are in the way. */
export class BudgetRefusal extends HarnessError {
  readonly refused_by: RefusedBy;

  constructor(refused_by: RefusedBy, happened: string, todo: string) {
    const { cap, spent, asked } = refused_by;
    super(asked === null ? "price_unknown" : spent + asked <= cap ? "budget_held" : "budget_exceeded", happened, todo);
    this.refused_by = refused_by;
  }
}
