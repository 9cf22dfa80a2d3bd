/**
 * Which form of the `thinking` parameter a Claude model takes. Fixed budgets (`enabled`) ended with version 4.5; 4.6
 * takes both; from 4.7 on a budget is answered with 400 ("thinking.type.enabled" is not supported for this model).
 */
import type { ThinkingConfigParam } from "@anthropic-ai/sdk/resources/messages/messages";

/** The provider takes no smaller budget. Tokens. */
const BUDGET_TOKENS_MIN = 1_024;
/** What of `max_tokens` is kept for the answer itself. Tokens. */
const ANSWER_TOKENS_MIN = 1_024;

/**
 * @param tokens null: off, which means that the parameter is left out (some models refuse `disabled`).
 * @returns null also where `max_tokens` leaves no room for the smallest budget.
 */
export function thinkingParam(model: string, tokens: number | null, maxTokens: number): ThinkingConfigParam | null {
  if (tokens === null || tokens <= 0) return null;
  if (takesAdaptiveThinking(model)) return { type: "adaptive", display: "summarized" };
  const budget = Math.min(tokens, maxTokens - ANSWER_TOKENS_MIN);
  return budget < BUDGET_TOKENS_MIN ? null : { type: "enabled", budget_tokens: Math.floor(budget) };
}

/** From version 4.6 on. A name without a version (a proxy's own name) keeps the older form. */
export function takesAdaptiveThinking(model: string): boolean {
  const version = claudeVersion(model);
  return version !== null && (version.major > 4 || (version.major === 4 && version.minor >= 6));
}

/** `claude-opus-4-6`, `claude-haiku-4-5-20251001`, `claude-3-7-sonnet-20250219`, `anthropic.claude-opus-5-v1:0`. */
function claudeVersion(model: string): { readonly major: number; readonly minor: number } | null {
  const found = /claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2})(?!\d))?/.exec(model.toLowerCase());
  if (!found) return null;
  return { major: Number(found[1]), minor: Number(found[2] ?? 0) };
}
