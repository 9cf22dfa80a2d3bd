/**
 * What events say about money, as moves of the ledger. Only events that are being written move it: what a fork or an import
 * brought along was spent elsewhere, and is what a new scope opens with.
 */
import { type LedgerScope, ledgerScopes } from "../kernel/ledger-scopes.ts";
import type { Event, EventOf } from "../kernel/events/index.ts";
import { invariant } from "../kernel/harness-error.ts";
import type { ModelCallId, SessionId } from "../kernel/ids.ts";
import type { SessionState } from "../kernel/state.ts";
import { totalTokens } from "../kernel/usage.ts";
import type { LedgerMoves } from "./ledger.ts";

export const NO_MOVES: LedgerMoves = { reserve: [], settle: [] };

/** @param state before the event */
export function ledgerMoves(state: SessionState, event: Event): LedgerMoves {
  if (event.kind === "BudgetReserved") {
    const { call, cost, tokens } = event.data;
    return {
      reserve: [{ call: callName(event.session, call), scopes: scopesOf(state, event), cost, tokens }],
      settle: [],
    };
  }
  if (event.kind !== "BudgetSettled") return NO_MOVES;
  const { call, usage, cost, unknown_cost, unknown_tokens } = event.data;
  const settlement = {
    call: callName(event.session, call),
    tokens: totalTokens(usage),
    cost,
    unknown_cost,
    unknown_tokens,
  };
  return { reserve: [], settle: [settlement] };
}

export function bothMoves(a: LedgerMoves, b: LedgerMoves): LedgerMoves {
  return { reserve: [...a.reserve, ...b.reserve], settle: [...a.settle, ...b.settle] };
}

/** A fork's journal names its parent's calls: what it says of them must not settle the parent's. */
function callName(session: SessionId, call: ModelCallId): string {
  return `${session}/${call}`;
}

/** The caps are those of the state. The day is the one that was reserved for: it may have ended since. */
function scopesOf(state: SessionState, event: EventOf<"BudgetReserved">): readonly LedgerScope[] {
  const named = event.data.scopes;
  const day = named.find((name) => name.startsWith("day:"))?.slice("day:".length);
  const at = day === undefined ? event.at : Date.parse(day);
  const scopes = Number.isNaN(at) ? [] : ledgerScopes(state, event.turn, at);
  const same = scopes.length === named.length && scopes.every(({ scope }, i) => scope === named[i]);
  invariant(same, "invariant L1: a call is reserved in every scope above it, and its event names them");
  return scopes;
}
