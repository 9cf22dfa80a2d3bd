/**
 * The limits of one model call as one tree: the caller's signal, and the connect, idle and total limits. The first
 * reason wins; everything below hangs on `signal`.
 *
 * T1: `ended` resolves once, with the first reason, before `signal` aborts: who waits for it wins every race.
 * T2: after `close` no timer is left.
 */
import type { Clock } from "../kernel/clock.ts";
import type { ModelTimeouts } from "./model.ts";

export type CallEnd = "aborted" | "connect" | "idle" | "total";

export interface Deadlines {
  readonly signal: AbortSignal;
  readonly ended: Promise<CallEnd>;
  /** Null while the call may go on. */
  end(): CallEnd | null;
  /** The response's headers are there: from now on the idle limit holds. */
  connected(): void;
  /** Something came: the idle limit starts anew. */
  alive(): void;
  close(): void;
}

export function startDeadlines(clock: Clock, timeouts: ModelTimeouts, caller: AbortSignal): Deadlines {
  const tree = new AbortController();
  const timers = new AbortController();
  const started = clock.monotonic();
  let phase: "connect" | "idle" = "connect";
  let lastLife = started;
  let rearm = new AbortController();
  let reason: CallEnd | null = null;
  let resolveEnded: (end: CallEnd) => void = () => {};
  const ended = new Promise<CallEnd>((resolve) => {
    resolveEnded = resolve;
  });

  const finish = (why: CallEnd): void => {
    if (reason !== null || timers.signal.aborted) return;
    reason = why;
    resolveEnded(why);
    timers.abort("ended");
    tree.abort();
  };
  const onCallerAbort = (): void => finish("aborted");
  const next = (): { readonly why: CallEnd; readonly at: number } => {
    const total = { why: "total" as const, at: started + timeouts.total_ms };
    const current = { why: phase, at: lastLife + (phase === "connect" ? timeouts.connect_ms : timeouts.idle_ms) };
    return total.at <= current.at ? total : current;
  };
  const run = async (): Promise<void> => {
    while (!timers.signal.aborted) {
      const { why, at } = next();
      const left = at - clock.monotonic();
      if (left <= 0) return finish(why);
      await clock.sleep(left, AbortSignal.any([timers.signal, rearm.signal]));
    }
  };

  if (caller.aborted) finish("aborted");
  else {
    caller.addEventListener("abort", onCallerAbort, { once: true });
    void run();
  }
  return {
    signal: tree.signal,
    ended,
    end: () => reason,
    connected: () => {
      phase = "idle";
      lastLife = clock.monotonic();
      rearm.abort("connected"); // a reason: without one the runtime makes an error, with its stack
      rearm = new AbortController();
    },
    alive: () => {
      lastLife = clock.monotonic();
    },
    close: () => {
      caller.removeEventListener("abort", onCallerAbort);
      timers.abort("closed");
    },
  };
}
