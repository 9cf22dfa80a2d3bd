/** Seeded randomness. Streams of one seed are independent: a throw more in one changes nothing in another. */
export interface Dice {
  /** In [0, 1). */
  next(): number;
  /** With this probability. */
  chance(probability: number): boolean;
  /** A whole number from `from` to `to`, both included. */
  int(from: number, to: number): number;
  /** Milliseconds between the two, small ones as likely as large ones. */
  duration(from: number, to: number): number;
  pick<T>(options: readonly T[]): T;
  weighted<T>(options: readonly (readonly [weight: number, value: T])[]): T;
  bytes(n: number): Uint8Array;
}

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** FNV-1a. */
function hashed(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}

export function dice(seed: number, stream: string): Dice {
  const next = generator(hashed(`${seed} ${stream}`));
  const int = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    chance: (probability) => next() < probability,
    int,
    duration: (from, to) => Math.round(Math.exp(Math.log(from) + next() * (Math.log(to) - Math.log(from)))),
    pick: (options) => {
      const picked = options[int(0, options.length - 1)];
      if (picked === undefined) throw new Error("dice: nothing to pick from");
      return picked;
    },
    weighted: (options) => {
      let left = next() * options.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, value] of options) if ((left -= weight) < 0) return value;
      throw new Error("dice: nothing to pick from");
    },
    bytes: (n) => Uint8Array.from({ length: n }, () => int(0, 255)),
  };
}
