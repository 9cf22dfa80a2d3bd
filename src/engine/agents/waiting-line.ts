/** Two ways to wait for one another inside a process: so many at a time, and one at a time in a tree of sessions. */
import type { SessionId } from "../../kernel/ids.ts";
import type { Store } from "../../store/port.ts";

/** Lets so many in at a time, in the order in which they came. */
export class WaitingLine {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number) {
    this.#free = width;
  }

  /** What gives the place back; null when the signal aborted before there was one. */
  async enter(signal: AbortSignal): Promise<(() => void) | null> {
    if (signal.aborted) return null;
    if (this.#free > 0) {
      this.#free--;
      return this.#leave;
    }
    return new Promise((resolve) => {
      const called = (): void => {
        signal.removeEventListener("abort", stopped);
        resolve(this.#leave);
      };
      const stopped = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(called), 1);
        resolve(null);
      };
      signal.addEventListener("abort", stopped, { once: true });
      this.#waiting.push(called);
    });
  }

  /** The place goes straight to whoever waits longest. */
  readonly #leave = (): void => {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  };
}

const trees = new WeakMap<Store, Map<SessionId, Promise<unknown>>>();

/** One at a time in each tree of this process: what was counted is still true when it is acted on. */
export async function aloneInTree<T>(store: Store, root: SessionId, act: () => Promise<T>): Promise<T> {
  const tails = trees.get(store) ?? new Map<SessionId, Promise<unknown>>();
  trees.set(store, tails);
  const before = tails.get(root) ?? Promise.resolve();
  const mine = before.then(act);
  const tail = mine.catch(() => undefined); // whoever waits for `mine` hears of it
  tails.set(root, tail);
  try {
    return await mine;
  } finally {
    if (tails.get(root) === tail) tails.delete(root);
  }
}
