/** The builders that the cases of the ledger share. Amounts of money in dollars. */
import assert from "node:assert/strict";
import type { LedgerScope } from "../../kernel/ledger-scopes.ts";
import { type NanoDollars, nanoDollars } from "../../kernel/money.ts";
import {
  BudgetRefusal,
  type RefusedBy,
  type Reservation,
  type ScopePosition,
  type Settlement,
} from "../../store/ledger.ts";
import type { Store } from "../../store/port.ts";
import { TENANT } from "./case.ts";

export const usd = (amount: number): NanoDollars => nanoDollars(Math.round(amount * 1_000_000_000));

export interface ScopeFacts {
  readonly cost?: number;
  readonly tokens?: number;
  readonly strict?: boolean;
  readonly spent?: { readonly cost: number; readonly tokens: number };
}

export function scope(name: string, { cost, tokens, strict = false, spent }: ScopeFacts = {}): LedgerScope {
  return {
    scope: name,
    cost: cost === undefined ? null : usd(cost),
    tokens: tokens ?? null,
    strict,
    opening: { cost: usd(spent?.cost ?? 0), tokens: spent?.tokens ?? 0 },
  };
}

export function reservation(
  call: string,
  scopes: readonly LedgerScope[],
  cost: number | null,
  tokens = 0,
): Reservation {
  return { call, scopes, cost: cost === null ? null : usd(cost), tokens };
}

export function settlement(
  call: string,
  cost: number | null,
  tokens = 0,
  lost?: readonly [number, number],
): Settlement {
  return {
    call,
    cost: cost === null ? null : usd(cost),
    tokens,
    unknown_cost: usd(lost?.[0] ?? 0),
    unknown_tokens: lost?.[1] ?? 0,
  };
}

export function reserve(store: Store, ...all: readonly Reservation[]): Promise<void> {
  return store.moveLedger(TENANT, { reserve: all, settle: [] });
}

export function settle(store: Store, ...all: readonly Settlement[]): Promise<void> {
  return store.moveLedger(TENANT, { reserve: [], settle: all });
}

export async function refusal(action: Promise<unknown>): Promise<BudgetRefusal> {
  const error = await action.then(
    () => assert.fail("expected a refusal, and nothing was refused"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof BudgetRefusal, `expected a refusal, and got ${String(error)}`);
  return error;
}

export async function refusedBy(action: Promise<unknown>): Promise<[kind: string, by: RefusedBy]> {
  const { kind, refused_by } = await refusal(action);
  return [kind, refused_by];
}

export async function positionIn(store: Store, asked: LedgerScope): Promise<ScopePosition> {
  const [position] = await store.positions(TENANT, [asked]);
  assert.ok(position);
  return position;
}

/** Dollars and tokens: `settled`, `unknown`, `reserved`. */
export async function standing(store: Store, name: string): Promise<readonly (readonly [number, number])[]> {
  const at = await positionIn(store, scope(name));
  return [
    [at.cost / 1e9, at.tokens],
    [at.unknown_cost / 1e9, at.unknown_tokens],
    [at.reserved_cost / 1e9, at.reserved_tokens],
  ];
}

export const NOTHING: readonly (readonly number[])[] = [
  [0, 0],
  [0, 0],
  [0, 0],
];
export const GROUP: LedgerScope = scope("group:team", { cost: 1, tokens: 1_000 });
