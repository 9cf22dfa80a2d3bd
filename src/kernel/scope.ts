/**
 * Scopes: one generic tree over which money, tokens, time and counts are added up. A scope is named by its path; what is
 * spent in a scope is spent in every scope above it.
 */
import { addKnownMoney, NO_MONEY, type NanoDollars } from "./money.ts";
import { addUsage, NO_USAGE, type Usage } from "./usage.ts";

export type ScopeKind = "tenant" | "session" | "run" | "phase" | "turn" | "sub_agent" | "skill" | "call";

export interface Scope {
  readonly kind: ScopeKind;
  readonly id: string;
}

/** From the outermost to the innermost. */
export type ScopePath = readonly Scope[];

/** What was used up in a scope. `cost` is null as soon as one part of it has no known price. */
export interface Spent {
  readonly usage: Usage;
  readonly cost: NanoDollars | null;
  readonly calls: number;
}

export const NOTHING_SPENT: Spent = { usage: NO_USAGE, cost: NO_MONEY, calls: 0 };

/** Spent by scope name (`kind:id`). */
export type Tally = { readonly [scope: string]: Spent };

export function scopeName(scope: Scope): string {
  return `${scope.kind}:${scope.id}`;
}

/** Adds to every scope of the path. */
export function spend(tally: Tally, path: ScopePath, amount: Spent): Tally {
  const next: Record<string, Spent> = { ...tally };
  for (const scope of path) {
    const name = scopeName(scope);
    next[name] = addSpent(next[name] ?? NOTHING_SPENT, amount);
  }
  return next;
}

export function spentIn(tally: Tally, scope: Scope): Spent {
  return tally[scopeName(scope)] ?? NOTHING_SPENT;
}

function addSpent(a: Spent, b: Spent): Spent {
  return { usage: addUsage(a.usage, b.usage), cost: addKnownMoney(a.cost, b.cost), calls: a.calls + b.calls };
}
