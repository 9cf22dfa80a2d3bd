/** The caps and alerts of a session: from the command line, the settings and what a session had. */
import { ALERT_AT_DEFAULT, type Budget, type Cap, DEFAULT_BUDGET, NO_CAP, smallerCap } from "../kernel/budget.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { formatMoney } from "../kernel/money.ts";
import type { MoneyOptions } from "./money-options.ts";
import type { Settings } from "./resolved-settings.ts";

/** Of a new session. @throws HarnessError `usage` where more is asked for than the machine's settings allow */
export function startBudget(options: MoneyOptions, settings: Settings): Budget {
  const { alert_at = ALERT_AT_DEFAULT, turn_alert = null } = settings.budget;
  const caps = overlaid(DEFAULT_BUDGET.caps, settings.caps);
  return changedBudget(options, { caps: [...caps], alert_at, turn_alert }, settings);
}

/** Of a session that goes on: what is not said stays as it was, as far as the machine's settings allow it. @throws as above */
export function changedBudget(options: MoneyOptions, present: Budget, settings: Settings): Budget {
  const said = saidCaps(options);
  for (const cap of said) requireBelow(cap, settings.ceiling);
  const quiet = options.alert === false;
  return {
    caps: [...restricted(overlaid(present.caps, said), settings.ceiling.caps)],
    alert_at: quiet ? null : present.alert_at,
    turn_alert: options.turnAlert ?? (quiet ? null : present.turn_alert),
  };
}

/** Money that was asked for is strict: a call without a price is refused under it. */
function saidCaps({ budget, turnBudget, phase = [], group = [] }: MoneyOptions): readonly Cap[] {
  const money = (scope: string, cost: Cap["cost"] | undefined): readonly Cap[] =>
    cost === undefined || cost === null ? [] : [{ ...NO_CAP, scope, cost, strict: true }];
  return [
    ...money("session", budget),
    ...money("turn", turnBudget),
    ...phase.map(({ name, amount }) => ({
      ...NO_CAP,
      ...amount,
      scope: `phase:${name}`,
      strict: amount.cost !== null,
    })),
    ...group.flatMap(({ name, cost }) => money(`group:${name}`, cost)),
  ];
}

/** Each cap in its turn replaces what it says of its scope, and nothing else. */
function overlaid(below: readonly Cap[], above: readonly Cap[]): readonly Cap[] {
  return above.reduce<readonly Cap[]>((caps, cap) => {
    const present = caps.find(({ scope }) => scope === cap.scope);
    if (present === undefined) return [...caps, cap];
    const changed: Cap = {
      ...present,
      cost: cap.cost ?? present.cost,
      strict: cap.cost === null ? present.strict : cap.strict,
      tokens: cap.tokens ?? present.tokens,
    };
    return caps.map((one) => (one === present ? changed : one));
  }, below);
}

/** The smaller one of each. */
function restricted(caps: readonly Cap[], ceiling: readonly Cap[]): readonly Cap[] {
  return ceiling.reduce<readonly Cap[]>((rest, most) => {
    const present = rest.find(({ scope }) => scope === most.scope);
    if (present === undefined) return [...rest, most];
    const smaller: Cap = {
      ...present,
      cost: smallerCap(present.cost, most.cost),
      strict: present.strict || most.strict,
      tokens: smallerCap(present.tokens, most.tokens),
    };
    return rest.map((one) => (one === present ? smaller : one));
  }, caps);
}

function requireBelow(cap: Cap, { caps, from }: Settings["ceiling"]): void {
  const most = caps.find(({ scope }) => scope === cap.scope);
  if (most === undefined) return;
  const over =
    (cap.cost !== null &&
      most.cost !== null &&
      cap.cost > most.cost && [formatMoney(cap.cost), formatMoney(most.cost)]) ||
    (cap.tokens !== null &&
      most.tokens !== null &&
      cap.tokens > most.tokens && [`${cap.tokens} tokens`, `${most.tokens} tokens`]);
  if (over === false) return;
  throw new HarnessError(
    "usage",
    `The cap of ${over[0] ?? ""} for ${cap.scope} is more than the ${over[1] ?? ""} that ${from} allows.`,
    "Ask for less, or have that file changed.",
  );
}
