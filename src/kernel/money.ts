/**
 * Money is integer nano-dollars: a cached token costs 0.3 µ$, so cents and even micro-dollars would lose it.
 * A JSON number holds nine million dollars exactly; past that `nanoDollars` refuses.
 */
declare const nano: unique symbol;
export type NanoDollars = number & { readonly [nano]: true };

const NANO_PER_DOLLAR = 1_000_000_000;

export const NO_MONEY: NanoDollars = nanoDollars(0);

/** @throws RangeError when not an exact integer: money never rounds silently. */
export function nanoDollars(amount: number): NanoDollars {
  if (!Number.isSafeInteger(amount)) throw new RangeError(`${amount} is not an exact number of nano-dollars`);
  return amount as NanoDollars; // checked on the line above
}

/** Rounds up, so that a bound stays a bound. @param dollars a decimal amount as the price table gives it. */
export function nanoFromDollars(dollars: number): NanoDollars {
  // 1e-4 nano-dollars of slack: 0.1 + 0.2 must not cost one nano-dollar more than 0.3.
  return nanoDollars(Math.ceil(dollars * NANO_PER_DOLLAR - 1e-4));
}

export function addMoney(a: NanoDollars, b: NanoDollars): NanoDollars {
  return nanoDollars(a + b);
}

/** Unknown is sticky: a sum with an unknown part is unknown. */
export function addKnownMoney(a: NanoDollars | null, b: NanoDollars | null): NanoDollars | null {
  return a === null || b === null ? null : addMoney(a, b);
}

export function dollarsOf(amount: NanoDollars): number {
  return amount / NANO_PER_DOLLAR;
}

/** `$0.0042`, with as many places as say something; `unknown` for money without a price. */
export function formatMoney(amount: NanoDollars | null): string {
  if (amount === null) return "$ unknown";
  const dollars = dollarsOf(amount);
  if (dollars === 0) return "$0.00";
  if (dollars >= 1) return `$${dollars.toFixed(2)}`;
  return `$${dollars.toFixed(dollars >= 0.01 ? 3 : 5)}`;
}
