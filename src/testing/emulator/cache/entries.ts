/** Entries that end at a time, and of which the least recently used goes first when there are too many. */

export interface Entries<T> {
  /** Null when there is none, or its time is over. */
  get(key: string, now: number): T | null;
  set(key: string, value: T, until: number): void;
}

export function createEntries<T>(max: number): Entries<T> {
  const entries = new Map<string, { readonly value: T; readonly until: number }>();
  return {
    get: (key, now) => {
      const entry = entries.get(key);
      return entry === undefined || entry.until <= now ? null : entry.value;
    },
    set: (key, value, until) => {
      entries.delete(key);
      entries.set(key, { value, until });
      for (const oldest of entries.keys()) {
        if (entries.size <= max) return;
        entries.delete(oldest);
      }
    },
  };
}
