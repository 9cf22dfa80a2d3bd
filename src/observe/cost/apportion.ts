/** Whole numbers shared out by weight, so that the shares add up to the whole exactly: the largest remainders get what is left. */
import { invariant } from "../../kernel/harness-error.ts";

/**
 * @param total a whole number, not negative
 * @param weights whole numbers, not negative; where all are 0 they count the same
 * @returns one share for each weight; their sum is `total`. Of equal remainders the first gets more.
 */
export function apportion(total: number, weights: readonly number[]): readonly number[] {
  if (total === 0) return weights.map(() => 0);
  invariant(weights.length > 0, "invariant C1: what is shared out has somebody to go to");
  const sum = weights.reduce((all, weight) => all + BigInt(weight), 0n);
  if (sum === 0n)
    return apportion(
      total,
      weights.map(() => 1),
    );
  // A product of nano-dollars and tokens passes what a double holds exactly.
  const products = weights.map((weight) => BigInt(total) * BigInt(weight));
  const shares = products.map((product) => Number(product / sum));
  const left = total - shares.reduce((all, share) => all + share, 0);
  const byRemainder = products
    .map((product, i) => ({ i, remainder: product % sum }))
    .sort((a, b) => (a.remainder === b.remainder ? a.i - b.i : a.remainder > b.remainder ? -1 : 1));
  const lucky = new Set(byRemainder.slice(0, left).map(({ i }) => i));
  return shares.map((share, i) => share + (lucky.has(i) ? 1 : 0));
}
