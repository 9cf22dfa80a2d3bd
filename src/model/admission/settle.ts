/** What a call's end teaches: what it really took, what the provider says is left, and whether it was too much. Pure. */
import type { CallEnd } from "../admission.ts";
import type { RateBucket } from "../model.ts";
import { type Amounts, type Bucket, corrected, KINDS, NO_AMOUNTS, take, taken } from "./bucket.ts";
import { charge, chargedSince, isBefore } from "./charges.ts";
import { counted, type Estimate, learn } from "./learned.ts";
import { eachBucket, type LimiterState, reservedBy, type Turn } from "./limiter.ts";
import { judged } from "./throttle.ts";

/** So long a request may be under way before its provider counts it. Milliseconds. */
const ARRIVAL_MS = 1_000;
const ROUNDED_TO = 1_000;

export interface End {
  readonly provider: string;
  readonly turn: string;
  readonly end: CallEnd;
  /** How old the report is, in milliseconds. */
  readonly report_age_ms: number;
  /** In [0, 1). */
  readonly jitter: number;
}

export function settled(state: LimiterState, ended: End, now: number): LimiterState {
  const turn = state.turns.find(({ id }) => id === ended.turn) ?? null;
  const rest: LimiterState = { ...state, turns: state.turns.filter(({ id }) => id !== ended.turn) };
  const used = usedBy(ended);
  const paid = turn === null ? rest : refunded(rest, turn, used, now);
  const charged = used === null ? paid : { ...paid, charges: charge(paid.charges, overtime(turn, used), now) };
  const told = reported(taught(charged, turn, used, ended), turn, ended, now);
  return judged(told, { ...ended, turn }, now);
}

/** What the provider counts of it; null where nobody knows. */
function usedBy({ provider, end }: End): Estimate | null {
  if (!end.sent) return { input_tokens: 0, output_tokens: 0 };
  if (end.usage !== null) return counted(provider, end.usage);
  // What is turned away is not counted.
  return end.failure !== null && TURNED_AWAY.has(end.failure.kind) ? { input_tokens: 0, output_tokens: 0 } : null;
}

const TURNED_AWAY: ReadonlySet<string> = new Set([
  ...["rate_limit", "quota_exhausted", "billing", "auth", "permission", "not_found", "invalid_request"],
  ...["request_too_large", "context_overflow", "max_tokens_overflow"],
]);

/** What was reserved and not used goes back; what was used beyond it is taken. Unknown use stays as it was reserved. */
function refunded(state: LimiterState, turn: Turn, used: Estimate | null, now: number): LimiterState {
  if (used === null) return state;
  const before = reservedBy(turn);
  const real = usedFor(turn, used);
  const settle = (bucket: Bucket, kind: keyof Amounts): Bucket =>
    take(bucket, real[kind] - taken(bucket, before[kind]), now);
  return { ...state, buckets: eachBucket(state, settle) };
}

/** What had not been charged when it was sent: what was written, and what the prompt was longer. */
function overtime(turn: Turn | null, used: Estimate): Amounts {
  const before = turn === null ? NO_AMOUNTS : reservedBy(turn);
  return {
    requests: 0,
    tokens: used.input_tokens + used.output_tokens - before.tokens,
    input_tokens: used.input_tokens - before.input_tokens,
    output_tokens: used.output_tokens,
  };
}

function usedFor(turn: Turn, { input_tokens, output_tokens }: Estimate): Amounts {
  if (input_tokens === 0 && output_tokens === 0) return NO_AMOUNTS;
  return { requests: 1, tokens: Math.max(turn.tokens, input_tokens + output_tokens), input_tokens, output_tokens };
}

function taught(state: LimiterState, turn: Turn | null, used: Estimate | null, { end }: End): LimiterState {
  if (used === null || turn === null || end.failure !== null || !end.sent || end.usage === null) return state;
  const answered = { ...used, estimated: turn.estimated, duration_ms: end.duration_ms };
  return { ...state, learned: learn(state.learned, answered) };
}

/** The provider's word, less what it cannot have counted yet. */
function reported(state: LimiterState, turn: Turn | null, { end, report_age_ms }: End, now: number): LimiterState {
  const { rate } = end;
  if (rate === null) return state;
  const at = now - Math.max(0, report_age_ms);
  // What was turned away was not counted.
  const own = turn === null || end.failure !== null ? null : { at: turn.at, taken: reservedBy(turn) };
  const since = chargedSince(state.charges, at, now, own);
  const uncounted = since === null ? null : added(since, underWay(state, at));
  const of = (kind: keyof Amounts): Bucket | null => {
    const said = rate[kind];
    if (said === null) return state.buckets[kind];
    const reset_at = said.reset_at === null ? null : at + (said.reset_at - rate.at);
    const word = { limit: said.limit, remaining: kind === "requests" ? said.remaining : atLeast(said), reset_at, at };
    return corrected(state.buckets[kind], word, uncounted?.[kind] ?? null, now);
  };
  const buckets = {
    ...{ requests: of("requests"), tokens: of("tokens") },
    ...{ input_tokens: of("input_tokens"), output_tokens: of("output_tokens") },
  };
  if (state.headers === "told" || KINDS.every((kind) => buckets[kind] === null)) return { ...state, buckets };
  // Who tells its limits needs no window.
  return { ...state, buckets, headers: "told", window: null };
}

/** What calls under way take that a word of `at` may not have counted. */
function underWay({ turns }: LimiterState, at: number): Amounts {
  return turns.reduce((sum, turn) => {
    const taken = reservedBy(turn);
    // What is being written is counted while it is written, however long ago it began; the rest when it arrives.
    const arriving = isBefore(turn.at, at) && at - turn.at < ARRIVAL_MS ? taken : NO_AMOUNTS;
    return added(sum, { ...arriving, output_tokens: taken.output_tokens });
  }, NO_AMOUNTS);
}

function added(a: Amounts, b: Amounts): Amounts {
  return {
    requests: a.requests + b.requests,
    tokens: a.tokens + b.tokens,
    input_tokens: a.input_tokens + b.input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
  };
}

/** Anthropic rounds tokens to the nearest thousand: what is surely left. */
function atLeast({ remaining, limit }: RateBucket): number | null {
  const rounded = remaining !== null && remaining % ROUNDED_TO === 0 && remaining !== limit;
  return rounded ? Math.max(0, remaining - ROUNDED_TO / 2) : remaining;
}
