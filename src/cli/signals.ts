/**
 * Signals of a run, from its first instant on. Supervisors are in a hurry: GitHub sends SIGINT, SIGTERM after 7.5 s and kills
 * after 2.5 s more; Kubernetes and GitLab send SIGTERM and kill later; a closed terminal sends SIGHUP.
 *
 * S1: before a session is driven a signal leaves at once: nothing was begun. (As process 1 of a container belay would not
 *     end by a signal that it does not take.)
 * S2: the first signal stops the session in good order: what is finished is kept, what runs is ended, the journal is closed.
 *     What takes longer than `STOP_LIMIT_MS` is left as it is: the journal is whole at any instant.
 * S3: a second signal leaves at once, but for one that came with the first.
 */
import type { LiveSession } from "../engine/session.ts";
import { EXIT_TABLE } from "../kernel/outcome.ts";

/** After this a run that was told to end is left as it is, in milliseconds. Commands are gone after two seconds. */
export const STOP_LIMIT_MS = 4_000;
/** Signals within this are one: npm hands on the Ctrl+C that the terminal has sent to belay too. Milliseconds. */
export const TOGETHER_MS = 250;

const SIGNALS = {
  SIGINT: { by: "sigint", again: "Ctrl+C", reason: "canceled by SIGINT (Ctrl+C)", code: EXIT_TABLE.canceled.code },
  SIGTERM: { by: "sigterm", again: "SIGTERM", reason: "stopped by SIGTERM", code: EXIT_TABLE.terminated.code },
  SIGHUP: { by: "sighup", again: "A signal", reason: "the terminal was closed", code: EXIT_TABLE.terminated.code },
} as const;
type Taken = keyof typeof SIGNALS;

export interface Stoppable {
  readonly cancel: LiveSession["cancel"];
  /** Tells the person what is happening. */
  readonly note: (text: string) => void;
}

export interface Signals {
  /** S2: from here on this is what a signal stops. */
  stops(session: Stoppable): void;
  /** As a first signal would: the reader of the output is gone, say. */
  stop(by: "sighup", reason: string): void;
  /** Stops listening. */
  quiet(): void;
}

export interface SignalsParts {
  /** Leaves at once with this exit code. */
  readonly leave: (code: number) => void;
  /** Milliseconds from any start, never going back. */
  readonly monotonic: () => number;
}

export function listenForSignals({ leave, monotonic }: SignalsParts): Signals {
  let session: Stoppable | null = null;
  let first: { readonly at: number; readonly code: number } | null = null;
  let limit: NodeJS.Timeout | null = null;
  const begin = (at: number, code: number, by: (typeof SIGNALS)[Taken]["by"], reason: string): void => {
    first = { at, code };
    limit = setTimeout(() => {
      leave(code);
    }, STOP_LIMIT_MS);
    session?.cancel(by, reason);
  };
  const take = (name: Taken): void => {
    const { by, reason, code } = SIGNALS[name];
    if (session === null) return leave(code);
    const at = monotonic(); // before the note: who answers what it says is answered
    if (first === null) {
      session.note(`stopping; what is finished is kept. ${SIGNALS[name].again} again leaves at once.`);
      return begin(at, code, by, reason);
    }
    if (at - first.at >= TOGETHER_MS) leave(first.code);
  };
  const names = Object.keys(SIGNALS) as Taken[]; // the table has no other keys
  const handlers = names.map((name) => ({ name, handler: () => take(name) }));
  for (const { name, handler } of handlers) process.on(name, handler);
  return {
    stops: (target) => {
      session = target;
    },
    stop: (by, reason) => {
      if (first === null) begin(monotonic(), SIGNALS.SIGHUP.code, by, reason);
    },
    quiet: () => {
      if (limit !== null) clearTimeout(limit);
      for (const { name, handler } of handlers) process.off(name, handler);
    },
  };
}
