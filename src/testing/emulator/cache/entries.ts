/** Entries that end at a time, and of which the least recently used goes first when there are too many. */

export interface Entries<T> {
  /** Null when there is none, or its time is over. */
  get(key: string, now: number): T | null;
  set(key: string, value: T, until: number): void;
}

export function createEntries<T>(max: number): Entries<T> {
  const entries = new Map<string, { readonly value: T; readonly until: number }>();
  // Goes on where it was: from the beginning it would pass all that was ever deleted, each time.
  let oldest = entries.keys();
  return {
    get: (key, now) => {
      const entry = entries.get(key);
      return entry === undefined || entry.until <= now ? null : entry.value;
    },
    set: (key, value, until) => {
      entries.delete(key);
      entries.set(key, { value, until });
      while (entries.size > max) {
        const { done, value: first } = oldest.next();
        if (done) oldest = entries.keys();
        else entries.delete(first);
      }
    },
  };
}
