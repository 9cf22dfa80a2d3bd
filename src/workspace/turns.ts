/** One thing at a time, in the order of asking. A failure is the asker's alone: the next one runs. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined); // the asker has `mine`, and with it the failure
    return mine;
  }
}
