/** What a run comes to, for programs: the object that `--output json` prints. */
import { waitingCalls } from "./ask.ts";
import { windowOf } from "../kernel/compaction.ts";
import type { ChosenModel } from "../kernel/model-policy.ts";
import type { Event } from "../kernel/events/index.ts";
import type { RunId, SessionId } from "../kernel/ids.ts";
import { addMoney, dollarsOf, type NanoDollars, nanoDollars } from "../kernel/money.ts";
import type { Outcome, Verification } from "../kernel/outcome.ts";
import type { RunEnd, SessionState } from "../kernel/state.ts";
import type { ErrorKind } from "../kernel/error-kind.ts";
import { spentIn } from "../kernel/scope.ts";
import { promptTokens, type Usage } from "../kernel/usage.ts";
import type { Tool } from "../tool/tool.ts";

export interface RunReport {
  readonly session: SessionId;
  readonly run: RunId | null;
  readonly outcome: Outcome;
  readonly verification: Verification;
  readonly exit_code: number;
  /** Turns of the session. */
  readonly turns: number;
  /** Of the session; `unknown_tokens` may have been spent by answers that were lost. */
  readonly usage: Usage & { readonly unknown_tokens: number };
  /** Of the session, in dollars; null when a price is unknown. */
  readonly cost_usd: number | null;
  /** What answers that were lost may have cost beyond that, in dollars, as far as prices are known. */
  readonly unknown_cost_usd: number;
  /** The least that a cap of money of this session leaves, in dollars, and whose cap it is; null without one. */
  readonly budget_left: { readonly scope: string; readonly usd: number } | null;
  /** Of all that was read by models, the share that came from the cache, from 0 to 1; null when nothing was read. */
  readonly cache_read_share: number | null;
  /** How full the context is, and what was taken out of it in this session (the last compactions that a state remembers); null before
   * the first answer that was counted. */
  readonly context: {
    readonly tokens: number;
    readonly window: number;
    readonly compactions: number;
    /** Tokens. */
    readonly freed: number;
  } | null;
  /** Of this run: where another model took over, and what the one before could not do. */
  readonly model_switches: readonly ModelSwitch[];
  /** Of this run, in milliseconds: for its turn under the rate, and before failed calls were tried again. */
  readonly waits: { readonly rate_ms: number; readonly retry_ms: number };
  /** Of this run. */
  readonly duration_ms: number;
  /** Where the work is, absolute; null when no workspace was needed. */
  readonly workspace: string | null;
  readonly branch: string | null;
  readonly checkpoints: readonly {
    readonly id: string;
    readonly label: string;
    readonly turn: number;
    readonly tree: string;
  }[];
  readonly error: { readonly kind: ErrorKind; readonly message: string } | null;
  /** Calls that wait for a person: `belay approve CALL`. */
  readonly waiting: readonly { readonly call: string; readonly tool: string; readonly reason: string }[];
}

export interface ModelSwitch {
  readonly from: ChosenModel;
  readonly to: ChosenModel;
  readonly kind: ErrorKind;
}

export interface ReportParts {
  readonly state: SessionState;
  /** Of the events of this run. */
  readonly notes: RunNotes;
  readonly end: RunEnd;
  readonly run: RunId | null;
  readonly duration_ms: number;
  readonly workspace: string | null;
}

/** What of a run stands in its events and not in the state. As many switches as there are models to fall back to. */
export interface RunNotes {
  readonly model_switches: readonly ModelSwitch[];
  readonly waits: RunReport["waits"];
  /** When the wait before a retry is to be over, in milliseconds since the epoch; null while there is none. */
  readonly waiting_until: number | null;
}

export const NO_NOTES: RunNotes = { model_switches: [], waits: { rate_ms: 0, retry_ms: 0 }, waiting_until: null };

export function noted(notes: RunNotes, event: Event): RunNotes {
  const { waits } = notes;
  switch (event.kind) {
    case "ModelSwitched": {
      const { from, to, kind } = event.data;
      return { ...notes, model_switches: [...notes.model_switches, { from, to, kind }] };
    }
    case "RateWaited":
      return { ...notes, waits: { ...waits, rate_ms: waits.rate_ms + event.data.waited_ms } };
    case "RetryScheduled": {
      const { delay_ms, until } = event.data;
      return { ...notes, waits: { ...waits, retry_ms: waits.retry_ms + delay_ms }, waiting_until: until };
    }
    case "RetryWaited": {
      // Who is stopped has not waited to the end.
      const left = Math.max(0, (notes.waiting_until ?? event.at) - event.at);
      return { ...notes, waits: { ...waits, retry_ms: Math.max(0, waits.retry_ms - left) }, waiting_until: null };
    }
    default:
      return notes;
  }
}

