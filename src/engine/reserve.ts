/**
 * The worst case of a call, reserved in the ledger by the very append that journals the intent: no call is sent without it, and
 * a crash leaves neither a reservation without a call nor a call without one.
 */
import { worstCaseTokens } from "../kernel/bound.ts";
import { OUTPUT_TOKENS_MIN } from "../kernel/budget.ts";
import { ledgerScopes } from "../kernel/ledger-scopes.ts";
import type { Draft, EventOf } from "../kernel/events/index.ts";
import type { ModelCallId } from "../kernel/ids.ts";
import type { ChosenModel } from "../kernel/model-policy.ts";
import { addMoney, nanoDollars } from "../kernel/money.ts";
import { BudgetRefusal, type ScopePosition } from "../store/ledger.ts";
import type { Drive } from "./run.ts";
import { worstCost } from "./worst-cost.ts";

/** While others hold what a call needs it waits so often for all of it; then it takes less, where that makes sense. */
const WAITS_FOR_ALL = 3;

type Reserved = EventOf<"BudgetReserved">["data"];

export interface Intent {
  readonly call: ModelCallId;
  readonly turn: number;
  readonly chosen: ChosenModel;
  /** The events of the intent, for what the answer may have at most. */
  readonly drafts: (reserved: Draft, max_tokens: number) => readonly Draft[];
}

/**
 * Reserves and journals; `max_tokens` is what the answer may have, lowered where a cap leaves less and that makes sense.
 * @returns the refusal, where a cap leaves too little: then nothing was written
 */
export async function reserve(intent: Intent, run: Drive): Promise<Reserved | BudgetRefusal> {
  const all = run.state().max_tokens;
  const whole = await attempt(intent, all, run);
  if (!(whole instanceof BudgetRefusal) || whole.kind === "price_unknown") return whole;
  // The ledger as others see it: what the calls before it settled is in it.
  await run.settle();
  const fits = await fitting(intent, run);
  const half = whole.kind === "budget_held" && run.state().failures.refused.count < WAITS_FOR_ALL;
  if (fits < Math.max(leastTokens(run), half ? all / 2 : 0)) return whole;
  return attempt(intent, fits, run);
}

async function attempt(intent: Intent, max_tokens: number, run: Drive): Promise<Reserved | BudgetRefusal> {
  const state = run.state();
  const tokens = tokensFor(max_tokens, run);
  const data: Reserved = {
    call: intent.call,
    scopes: ledgerScopes(state, intent.turn, await run.host.store.now()).map(({ scope }) => scope),
    tokens,
    cost: await worstCost(run.host.prices.costOf, intent.chosen, tokens, max_tokens),
    max_tokens: max_tokens === state.max_tokens ? null : max_tokens,
  };
  try {
    await run.record(intent.drafts({ kind: "BudgetReserved", turn: intent.turn, data }, max_tokens));
    return data;
  } catch (error) {
    if (error instanceof BudgetRefusal) return error;
    throw error;
  }
}

/** An answer below this is cut at once; thinking comes out of it. Tokens. */
function leastTokens(run: Drive): number {
  return OUTPUT_TOKENS_MIN + (run.config().thinking_tokens ?? 0);
}

/** The most that an answer may have for the call to fit under every cap, as they stand now; 0 when none does. Tokens. */
async function fitting({ turn, chosen }: Intent, run: Drive): Promise<number> {
  const state = run.state();
  const { costOf } = run.host.prices;
  const scopes = ledgerScopes(state, turn, await run.host.store.now());
  const positions = await run.host.store.positions(state.tenant, scopes);
  const inputTokens = tokensFor(0, run);
  const tokensLeft = Math.min(...positions.map(leftTokens)) - inputTokens;
  const left = Math.min(...positions.map(leftCost));
  const most = Math.max(0, Math.min(state.max_tokens, tokensLeft));
  const input = await worstCost(costOf, chosen, inputTokens, 0);
  const full = await worstCost(costOf, chosen, inputTokens + most, most);
  if (input === null || full === null || full <= left) return most;
  if (full === input || input >= left) return 0;
  const share = Math.floor((most * (left - input)) / (full - input));
  // Prices may have steps: what was reckoned is asked once more.
  const asked = await worstCost(costOf, chosen, inputTokens + share, share);
  return asked !== null && asked <= left ? share : 0;
}

function tokensFor(max_tokens: number, run: Drive): number {
  const state = run.state();
  return worstCaseTokens(state) - state.max_tokens + max_tokens;
}

/** Infinite where there is no cap. */
export function leftTokens(at: ScopePosition): number {
  return at.cap_tokens === null
    ? Number.POSITIVE_INFINITY
    : at.cap_tokens - at.tokens - at.unknown_tokens - at.reserved_tokens;
}

export function leftCost(at: ScopePosition): number {
  return at.cap_cost === null
    ? Number.POSITIVE_INFINITY
    : at.cap_cost - addMoney(addMoney(at.cost, at.unknown_cost), nanoDollars(at.reserved_cost));
}
