/** Whether a call may go now, and if not, how long it is likely to wait and for what. Pure. */
import { type Amounts, levelAt, MINUTE_MS, taken, usedShare, waitFor } from "./bucket.ts";
import {
  concurrency,
  holding,
  inOrder,
  type LimiterState,
  needOf,
  parties,
  type Ticket,
  TURNS_MAX,
} from "./limiter.ts";

/** What a call is reckoned to take before one has ended. Milliseconds. */
const DURATION_MS = 5_000;

export type Judgement = { readonly fits: true } | Wait;

export interface Wait {
  readonly fits: false;
  /** Likely, from now. Milliseconds. */
  readonly wait_ms: number;
  /** `time`: it passes by itself, at that time. `others`: when somebody ends, which nobody knows. `blocked`: for all at once. */
  readonly until: "time" | "others" | "blocked";
  /** How many are before it. */
  readonly ahead: number;
  readonly reason: string;
}

const NAMES: { readonly [Kind in keyof Amounts]: string } = {
  requests: "requests",
  tokens: "tokens",
  input_tokens: "input tokens",
  output_tokens: "output tokens",
};

/** @param ticket one of the queue, or one that would be its last */
export function judge(state: LimiterState, ticket: Ticket, now: number): Judgement {
  const waiting = state.queue.some(({ id }) => id === ticket.id)
    ? state
    : { ...state, queue: [...state.queue, ticket] };
  const order = inOrder(waiting);
  const before = order.slice(
    0,
    order.findIndex(({ id }) => id === ticket.id),
  );
  const ahead = before.length;
  const waits = [blocked(waiting, ahead, now), scarce(waiting, before, ticket, now), crowded(waiting, ahead, now)];
  return waits.filter((wait) => wait !== null).sort((a, b) => b.wait_ms - a.wait_ms)[0] ?? { fits: true };
}

function blocked(state: LimiterState, ahead: number, now: number): Wait | null {
  if (state.blocked_until <= now) return null;
  const reason = `the provider asked to wait; ${runs(state)} ${parties(state) > 1 ? "wait" : "waits"} for it`;
  return { fits: false, wait_ms: state.blocked_until - now, until: "blocked", ahead, reason };
}

/** L1: the bucket that is last to hold what everybody before and this call take. */
function scarce(state: LimiterState, before: readonly Ticket[], ticket: Ticket, now: number): Wait | null {
  const needs = [...before, ticket].map((each) => needOf(state, each));
  const waits = holding(state).map(([kind, bucket]) => {
    const amount = needs.reduce((sum, need) => sum + taken(bucket, need[kind]), 0);
    return { kind, bucket, wait_ms: waitFor(bucket, amount, now) };
  });
  const [worst] = waits.sort((a, b) => b.wait_ms - a.wait_ms);
  if (worst === undefined || worst.wait_ms === 0) return null;
  const { kind, bucket, wait_ms } = worst;
  const share = Math.round(usedShare(bucket, now) * 100);
  const per = bucket.window_ms === MINUTE_MS ? "/min" : "";
  return {
    ...{ fits: false, wait_ms, until: "time", ahead: before.length },
    reason: `${share} % of ${NAMES[kind]}${per} used by ${runs(state)}`,
  };
}

function crowded(state: LimiterState, ahead: number, now: number): Wait | null {
  const size = Math.min(TURNS_MAX, concurrency(state, now) ?? TURNS_MAX);
  const { turns } = state;
  if (turns.length + ahead < size) return null;
  const rounds = Math.ceil((turns.length + ahead - size + 1) / Math.max(1, size));
  const wait_ms = Math.max(1, rounds * (state.learned.duration_ms ?? DURATION_MS));
  const reason =
    state.headers === "unknown"
      ? `the limits are not known yet: ${turns.length === 1 ? "one call asks" : `${turns.length} calls ask`} for them`
      : `${turns.length} of ${size} calls at once under way by ${runs(state)}`;
  return { fits: false, wait_ms, until: "others", ahead, reason };
}

function runs(state: LimiterState): string {
  const count = Math.max(1, parties(state));
  return count === 1 ? "1 run" : `${count} runs`;
}

export interface RateShare {
  /** `input tokens` */
  readonly what: string;
  /** Of the provider, in a minute or in its own window. */
  readonly limit: number;
  /** In [0, 1]. */
  readonly used_share: number;
}

export function rateShares(state: LimiterState, now: number): readonly RateShare[] {
  return holding(state).map(([kind, bucket]) => ({
    ...{ what: NAMES[kind], limit: bucket.limit },
    used_share: 1 - Math.max(0, levelAt(bucket, now)) / bucket.limit,
  }));
}