/** How a session stands while it runs, for those who look on. */
export interface Standing {
  readonly cost: NanoDollars | null;
  readonly unknown_cost: NanoDollars;
  readonly left: { readonly scope: string; readonly cost: NanoDollars } | null;
  readonly cache_read_share: number | null;
  /** Tokens of the last prompt that was counted; null before the first. */
  readonly context_tokens: number | null;
}

/**
 * Of the caps of money only those of this session count: what others have reserved under a shared one the state does not know.
 * @param run whose caps count; the one under way
 */
export function standingOf(state: SessionState, run: RunId | null = state.run?.id ?? null): Standing {
  const { cost, unknown_cost, usage, counted } = state;
  const read = promptTokens(usage);
  return {
    cost,
    unknown_cost,
    left: leastLeft(state, run),
    cache_read_share: read === 0 ? null : usage.cache_read_tokens / read,
    context_tokens: counted?.reported?.prompt ?? counted?.tokens ?? null,
  };
}

function leastLeft(state: SessionState, run: RunId | null): Standing["left"] {
  const left = (state.config?.budget.caps ?? []).flatMap(({ scope, cost: cap }) => {
    const spent = cap === null ? null : spentUnder(scope, state, run);
    if (cap === null || spent === null) return [];
    return [{ scope, cost: nanoDollars(Math.max(0, cap - spent)) }];
  });
  return left.reduce<Standing["left"]>((least, one) => (least === null || one.cost < least.cost ? one : least), null);
}

/** With what lost answers may have cost. Null where the scope is not open or a price is not known. */
function spentUnder(scope: string, state: SessionState, run: RunId | null): NanoDollars | null {
  const { cost, unknown_cost, tally, turn, phase, runs } = state;
  const whole = cost === null ? null : addMoney(cost, unknown_cost);
  if (scope === "session" || (scope === "run" && runs <= 1)) return whole;
  if (scope === "run") return run === null ? null : spentIn(tally, { kind: "run", id: run }).cost;
  if (scope === "turn") return spentIn(tally, { kind: "turn", id: String(turn) }).cost;
  if (phase !== null && scope === `phase:${phase}`) return spentIn(tally, { kind: "phase", id: phase }).cost;
  return null;
}

function contextOf(state: SessionState, tokens: number | null): RunReport["context"] {
  if (tokens === null) return null;
  // A conversation that begins anew has nothing taken out of it.
  const compacted = state.compactions.filter(({ layer }) => layer !== "fresh");
  const freed = compacted.reduce((sum, { before, after }) => sum + Math.max(0, before - after), 0);
  return { tokens, window: windowOf(state), compactions: compacted.length, freed };
}

export function reportOf({ state, notes, end, run, duration_ms, workspace }: ReportParts): RunReport {
  const { left, unknown_cost, cache_read_share, context_tokens } = standingOf(state, run);
  return {
    session: state.session,
    run,
    outcome: end.outcome,
    verification: end.verification,
    exit_code: end.exit_code,
    turns: state.turn,
    usage: { ...state.usage, unknown_tokens: state.unknown_tokens },
    cost_usd: state.cost === null ? null : dollarsOf(state.cost),
    unknown_cost_usd: dollarsOf(unknown_cost),
    budget_left: left === null ? null : { scope: left.scope, usd: dollarsOf(left.cost) },
    cache_read_share,
    context: contextOf(state, context_tokens),
    model_switches: notes.model_switches,
    waits: notes.waits,
    duration_ms: Math.round(duration_ms),
    workspace,
    branch: state.workspace?.branch ?? null,
    checkpoints: state.checkpoints.map(({ id, label, turn, tree }) => ({ id, label, turn, tree })),
    error: end.error,
    waiting: waitingCalls(state).map(({ call, part, reason }) => ({ call, tool: part.name, reason })),
  };
}

/**
 * Whether a run that has just ended can have left nothing, so that nobody has to look: the model was given nothing but tools
 * that read, nothing was verified, and the tree in which nobody else works is the one that the session began with.
 */
export function surelyUnchanged(state: SessionState, tools: readonly Tool[]): boolean {
  const { workspace, config, dirty, verified } = state;
  if (workspace === null || !workspace.snapshots || config === null || config.workspace.mode === "in_place")
    return false;
  if (dirty || verified !== null || workspace.tree !== workspace.base) return false;
  const reading = new Set(tools.filter(({ effect }) => effect === "read").map(({ name }) => name));
  const called = state.messages.flatMap(({ parts }) => parts.filter((part) => part.type === "tool_use"));
  return called.every(({ name }) => reading.has(name));
}
