/**
 * The breaker of one model: a model that fails for everybody is not asked by everybody. Pure.
 *
 * B1: it opens after `FAILURES_TO_OPEN` failures in a row that say something about the model, and about nothing else.
 * B2: half open it lets exactly one call through, over all processes; that call's end alone closes or reopens it.
 * B3: a probe whose holder died is given to another within `ADMISSION_TTL_MS`, when its turn is forgotten.
 */
import type { ErrorKind } from "../../kernel/error-kind.ts";
import type { CallEnd } from "../admission.ts";

const FAILURES_TO_OPEN = 5;
/** Older ones are forgotten. Milliseconds. */
const FAILURES_WITHIN_MS = 120_000;
const OPEN_MS = 15_000;
const OPEN_MS_MAX = 300_000;
/** Each opening is longer by up to this share: breakers of several models do not end in step. */
const OPEN_JITTER = 0.2;
/** When to ask again while a probe is under way. Milliseconds. */
const PROBE_RETRY_MS = 2_000;

const OF_THE_MODEL: ReadonlySet<ErrorKind> = new Set([
  "overloaded",
  "server_error",
  "timeout",
  "stream_idle",
  "stream_cut",
  "network",
]);

export interface Breaker {
  /** When the last failures were, in a row. */
  readonly failures: readonly number[];
  /** Null: closed. Before it, open; after it, half open. */
  readonly open_until: number | null;
  /** How often in a row it opened. */
  readonly openings: number;
  /** The turn that probes. */
  readonly probe: string | null;
}

export const CLOSED: Breaker = { failures: [], open_until: null, openings: 0, probe: null };

export type BreakerState = "closed" | "open" | "half_open";

export function breakerState({ open_until }: Breaker, now: number): BreakerState {
  if (open_until === null) return "closed";
  return now < open_until ? "open" : "half_open";
}

/** @returns how long it is shut for a new call, in milliseconds; 0 when the call may go, half open as the probe */
export function shutFor(breaker: Breaker, now: number): number {
  const { open_until, probe } = breaker;
  if (open_until === null) return 0;
  if (now < open_until) return open_until - now;
  return probe === null ? 0 : PROBE_RETRY_MS;
}

/** A call was let through. */
export function entered(breaker: Breaker, turn: string): Breaker {
  return breaker.open_until === null ? breaker : { ...breaker, probe: turn };
}

/** @param alive the turns under way */
export function withoutDeadProbe(breaker: Breaker, alive: ReadonlySet<string>): Breaker {
  return breaker.probe === null || alive.has(breaker.probe) ? breaker : { ...breaker, probe: null };
}

/** @param jitter in [0, 1) */
export function ended(breaker: Breaker, turn: string, end: CallEnd, now: number, jitter: number): Breaker {
  const verdict = verdictOf(end);
  if (breaker.open_until === null) {
    if (verdict === "well") return CLOSED;
    if (verdict === "nothing") return breaker;
    const failures = [...breaker.failures.filter((at) => now - at < FAILURES_WITHIN_MS), now];
    return failures.length < FAILURES_TO_OPEN ? { ...breaker, failures } : opened(breaker, now, jitter);
  }
  if (breaker.probe !== turn) return breaker; // B2: sent before it opened
  if (verdict === "ill") return opened(breaker, now, jitter);
  // Whatever else a provider answers, it answers.
  return verdict === "well" || wasAnswered(end) ? CLOSED : { ...breaker, probe: null };
}

function opened({ openings }: Breaker, now: number, jitter: number): Breaker {
  const ms = Math.min(OPEN_MS_MAX, OPEN_MS * 2 ** Math.min(openings, 30));
  const open_until = now + Math.round(ms * (1 + OPEN_JITTER * jitter));
  return { failures: [], open_until, openings: openings + 1, probe: null };
}

function verdictOf({ sent, failure }: CallEnd): "well" | "ill" | "nothing" {
  if (failure === null) return sent ? "well" : "nothing";
  return OF_THE_MODEL.has(failure.kind) ? "ill" : "nothing";
}

function wasAnswered({ sent, failure }: CallEnd): boolean {
  return sent && failure !== null && failure.kind !== "interrupted";
}
