/**
 * A question about a place in each of two patterns that comes down to the same question about later places. Each pair is asked once:
 * patterns full of wildcards take the product of their lengths, not a power of it.
 */
type Ask = (i: number, j: number) => boolean;

/** @param width more than the largest `j` */
export function onGrid(width: number, step: (i: number, j: number, from: Ask) => boolean): boolean {
  const known = new Map<number, boolean>();
  const from: Ask = (i, j) => {
    const key = i * width + j;
    const before = known.get(key);
    if (before !== undefined) return before;
    const result = step(i, j, from);
    known.set(key, result);
    return result;
  };
  return from(0, 0);
}
