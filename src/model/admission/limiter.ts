/**
 * The rate of one account and model, as all its processes see it: what is left, who has a turn, who waits. Pure: states go in
 * and come out, and times are milliseconds of the store's clock.
 *
 * L1: a call gets in when everybody before it could get in as well: nobody is passed over, and nobody who sleeps is waited for.
 * L2: parties take turns: before each second call of one comes the first of every other that waits.
 * L3: turns and tickets that nobody says are alive are forgotten after `ADMISSION_TTL_MS`. What a forgotten turn took stays
 *     taken: it may have been sent.
 */
import { ADMISSION_TTL_MS } from "../admission.ts";
import { type Amounts, type Bucket, KINDS, take, taken } from "./bucket.ts";
import { type Charges, charge } from "./charges.ts";
import { type Estimate, type Learned, likely, NOTHING_LEARNED } from "./learned.ts";
import { type CallWindow, FIRST_WINDOW } from "./window.ts";

/** Calls under way of one account and model, over all processes. */
export const TURNS_MAX = 200;
/** Calls that wait with a place in the queue; further ones wait for a place. */
export const TICKETS_MAX = 300;
/** Parties of which it is remembered when they were served. */
const SERVED_MAX = 150;

export interface LimiterState {
  readonly buckets: { readonly [Kind in keyof Amounts]: Bucket | null };
  readonly charges: Charges;
  readonly turns: readonly Turn[];
  readonly queue: readonly Ticket[];
  /** Parties and the number of their last turn, the newest last. */
  readonly served: readonly (readonly [party: string, number: number])[];
  /** Turns given so far. */
  readonly count: number;
  readonly learned: Learned;
  /** Whether the provider tells its limits. */
  readonly headers: "unknown" | "told" | "none";
  /** Since when a first call asks for them. */
  readonly asked_at: number;
  /** Null: limits are told, and keeping to them was enough. */
  readonly window: CallWindow | null;
  /** Nothing is sent before: the provider said so. */
  readonly blocked_until: number;
  /** 429s in a row that did not say how long to wait. */
  readonly blocks: number;
}

export interface Turn {
  readonly id: string;
  readonly party: string;
  readonly at: number;
  readonly seen: number;
  /** As estimated by who asked. */
  readonly estimated: number;
  /** As reserved. `tokens` where both are counted in one. */
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly tokens: number;
}

/** One who waits. The estimates are the caller's own: what they mean is judged by what is known at the time. */
export interface Ticket extends Estimate {
  readonly id: string;
  readonly party: string;
  readonly at: number;
  readonly seen: number;
  /** How many turns had been given when it came. */
  readonly count: number;
}

export const FRESH_LIMITER: LimiterState = {
  buckets: { requests: null, tokens: null, input_tokens: null, output_tokens: null },
  charges: [],
  turns: [],
  queue: [],
  served: [],
  count: 0,
  learned: NOTHING_LEARNED,
  headers: "unknown",
  asked_at: 0,
  window: null,
  blocked_until: 0,
  blocks: 0,
};

/** L3. */
export function withoutDead(state: LimiterState, now: number): LimiterState {
  const alive = ({ seen }: { readonly seen: number }): boolean => now - seen < ADMISSION_TTL_MS;
  if (state.turns.every(alive) && state.queue.every(alive)) return state;
  return { ...state, turns: state.turns.filter(alive), queue: state.queue.filter(alive) };
}

/** What a call takes out of each bucket when it is sent. */
export function needOf(state: LimiterState, estimate: Estimate): Amounts {
  const { input_tokens, output_tokens } = likely(state.learned, estimate);
  const bounded = Math.min(output_tokens, state.buckets.output_tokens?.limit ?? output_tokens);
  // Where both are counted in one (OpenAI), max_tokens is counted at once and for good, whatever is written then.
  const tokens = Math.max(input_tokens + bounded, estimate.output_tokens);
  return { requests: 1, tokens, input_tokens, output_tokens: bounded };
}

