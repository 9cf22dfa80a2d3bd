/** Messages of one kind, handed to whoever listens. What comes before the first listener is kept for it, up to a bound. */

const BACKLOG_MAX = 1_000;

export interface Channel<T> {
  readonly emit: (message: T) => void;
  /** Hands over what was kept, then everything that comes. Returns the end of listening. */
  readonly listen: (listener: (message: T) => void) => () => void;
}

export function channel<T>(): Channel<T> {
  const listeners = new Set<(message: T) => void>();
  let backlog: T[] | null = [];
  return {
    emit: (message) => {
      if (backlog !== null && backlog.length < BACKLOG_MAX) backlog.push(message);
      for (const listener of listeners) listener(message);
    },
    listen: (listener) => {
      for (const message of backlog ?? []) listener(message);
      backlog = null;
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
