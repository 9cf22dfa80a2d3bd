/** In which scopes of the ledger a call is paid for, and what may be spent there. */
import { type Cap, NO_CAP, smallerCap } from "./budget.ts";
import { addMoney, type NanoDollars, NO_MONEY, nanoDollars } from "./money.ts";
import { NOTHING_SPENT, spentIn } from "./scope.ts";
import type { SessionState } from "./state.ts";
import { totalTokens } from "./usage.ts";

/** A scope of the ledger, with what may be spent there. */
export interface LedgerScope {
  /** `tenant`, `month:2026-11`, `day:2026-11-21`, `group:NAME`, `tree:ID`, `session:ID`, `run:ID`, `phase:SESSION/NAME`, `turn:SESSION/N`. */
  readonly scope: string;
  /** Null: no cap from here. The ledger adds those that a tenant set for its periods. */
  readonly cost: NanoDollars | null;
  readonly tokens: number | null;
  /** A reservation without a price is refused here. */
  readonly strict: boolean;
  /** What was spent there before the ledger knew of it (a fork, an import): where the scope is new it begins with this. */
  readonly opening: { readonly cost: NanoDollars; readonly tokens: number };
}

/** Before the name of a scope of the ledger that a sub-agent is paid for in because its parent is: `above:tree:ses_1`. */
const ABOVE = "above:";

/** The scopes above a call, outermost first. @param at milliseconds since the epoch, by the store's clock; days are those of UTC */
export function ledgerScopes(state: SessionState, turn: number, at: number): readonly LedgerScope[] {
  const day = new Date(at).toISOString().slice(0, "2026-11-21".length);
  const periods = ["tenant", `month:${day.slice(0, "2026-11".length)}`, `day:${day}`].map((scope) => uncapped(scope));
  const caps = state.config?.budget.caps ?? [];
  const groups = caps.filter((cap) => cap.scope.startsWith("group:")).map((cap) => capped(cap.scope, cap));
  const above = caps
    .filter((cap) => cap.scope.startsWith(ABOVE))
    .map((cap) => capped(cap.scope.slice(ABOVE.length), cap));
  const own = caps.find((cap) => cap.scope === "session");
  const session: LedgerScope = { ...capped(`session:${state.session}`, own), opening: spentBefore(state) };
  const inner = caps.flatMap((cap) => {
    const name = innerScope(cap.scope, state, turn);
    if (name === null || (cap.cost === null && cap.tokens === null)) return [];
    return [{ ...capped(name, cap), opening: spentInside(cap.scope, state) }];
  });
  return [...periods, ...groups, ...above, ...treeScope(state), session, ...inner];
}

/**
 * What a session and all that it hands on spend together: bound by its own cap and its own limit of tokens. A session that can
 * have no sub-agents has no such scope.
 */
function treeScope(state: SessionState): readonly LedgerScope[] {
  const { config, session } = state;
  if (config === null || config.agents.defined.length === 0 || config.agents.level >= config.agents.depth) return [];
  const own = config.budget.caps.find((cap) => cap.scope === "session") ?? { ...NO_CAP, scope: "session" };
  const cap = { ...own, tokens: smallerCap(own.tokens, config.limits.tokens) };
  return [{ ...capped(`tree:${session}`, cap), opening: spentBefore(state) }];
}

/** The caps that a sub-agent of this turn begins with: whatever binds its parent binds it, in the same scopes of the ledger. */
export function handedDown(state: SessionState): readonly Cap[] {
  const caps = state.config?.budget.caps ?? [];
  const kept = caps.filter(({ scope }) => scope.startsWith("group:") || scope.startsWith(ABOVE));
  const inner = caps.flatMap((cap) => {
    const scope = innerScope(cap.scope, state, state.turn);
    return scope === null || (cap.cost === null && cap.tokens === null) ? [] : [{ ...capped(scope, cap) }];
  });
  const own = [...treeScope(state), ...inner].map(({ scope, cost, tokens, strict }) => {
    return { ...NO_CAP, scope: `${ABOVE}${scope}`, cost, tokens, strict };
  });
  return [...kept, ...own];
}

/** Null where the cap is of a scope that the session is not in. */
function innerScope(scope: string, { session, run, phase }: SessionState, turn: number): string | null {
  if (scope === "run") return run === null ? null : `run:${run.id}`;
  if (scope === "turn") return `turn:${session}/${turn}`;
  return phase !== null && scope === `phase:${phase}` ? `phase:${session}/${phase}` : null;
}

function spentBefore({ priced_cost, unknown_cost, usage, unknown_tokens }: SessionState): LedgerScope["opening"] {
  return { cost: addMoney(priced_cost, unknown_cost), tokens: totalTokens(usage) + unknown_tokens };
}

/** A phase has a scope of its own from its first cap on, and was spent in before. */
function spentInside(scope: string, { tally }: SessionState): LedgerScope["opening"] {
  const phase = scope.startsWith("phase:") ? scope.slice("phase:".length) : null;
  const { cost, usage } = phase === null ? NOTHING_SPENT : spentIn(tally, { kind: "phase", id: phase });
  return { cost: cost ?? NO_MONEY, tokens: totalTokens(usage) };
}

function uncapped(scope: string): LedgerScope {
  return { scope, cost: null, tokens: null, strict: false, opening: { cost: nanoDollars(0), tokens: 0 } };
}

function capped(scope: string, cap: Cap | undefined): LedgerScope {
  return { ...uncapped(scope), cost: cap?.cost ?? null, tokens: cap?.tokens ?? null, strict: cap?.strict ?? false };
}
