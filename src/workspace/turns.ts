/** Turns: of operations on one workspace, and of the process's event loop. */
import { setImmediate } from "node:timers/promises";

/** One thing at a time, in the order of asking. A failure is the asker's alone: the next one runs. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined); // the asker has `mine`, and with it the failure
    return mine;
  }
}

/** Lets other work of the process have its turn, in the middle of much work that would block it. */
export async function nextTurn(): Promise<void> {
  await setImmediate();
}
