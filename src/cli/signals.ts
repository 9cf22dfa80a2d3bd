/**
 * Signals while a session is driven. The first Ctrl+C stops the work and keeps what is finished; the second leaves at
 * once. SIGTERM and SIGHUP stop in good order, and leave when that takes too long: the journal is whole at any instant.
 */
import type { LiveSession } from "../engine/session.ts";
import { EXIT_TABLE } from "../kernel/outcome.ts";

/** After this a run that was told to end is left as it is, in milliseconds. Its supervisor kills after seven seconds or more. */
export const STOP_LIMIT_MS = 6_000;

export interface Stoppable {
  readonly cancel: LiveSession["cancel"];
  /** Tells the person what is happening. */
  readonly note: (text: string) => void;
  /** Leaves at once with this exit code. */
  readonly leave: (code: number) => void;
}

/** @returns to stop listening */
export function stopOnSignals({ cancel, note, leave }: Stoppable): () => void {
  let interrupts = 0;
  let limit: NodeJS.Timeout | null = null;
  const leaveLater = (code: number): void => {
    limit ??= setTimeout(() => {
      leave(code);
    }, STOP_LIMIT_MS);
  };
  const handlers = {
    SIGINT: () => {
      interrupts++;
      if (interrupts > 1) {
        leave(EXIT_TABLE.canceled.code);
        return;
      }
      note("stopping; what is finished is kept. Ctrl+C again leaves at once.");
      cancel("sigint", "canceled by Ctrl+C");
    },
    SIGTERM: () => {
      cancel("sigterm", "stopped by SIGTERM");
      leaveLater(EXIT_TABLE.terminated.code);
    },
    SIGHUP: () => {
      cancel("sighup", "the terminal was closed");
      leaveLater(EXIT_TABLE.terminated.code);
    },
  } as const;
  const names = Object.keys(handlers) as (keyof typeof handlers)[]; // the handlers have no other keys
  for (const name of names) process.on(name, handlers[name]);
  return () => {
    if (limit !== null) clearTimeout(limit);
    for (const name of names) process.off(name, handlers[name]);
  };
}
