/** What stands in the cell of one account and model, and how it is written: short, because every call reads and writes it. */
import type { ErrorKind } from "../../kernel/error-kind.ts";
import { type Breaker, CLOSED } from "./breaker.ts";
import { isCell } from "./cell-shape.ts";
import { earlierCharges } from "./charges.ts";
import { eachBucket, FRESH_LIMITER, type LimiterState, type Ticket, type Turn } from "./limiter.ts";

/** What is kept of a failure's message. Characters. */
export const ERROR_CHARS_MAX = 300;
/** What is kept of a party's name: its end, which is what tells one from another. Characters. */
export const PARTY_CHARS_MAX = 20;

/** States of another version stand in other cells. */
const PREFIX = "admission/1/";

export interface CellState {
  readonly provider: string;
  readonly model: string;
  readonly account: string;
  readonly limiter: LimiterState;
  readonly breaker: Breaker;
  readonly last_latency_ms: number | null;
  readonly last_error: LastError | null;
}

export interface LastError {
  readonly kind: ErrorKind;
  readonly message: string;
  /** By the store's clock. */
  readonly at: number;
}

type Named = Pick<CellState, "provider" | "model" | "account">;

export const CELL_PREFIX: string = PREFIX;

export function cellKey({ provider, model, account }: Named): string {
  return `${PREFIX}${JSON.stringify([account, provider, model])}`;
}

export function freshState({ provider, model, account }: Named): CellState {
  return {
    ...{ provider, model, account },
    ...{ limiter: FRESH_LIMITER, breaker: CLOSED, last_latency_ms: null, last_error: null },
  };
}

/** Times of turns and tickets are written as what lies after `base`. @param now of the store, at which it is written */
export function encode(state: CellState, now: number): string {
  const { turns, queue, ...limiter } = state.limiter;
  const base = Math.min(...[...turns, ...queue].flatMap(({ at, seen }) => [at, seen]), Number.MAX_SAFE_INTEGER);
  return JSON.stringify({
    ...state,
    limiter,
    written_at: now,
    base,
    turns: turns.map((t) => [
      ...[t.id, t.party, t.at - base, t.seen - base],
      ...[t.estimated, t.input_tokens, t.output_tokens, t.tokens],
    ]),
    queue: queue.map((t) => [
      ...[t.id, t.party, t.at - base, t.seen - base],
      ...[t.input_tokens, t.output_tokens, t.count],
    ]),
  });
}

type TicketRow = readonly [string, string, number, number, number, number, number];
type TurnRow = readonly [...TicketRow, number];

/**
 * @param now of the store; where its clock was set back since the cell was written, all that is in it was so much earlier
 * @returns null for what was not written here: a cell is a cache, and begins anew
 */
export function decode(text: string, now: number): CellState | null {
  const parsed: unknown = parse(text);
  if (!isCell(parsed)) return null;
  // As was checked.
  const { written_at, base, turns, queue, limiter, ...rest } = parsed as Omit<CellState, "limiter"> & {
    readonly written_at: number;
    readonly base: number;
    readonly turns: readonly TurnRow[];
    readonly queue: readonly TicketRow[];
    readonly limiter: Omit<LimiterState, "turns" | "queue">;
  };
  const state: CellState = {
    ...rest,
    limiter: {
      ...limiter,
      turns: turns.map(([id, party, at, seen, estimated, input_tokens, output_tokens, tokens]): Turn => ({
        ...{ id, party, at: base + at, seen: base + seen },
        ...{ estimated, input_tokens, output_tokens, tokens },
      })),
      queue: queue.map(([id, party, at, seen, input_tokens, output_tokens, count]): Ticket => ({
        ...{ id, party, at: base + at, seen: base + seen },
        ...{ input_tokens, output_tokens, count },
      })),
    },
  };
  return now < written_at ? earlier(state, written_at - now) : state;
}

/** A time ahead of the clock would be waited for: for as long as the clock was set back. */
function earlier({ limiter, breaker, last_error, ...state }: CellState, ms: number): CellState {
  const before = <T extends { readonly at: number; readonly seen: number }>(one: T): T => ({
    ...one,
    at: one.at - ms,
    seen: one.seen - ms,
  });
  return {
    ...state,
    limiter: {
      ...limiter,
      buckets: eachBucket(limiter, (bucket) => ({ ...bucket, at: bucket.at - ms })),
      charges: earlierCharges(limiter.charges, ms),
      turns: limiter.turns.map(before),
      queue: limiter.queue.map(before),
      asked_at: limiter.asked_at - ms,
      window: limiter.window && { ...limiter.window, cut_at: limiter.window.cut_at - ms },
      blocked_until: limiter.blocked_until - ms,
    },
    breaker: {
      ...breaker,
      failures: breaker.failures.map((at) => at - ms),
      open_until: breaker.open_until === null ? null : breaker.open_until - ms,
    },
    last_error: last_error && { ...last_error, at: last_error.at - ms },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
