/**
 * What a response's headers say about the account's rate. Nothing in them can make this throw, and what cannot be read never
 * becomes a limit: it is named in `ignored`.
 */
import { duration } from "./duration.ts";
import type { RateBucket, RateReport } from "./model.ts";

/** Lower-case header names. */
export type HeaderMap = { readonly [name: string]: string };

const SECONDS_MAX = 10_000_000_000;
/** No account has more of anything in a minute. */
const COUNT_MAX = 1_000_000_000_000;
/** A reset that is further away is no reset. Milliseconds. */
const RESET_MS_MAX = 366 * 24 * 3_600_000;
/** A `date` header is cut to the second and was on its way: clocks that differ by less are the same. Milliseconds. */
const CLOCK_SLACK_MS = 2_000;
/** Headers that are named as unreadable. */
const IGNORED_MAX = 8;
/** What is quoted of each. Characters. */
const IGNORED_CHARS_MAX = 100;

const NOTHING: RateBucket = { limit: null, remaining: null, reset_at: null };

/**
 * Standard limits hold; those of the priority tier only where nothing else is said, because what is beyond them is served
 * as standard. A subscription names no counts: when it says `rejected`, nothing is left until its reset.
 *
 * @returns null when no header speaks of the rate
 */
export function anthropicRate(headers: HeaderMap, now: number): RateReport | null {
  const read = createReader(headers, now);
  const bucket = (family: string, what: string): RateBucket | null =>
    read.bucket({
      limit: `anthropic-${family}-${what}-limit`,
      remaining: `anthropic-${family}-${what}-remaining`,
      reset: `anthropic-${family}-${what}-reset`,
    });
  const standard = (what: string): RateBucket | null => bucket("ratelimit", what);
  const either = (what: string): RateBucket | null => {
    const priority = bucket("priority", what); // read in any case, so that garbage in it is named
    return standard(what) ?? priority;
  };
  const unified = read.bucket({ limit: "", remaining: "", reset: "anthropic-ratelimit-unified-reset" });
  const rejected = headers["anthropic-ratelimit-unified-status"]?.trim().toLowerCase() === "rejected";
  const subscription = unified === null ? null : { ...unified, remaining: rejected ? 0 : null };
  return read.report({
    requests: standard("requests") ?? subscription,
    tokens: standard("tokens"),
    input_tokens: either("input-tokens"),
    output_tokens: either("output-tokens"),
  });
}

/**
 * OpenAI counts tokens of input and output in one. Of several budgets for the same thing (`_usage_based`) the scarcer holds;
 * resets are durations from now.
 *
 * @returns null when no header speaks of the rate
 */
export function openaiRate(headers: HeaderMap, now: number): RateReport | null {
  const read = createReader(headers, now);
  const bucket = (what: string): RateBucket | null => {
    const budgets = ["", "_usage_based"].map((kind) => ({
      limit: `x-ratelimit-limit-${what}${kind}`,
      remaining: `x-ratelimit-remaining-${what}${kind}`,
      reset: `x-ratelimit-reset-${what}${kind}`,
    }));
    const said = budgets.filter(({ limit }) => applies(headers, limit)).map(read.bucket);
    return said.filter((found) => found !== null).sort(byScarcity)[0] ?? null;
  };
  return read.report({
    requests: bucket("requests"),
    tokens: bucket("tokens"),
    input_tokens: null,
    output_tokens: null,
  });
}

/** Azure sends limits of 0 and -1, and what would remain of them, for what has no limit. */
export function applies(headers: HeaderMap, name: string): boolean {
  const limit = headers[name.replace(/-(remaining|reset)-/, "-limit-")];
  return limit === undefined || !/^\s*(0|-\d+)\s*$/.test(limit);
}

export function headerMap(headers: Headers): HeaderMap {
  return Object.fromEntries([...headers].map(([name, value]) => [name.toLowerCase(), value]));
}

/** RFC 3339, or seconds since the epoch as the headers of subscriptions have it. Milliseconds; null where it is none. */
export function instant(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) {
    const number = Number(trimmed);
    return Math.round(number < SECONDS_MAX ? number * 1_000 : number);
  }
  // Anything else that Date.parse would guess at ("May", "1 2") is none.
  if (!/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d/.test(trimmed)) return null;
  const parsed = Date.parse(trimmed);
  return Number.isNaN(parsed) ? null : parsed;
}

interface BucketNames {
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string;
}

interface Reader {
  bucket(names: BucketNames): RateBucket | null;
  report(buckets: Omit<RateReport, "at" | "ignored">): RateReport | null;
}

function createReader(headers: HeaderMap, now: number): Reader {
  const ignored: string[] = [];
  /** What the server's clock is ahead of ours; 0 where they agree or it does not say. */
  const ahead = clockDifference(headers, now);
  const value = <T>(name: string, parse: (text: string) => T | null): T | null => {
    const text = headers[name];
    if (text === undefined) return null;
    const parsed = parse(text);
    if (parsed === null && ignored.length < IGNORED_MAX) ignored.push(`${name}: ${text}`.slice(0, IGNORED_CHARS_MAX));
    return parsed;
  };
  const reset = (text: string): number | null => {
    const wait = duration(text);
    const at = wait === null ? instant(text) : now + Math.ceil(wait);
    const ours = at === null ? null : wait === null ? at - ahead : at;
    return ours === null || Math.abs(ours - now) > RESET_MS_MAX ? null : ours;
  };
  return {
    bucket: (names) => {
      const limit = value(names.limit, count);
      const left = value(names.remaining, count);
      const found: RateBucket = {
        limit: limit === 0 || limit === "none" ? null : limit,
        remaining: left === "none" ? null : left !== null && typeof limit === "number" ? Math.min(left, limit) : left,
        reset_at: value(names.reset, reset),
      };
      return Object.values(found).every((part) => part === null) ? null : { ...NOTHING, ...found };
    },
    report: (buckets) => {
      const silent = Object.values(buckets).every((bucket) => bucket === null);
      return silent && ignored.length === 0 ? null : { at: now, ...buckets, ignored };
    },
  };
}

function clockDifference(headers: HeaderMap, now: number): number {
  const date = headers["date"] === undefined ? Number.NaN : Date.parse(headers["date"]);
  const difference = date - now;
  return Number.isNaN(difference) || Math.abs(difference) <= CLOCK_SLACK_MS ? 0 : difference;
}

/** Azure says -1 for "does not apply": `none`. @returns null for what is no count */
function count(text: string): number | "none" | null {
  const trimmed = text.trim();
  if (trimmed === "-1") return "none";
  if (!/^\d+$/.test(trimmed)) return null;
  const number = Number(trimmed);
  return number > COUNT_MAX ? null : number;
}

/** What is used up first comes first: by what is left, then by the limit. */
function byScarcity(a: RateBucket, b: RateBucket): number {
  const left = ({ remaining, limit }: RateBucket): number => remaining ?? limit ?? Number.POSITIVE_INFINITY;
  const room = ({ limit }: RateBucket): number => limit ?? Number.POSITIVE_INFINITY;
  return compare(left(a), left(b)) || compare(room(a), room(b));
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