/** The buckets that hold: the sum is not looked at where its parts are known. */
export function holding(state: LimiterState): readonly (readonly [keyof Amounts, Bucket])[] {
  const { input_tokens, output_tokens } = state.buckets;
  const inParts = input_tokens !== null && output_tokens !== null;
  return KINDS.flatMap((kind) => {
    const bucket = state.buckets[kind];
    return bucket === null || (kind === "tokens" && inParts) ? [] : [[kind, bucket] as const];
  });
}

/** L2: the tickets in the order in which they get in. */
export function inOrder(state: LimiterState): readonly Ticket[] {
  const last = new Map(state.served);
  const seen = new Map<string, number>();
  const places = state.queue
    .toSorted((a, b) => a.at - b.at || compare(a.id, b.id))
    .map((ticket) => {
      const round = seen.get(ticket.party) ?? 0;
      seen.set(ticket.party, round + 1);
      return { ticket, round, served: last.get(ticket.party) ?? ticket.count };
    });
  // The sort keeps the order of equals: by age.
  return places.toSorted((a, b) => a.round - b.round || a.served - b.served).map(({ ticket }) => ticket);
}

export function enqueued(state: LimiterState, ticket: Ticket): LimiterState {
  return { ...state, queue: [...state.queue, ticket] };
}

export function left(state: LimiterState, id: string): LimiterState {
  return { ...state, queue: state.queue.filter((ticket) => ticket.id !== id) };
}

/** Whoever has a turn or a ticket of this id is alive. */
export function alive(state: LimiterState, id: string, now: number): LimiterState {
  const beat = <T extends { readonly id: string }>(one: T): T => (one.id === id ? { ...one, seen: now } : one);
  return { ...state, queue: state.queue.map(beat), turns: state.turns.map(beat) };
}

/** Gives the turn: what it is likely to take is taken. */
export function admitted(state: LimiterState, ticket: Ticket, now: number): LimiterState {
  const need = needOf(state, ticket);
  const turn: Turn = {
    ...{ id: ticket.id, party: ticket.party, at: now, seen: now },
    ...{ estimated: ticket.input_tokens, tokens: need.tokens },
    ...{ input_tokens: need.input_tokens, output_tokens: need.output_tokens },
  };
  const count = state.count + 1;
  const others = state.served.filter(([party]) => party !== ticket.party);
  return {
    ...left(state, ticket.id),
    buckets: eachBucket(state, (bucket, kind) => take(bucket, taken(bucket, need[kind]), now)),
    // What is written comes out while it is written: it is charged at the end.
    charges: charge(state.charges, { ...need, output_tokens: 0 }, now),
    turns: [...state.turns, turn],
    served: [...others, [ticket.party, count] as const].slice(-SERVED_MAX),
    count,
    asked_at: state.headers === "unknown" && state.turns.length === 0 ? now : state.asked_at,
  };
}

export function reservedBy({ input_tokens, output_tokens, tokens }: Turn): Amounts {
  return { requests: 1, tokens, input_tokens, output_tokens };
}

export function eachBucket(
  { buckets }: Pick<LimiterState, "buckets">,
  change: (bucket: Bucket, kind: keyof Amounts) => Bucket,
): LimiterState["buckets"] {
  const of = (kind: keyof Amounts): Bucket | null => {
    const bucket = buckets[kind];
    return bucket === null ? null : change(bucket, kind);
  };
  return {
    requests: of("requests"),
    tokens: of("tokens"),
    input_tokens: of("input_tokens"),
    output_tokens: of("output_tokens"),
  };
}

/** How many may be under way at once; null for any number. */
export function concurrency(state: LimiterState, now: number): number | null {
  if (state.headers === "unknown") return askingAtOnce(state, now);
  if (state.headers === "none") return (state.window ?? FIRST_WINDOW).size;
  return state.window?.size ?? null;
}

/** How long a first call is waited for before another is let go beside it; doubled each time. Milliseconds. */
const ASKING_MS = 2_000;

/** Until the limits are known: one call, and where it takes its time twice as many, and so on. */
function askingAtOnce({ turns, asked_at }: LimiterState, now: number): number {
  return turns.length === 0 ? 1 : 2 ** Math.min(10, Math.floor(Math.max(0, now - asked_at) / ASKING_MS));
}

export function parties(state: LimiterState): number {
  return new Set([...state.turns, ...state.queue].map(({ party }) => party)).size;
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
