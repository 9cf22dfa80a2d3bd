/** A set of jobs by their place in the file: one bit each, so that a hundred thousand take 12 KB. */
export interface JobSet {
  readonly size: number;
  has(n: number): boolean;
  /** @returns whether it was not there before */
  add(n: number): boolean;
}

/** @param jobs how many there are */
export function jobSet(jobs: number): JobSet {
  const bits = new Uint8Array(Math.ceil(jobs / 8));
  let size = 0;
  const has = (n: number): boolean => ((bits[n >> 3] ?? 0) & (1 << (n & 7))) !== 0;
  return {
    get size() {
      return size;
    },
    has,
    add: (n) => {
      if (n < 0 || n >= jobs || has(n)) return false;
      bits[n >> 3] = (bits[n >> 3] ?? 0) | (1 << (n & 7));
      size += 1;
      return true;
    },
  };
}
