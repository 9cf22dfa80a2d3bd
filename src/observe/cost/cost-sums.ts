/** Charges added up by what somebody wants to know: exact sums, in whole tokens and nano-dollars. */
import { addMoney, type NanoDollars, NO_MONEY } from "../../kernel/money.ts";
import { addUsage, NO_USAGE, type Usage } from "../../kernel/usage.ts";
import type { Charge, Finding } from "./attribution.ts";

export const GROUPINGS = ["session", "model", "tool", "skill", "phase", "day"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Where a journal names nothing. */
export const NONE = "(none)";
/** What lost answers may have cost belongs to no tool. */
export const LOST_PART = "(lost answers)";

export interface Sums {
  readonly usage: Usage;
  /** Of the calls whose price is known. */
  readonly cost: NanoDollars;
  /** Of lost answers: what they may have cost beyond that. */
  readonly unknown_tokens: number;
  readonly unknown_cost: NanoDollars;
  /** Calls of the model; of a tool: calls of it. */
  readonly calls: number;
  /** Of the calls of the model, those that used tokens without a known price: their cost is in no sum. */
  readonly unpriced: number;
}

export const NO_SUMS: Sums = {
  usage: NO_USAGE,
  cost: NO_MONEY,
  unknown_tokens: 0,
  unknown_cost: NO_MONEY,
  calls: 0,
  unpriced: 0,
};

export type Groups = ReadonlyMap<string, Sums>;

export function addSums(a: Sums, b: Sums): Sums {
  return {
    usage: addUsage(a.usage, b.usage),
    cost: addMoney(a.cost, b.cost),
    unknown_tokens: a.unknown_tokens + b.unknown_tokens,
    unknown_cost: addMoney(a.unknown_cost, b.unknown_cost),
    calls: a.calls + b.calls,
    unpriced: a.unpriced + b.unpriced,
  };
}

export function addGroups(a: Groups, b: Groups): Groups {
  const all = new Map(a);
  for (const [key, sums] of b) all.set(key, addSums(all.get(key) ?? NO_SUMS, sums));
  return all;
}

/** What one finding adds, and to which groups. */
export function groupsOf(finding: Exclude<Finding, { readonly kind: "inherited" }>, by: Grouping): Groups {
  if (finding.kind === "tool_call")
    return by === "tool" ? new Map([[finding.tool, { ...NO_SUMS, calls: 1 }]]) : new Map();
  const { charge } = finding;
  return by === "tool" ? byPart(charge) : new Map([[keyOf(charge, by), sumsOf(charge)]]);
}

export function sumsOf({ usage, cost, unknown_tokens, unknown_cost }: Charge): Sums {
  const unpriced = cost === null ? 1 : 0;
  return { usage, cost: cost ?? NO_MONEY, unknown_tokens, unknown_cost: unknown_cost ?? NO_MONEY, calls: 1, unpriced };
}

function byPart(charge: Charge): Groups {
  const { unknown_tokens, unknown_cost } = sumsOf(charge);
  const parts = charge.parts.map(
    ({ part, usage, cost }) => [part, { ...NO_SUMS, usage, cost: cost ?? NO_MONEY }] as const,
  );
  if (unknown_tokens === 0 && unknown_cost === 0) return new Map(parts);
  return new Map([...parts, [LOST_PART, { ...NO_SUMS, unknown_tokens, unknown_cost }]]);
}

function keyOf({ session, model, phase, at }: Charge, by: Exclude<Grouping, "tool">): string {
  switch (by) {
    case "session":
      return session;
    case "model":
      return model ?? NONE;
    case "phase":
      return phase ?? NONE;
    case "skill":
      return NONE; // no event names one yet
    case "day":
      return new Date(at).toISOString().slice(0, "2026-11-21".length);
  }
}
