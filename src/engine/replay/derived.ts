/** Values that belay computed and recorded, computed anew: requests, reservations, prices, waits, intents of tools. */
import { worstCaseTokens } from "../../kernel/bound.ts";
import { seriesOf } from "../../kernel/caps.ts";
import type { SessionConfig } from "../../kernel/config.ts";
import { ERROR_TABLE } from "../../kernel/error-kind.ts";
import type { EventOf } from "../../kernel/events/index.ts";
import { modelInUse } from "../../kernel/model-in-use.ts";
import { NO_MONEY } from "../../kernel/money.ts";
import type { SessionState } from "../../kernel/state.ts";
import { totalTokens, type Usage } from "../../kernel/usage.ts";
import { retryDelay } from "../../model/retry.ts";
import type { Host } from "../host.ts";
import { openCall, type Judging } from "../judge-tools.ts";
import type { Prompt } from "../prompt.ts";
import { answerTokens, requestHash, requestOf } from "../request.ts";
import { plan } from "../run-tools.ts";
import { worstCost } from "../worst-cost.ts";
import { compared, type Finding, finding } from "./finding.ts";

export type PricesOf = (provider: string, model: string, usage: Usage) => ReturnType<Host["prices"]["costOf"]>;

/** The table is asked once for the same question: a long session asks the same again and again. */
export function rememberedPrices({ prices }: Pick<Host, "prices">): PricesOf {
  const known = new Map<string, ReturnType<PricesOf>>();
  return (provider, model, usage) => {
    const key = JSON.stringify([provider, model, usage]);
    const answer = known.get(key) ?? prices.costOf(provider, model, usage);
    known.set(key, answer);
    return answer;
  };
}

export async function checkReservation(
  event: EventOf<"BudgetReserved">,
  state: SessionState,
  config: SessionConfig,
  prices: PricesOf,
): Promise<readonly Finding[]> {
  const { seq, data } = event;
  // How much a cap left is known only to the ledger: the lowered `max_tokens` is taken as recorded.
  const max_tokens = data.max_tokens ?? state.max_tokens;
  const tokens = worstCaseTokens(state) - state.max_tokens + max_tokens;
  if (data.tokens !== tokens) return [finding("budget", seq, data.tokens, tokens)];
  const worst_case = await worstCost(prices, modelInUse(state), tokens, max_tokens);
  const differs = compared("price", seq, { worst_case: data.cost }, { worst_case });
  return differs === null ? [] : [differs];
}

export async function checkSettlement(
  event: EventOf<"BudgetSettled">,
  state: SessionState,
  config: SessionConfig,
  prices: PricesOf,
): Promise<readonly Finding[]> {
  const { seq, data } = event;
  const { provider, model } = modelInUse(state);
  const matched = await prices(provider, model, data.usage);
  const nothing = totalTokens(data.usage) === 0;
  const now = { cost: nothing ? NO_MONEY : (matched?.cost ?? null), price: matched?.price ?? null };
  const price = compared("price", seq, { cost: data.cost, price: data.price }, now);
  // Whether a failed call may have spent its reservation is told by how it failed; it has spent all that is open, or nothing.
  // So may one whose provider counted nothing.
  const open = Math.max(0, (state.reserved?.tokens ?? 0) - totalTokens(data.usage));
  const possible = state.model.status === "failed" || nothing ? [0, open] : [0];
  const unknown = possible.includes(data.unknown_tokens) ? null : finding("budget", seq, data.unknown_tokens, possible);
  return [price, unknown].filter((one) => one !== null);
}

/** The request that is made of the state, under the versions of prompt and tools that were recorded. @param prompt that the session would send */
export function checkRequest(
  event: EventOf<"ModelCallStarted">,
  state: SessionState,
  config: SessionConfig,
  prompt: Prompt,
): readonly Finding[] {
  const { seq, data } = event;
  const recorded = { prompt: data.prompt, tools: data.tools };
  const { purpose } = data;
  const reserved = state.reserved?.max_tokens ?? state.max_tokens;
  const request = {
    ...requestOf(state, config, prompt, purpose),
    max_tokens: answerTokens(reserved, purpose, config),
  };
  const now = {
    provider: modelInUse(state).provider,
    model: request.model,
    max_tokens: request.max_tokens,
    messages: request.messages.length,
    request: requestHash(request, recorded),
  };
  const { provider, model, max_tokens, messages, request: hash } = data;
  return [
    compared("prompt", seq, recorded, prompt.versions),
    compared("request", seq, { provider, model, max_tokens, messages, request: hash }, now),
  ].filter((one) => one !== null);
}

/** A wait is drawn from a range: the recorded one must be in it. */
export function checkWait(
  event: EventOf<"RetryScheduled">,
  state: SessionState,
  retry_after_ms: number | null,
): readonly Finding[] {
  const { seq, data } = event;
  const { limit } = ERROR_TABLE[data.kind];
  const { count, waited_ms } = seriesOf(state);
  const drawn = (random: number): number => {
    if (limit === undefined) return 0;
    const planned = retryDelay({ limit, attempt: count, waited_ms, retry_after_ms, random: () => random });
    return "delay_ms" in planned ? Math.round(planned.delay_ms) : 0;
  };
  const [least, most] = [drawn(0), drawn(1)];
  return data.delay_ms >= least && data.delay_ms <= most
    ? []
    : [finding("decision", seq, `a wait of ${data.delay_ms} ms`, `a wait of ${least} to ${most} ms`)];
}

/** The intent of a call, but for what was measured. */
export function checkIntent(event: EventOf<"ToolStarted">, run: Judging): readonly Finding[] {
  const { seq, data, causation } = event;
  const call = openCall(run.state(), data.call);
  const planned = plan(call, run);
  const { tool, confined, limit_ms } = data;
  const now = {
    tool: planned.tool.name,
    confined: planned.confined,
    limit_ms: planned.limit_ms,
    causation: call.asked_seq,
  };
  const differs = compared("judgement", seq, { tool, confined, limit_ms, causation }, now);
  return differs === null ? [] : [differs];
}
