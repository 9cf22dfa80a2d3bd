/** What `decide` says about caps: those of turns and time, and the alerts. Money and tokens are the ledger's. */
import type { Cap } from "./budget.ts";
import { formatMoney, type NanoDollars } from "./money.ts";
import { type ScopeKind, spentIn } from "./scope.ts";
import type { SessionState } from "./state.ts";
import type { BudgetAlert } from "./step.ts";
import { totalTokens } from "./usage.ts";

/** The turn of the next call: a retry belongs to the turn it began in, a new one begins after an answer. */
export function nextTurn({ failures, pauses, turn, using }: SessionState): number {
  const fresh = failures.count === 0 && pauses === 0 && using?.mid_turn !== true;
  return fresh ? turn + 1 : Math.max(turn, 1);
}

/** The row of failures that a wait belongs to: that of a call that was sent, or of one that was refused before. */
export function seriesOf({ failures, model }: SessionState): { readonly count: number; readonly waited_ms: number } {
  return model.status === "failed" && model.refused ? failures.refused : failures;
}

/** One line about a cap of turns or time that the next call would cross; null when there is none. */
export function usedUp(state: SessionState): string | null {
  const { run } = state;
  if (run?.budget_stop === true) return "A person said stop when the budget's alert was shown.";
  for (const cap of state.config?.budget.caps ?? []) {
    const used = usedIn(cap.scope, state);
    if (used === null) continue;
    if (cap.turns !== null && used.turns >= cap.turns)
      return `The cap of ${cap.turns} turns for ${used.label} is reached.`;
    if (cap.active_ms !== null && used.active_ms >= cap.active_ms)
      return `The cap of ${Math.round(cap.active_ms / 1_000)} s for ${used.label} is reached.`;
  }
  return null;
}

interface Used {
  /** For people: `session`, `run 2`, `turn 7`, `phase:plan`. */
  readonly label: string;
  readonly turns: number;
  readonly active_ms: number;
  readonly cost: NanoDollars | null;
  readonly tokens: number;
}

/** Null where the session is not in that scope. */
function usedIn(scope: string, state: SessionState): Used | null {
  const { run, phase, phase_began, turn } = state;
  const active = state.active_ms + (run === null ? 0 : state.at - run.started_at);
  const spent = (kind: ScopeKind, id: string): Pick<Used, "cost" | "tokens"> => {
    const { cost, usage } = spentIn(state.tally, { kind, id });
    return { cost, tokens: totalTokens(usage) };
  };
  if (scope === "session")
    return { label: "session", turns: turn, active_ms: active, ...spent("session", state.session) };
  if (scope === "run" && run !== null) {
    const active_ms = state.at - run.started_at;
    return { label: `run ${run.number}`, turns: run.turns, active_ms, ...spent("run", run.id) };
  }
  if (scope === "turn" && turn > 0)
    return { label: `turn ${turn}`, turns: 0, active_ms: 0, ...spent("turn", String(turn)) };
  if (phase === null || phase_began === null || scope !== `phase:${phase}`) return null;
  const turns = turn - phase_began.turn;
  return { label: scope, turns, active_ms: active - phase_began.active_ms, ...spent("phase", phase) };
}

/** The first alert that nobody was told of; null when there is none. */
export function dueAlert(state: SessionState): BudgetAlert | null {
  const budget = state.config?.budget;
  if (budget === undefined) return null;
  const { alert_at, turn_alert, caps } = budget;
  const alerts = [
    ...(alert_at === null ? [] : caps.flatMap((cap) => alertsOf(cap, alert_at, state))),
    ...(turn_alert === null ? [] : turnAlerts(turn_alert, state)),
  ];
  return alerts.find(({ scope, unit }) => !state.alerted.includes(`${scope} ${unit}`)) ?? null;
}

function alertsOf(cap: Cap, alert_at: number, state: SessionState): readonly BudgetAlert[] {
  const used = usedIn(cap.scope, state);
  if (used === null) return [];
  return [
    ...alerting({ scope: used.label, unit: "cost", value: used.cost, cap: cap.cost }, alert_at),
    ...alerting({ scope: used.label, unit: "tokens", value: used.tokens, cap: cap.tokens }, alert_at),
  ];
}

function alerting(
  of: Pick<BudgetAlert, "scope" | "unit" | "cap"> & { readonly value: number | null },
  alert_at: number,
): readonly BudgetAlert[] {
  if (of.cap === null || of.value === null) return [];
  const level = Math.floor(of.cap * alert_at);
  return of.value > 0 && of.value >= level ? [{ kind: "alert", ...of, value: of.value, level }] : [];
}

function turnAlerts(level: NanoDollars, state: SessionState): readonly BudgetAlert[] {
  const used = usedIn("turn", state);
  if (used === null || used.cost === null || used.cost < level) return [];
  return [{ kind: "alert", scope: used.label, unit: "cost", value: used.cost, level, cap: null }];
}

/** `$4.02 of $5.00`, `9,800 of 10,000 tokens`, and without a cap `$0.24 (alert at $0.10)`, for people. */
export function alertText({ unit, value, level, cap }: Pick<BudgetAlert, "unit" | "value" | "level" | "cap">): string {
  // Amounts of money in events are nano-dollars.
  const shown = (amount: number): string =>
    unit === "cost" ? formatMoney(amount as NanoDollars) : amount.toLocaleString("en-US");
  const noun = unit === "tokens" ? " tokens" : "";
  return cap === null ? `${shown(value)}${noun} (alert at ${shown(level)})` : `${shown(value)} of ${shown(cap)}${noun}`;
}
