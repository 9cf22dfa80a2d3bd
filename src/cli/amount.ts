/**
 * Amounts as people write them. Money is read digit by digit into whole nano-dollars: a decimal number is never made a binary
 * fraction on its way to a cap.
 */
import { type NanoDollars, nanoDollars } from "../kernel/money.ts";
import { LIMITS_MAX } from "../kernel/limits.ts";
import { duration } from "../model/duration.ts";

/** What was read, or why nothing was: a sentence that begins with `It`. */
export type Read<T> = { readonly value: T } | { readonly wrong: string };

/** A typing error must not mean "no limit". Dollars. */
const MONEY_MAX_DOLLARS = 1_000_000;
/** A nano-dollar is the smallest amount there is. */
const MONEY_PLACES = 9;
/** A wait that somebody has patience for. Milliseconds. */
const PATIENCE_MS_MAX = 24 * 3_600_000;

const TOKEN_UNITS: { readonly [unit: string]: number } = { "": 1, k: 1_000, m: 1_000_000 };

/** `2`, `2.00`, `$0.50` or `0.50usd`, in dollars. */
export function readMoney(text: string): Read<NanoDollars> {
  const said = text.trim();
  const found = /^\$?(\d+)(?:\.(\d+))?(?: ?usd)?$/i.exec(said);
  if (found === null) return { wrong: "It must be an amount in dollars, such as 2.00." };
  const [, whole = "0", places = ""] = found;
  if (places.length > MONEY_PLACES) return { wrong: `It has more than ${MONEY_PLACES} places after the point.` };
  // Digits alone are left, so this is exact; what is too long to be a number at all is above the maximum.
  const nano = BigInt(`${whole}${places.padEnd(MONEY_PLACES, "0")}`);
  if (nano === 0n) return { wrong: "It must be more than 0." };
  if (nano > BigInt(MONEY_MAX_DOLLARS) * 10n ** BigInt(MONEY_PLACES))
    return { wrong: `It must be at most ${MONEY_MAX_DOLLARS} dollars.` };
  return { value: nanoDollars(Number(nano)) };
}

/** `10k`, `2M` or `1500`. */
export function readTokens(text: string): Read<number> {
  const found = /^(\d{1,15})(?:\.(\d{1,6}))? ?([km]?)(?: ?tokens?)?$/i.exec(text.trim());
  const [, whole = "", places = "", unit = ""] = found ?? [];
  const factor = TOKEN_UNITS[unit.toLowerCase()] ?? 1;
  const tokens = Number(whole) * factor + (Number(places) * factor) / 10 ** places.length;
  if (found === null || !Number.isSafeInteger(tokens))
    return { wrong: "It must be a number of tokens, such as 10k or 2M." };
  if (tokens < 1 || tokens > LIMITS_MAX.tokens) return { wrong: `It must be from 1 to ${LIMITS_MAX.tokens} tokens.` };
  return { value: tokens };
}

/** Of a scope: money or tokens, the other is null. */
export interface Amount {
  readonly cost: NanoDollars | null;
  readonly tokens: number | null;
}

/** `10k` and `2M` are tokens, `$0.50` and `0.50usd` are money. A bare number could be either, and is refused. */
export function readAmount(text: string): Read<Amount> {
  const said = text.trim();
  if (/^\$|usd$/i.test(said)) return mapped(readMoney(said), (cost) => ({ cost, tokens: null }));
  if (/(k|m|tokens?)$/i.test(said)) return mapped(readTokens(said), (tokens) => ({ cost: null, tokens }));
  return { wrong: "It must be tokens such as 10k or 2M, or money such as 0.50usd." };
}

/** `30s`, `2m`, `1h30m`; `0s` waits for nothing. Milliseconds. */
export function readPatience(text: string): Read<number> {
  const ms = duration(text);
  if (ms === null) return { wrong: "It must be a time such as 30s or 2m." };
  if (ms > PATIENCE_MS_MAX) return { wrong: "It must be at most 24h." };
  return { value: Math.round(ms) };
}

/** What a phase, a group, a skill or an alias may be called. */
export const NAME_PATTERN: RegExp = /^[A-Za-z0-9][\w.-]{0,63}$/;

export const NAME_WRONG = "It must be a name of letters, digits, and then also - _ and ., at most 64.";

export function mapped<A, B>(read: Read<A>, change: (value: A) => B): Read<B> {
  return "wrong" in read ? read : { value: change(read.value) };
}
