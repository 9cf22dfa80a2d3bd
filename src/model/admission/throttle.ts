/** Whether what was sent was too much: the block that all keep to, and how many calls may be under way at once. Pure. */
import type { CallEnd } from "../admission.ts";
import type { RateBucket } from "../model.ts";
import { KINDS } from "./bucket.ts";
import { type LimiterState, reservedBy, type Turn } from "./limiter.ts";
import { type CallWindow, FIRST_WINDOW, narrowed, widened } from "./window.ts";

/** The wait after a 429 that says none; doubled by each further one in a row. Milliseconds. */
const BLOCK_MS = 1_000;
const BLOCK_MS_MAX = 30_000;

interface Ended {
  /** Null: it had been forgotten. */
  readonly turn: Turn | null;
  readonly end: CallEnd;
  readonly report_age_ms: number;
  /** In [0, 1). */
  readonly jitter: number;
}

export function judged(state: LimiterState, ended: Ended, now: number): LimiterState {
  const { sent, failure } = ended.end;
  if (!sent) return state;
  if (failure === null) return succeeded(state);
  if (failure.kind === "rate_limit") return limited(state, ended, now);
  const asked = failure.kind === "overloaded" ? failure.retry_after_ms : null;
  return asked === null ? state : { ...state, blocked_until: Math.max(state.blocked_until, now + asked) };
}

function succeeded(before: LimiterState): LimiterState {
  const state = withoutWord(before);
  const window = state.window ?? (state.headers === "none" ? FIRST_WINDOW : null);
  const busy = 1 + state.turns.length + state.queue.length;
  return { ...state, blocks: 0, window: window === null ? null : widened(window, busy) };
}

function limited(before: LimiterState, ended: Ended, now: number): LimiterState {
  const state = withoutWord(before);
  const asked = ended.end.failure?.retry_after_ms ?? null;
  const spent = spentUntil(ended, now);
  const silent = asked === null && spent === null;
  // One episode is one block: calls that were under way together are turned away together.
  const again = silent && state.blocked_until <= now;
  const until = again ? now + silentBlock(state.blocks, ended.jitter) : Math.max(now + (asked ?? 0), spent ?? 0);
  return {
    ...state,
    blocked_until: Math.max(state.blocked_until, until),
    blocks: again ? state.blocks + 1 : state.blocks,
    window: windowAfter(state, ended, now),
  };
}

/** Whoever answers and has told no limit by now tells none. */
function withoutWord(state: LimiterState): LimiterState {
  return state.headers === "unknown" ? { ...state, headers: "none" } : state;
}

function windowAfter(state: LimiterState, { turn, end }: Ended, now: number): CallWindow | null {
  const need = turn === null ? null : reservedBy(turn);
  const left = (kind: (typeof KINDS)[number]): number => end.rate?.[kind]?.remaining ?? Number.POSITIVE_INFINITY;
  const explained = KINDS.some((kind) => left(kind) < (need?.[kind] ?? 1));
  // Where a limit that is told was used up, keeping to it better is enough.
  if (explained && state.headers === "told") return state.window;
  return narrowed(state.window ?? firstCut(state), turn?.at ?? 0, now);
}

/** A window for those that needed none so far: what was under way was too much. */
function firstCut({ headers, turns }: LimiterState): CallWindow {
  return headers === "told" ? { ...FIRST_WINDOW, size: turns.length + 1 } : FIRST_WINDOW;
}

function silentBlock(blocks: number, jitter: number): number {
  const most = Math.min(BLOCK_MS_MAX, BLOCK_MS * 2 ** Math.min(blocks, 30));
  return Math.round(most * (0.5 + 0.5 * jitter));
}

/** A limit without a number that is used up, as subscriptions have it. Until when; null where there is none. */
function spentUntil({ end: { rate }, report_age_ms }: Ended, now: number): number | null {
  if (rate === null) return null;
  const spent = (bucket: RateBucket | null): number | null =>
    bucket?.limit === null && bucket.remaining === 0 && bucket.reset_at !== null
      ? now - report_age_ms + (bucket.reset_at - rate.at)
      : null;
  const until = KINDS.flatMap((kind) => spent(rate[kind]) ?? []);
  return until.length === 0 ? null : Math.max(...until);
}
