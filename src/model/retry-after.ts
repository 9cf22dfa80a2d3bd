/** How long a provider asks to wait, wherever it says so. Milliseconds, or null when it does not say. */
import { duration, UNIT_MS } from "./duration.ts";
import { at, textAt } from "./json-view.ts";
import type { ErrorFacts } from "./error-facts.ts";
import { applies, type HeaderMap, instant } from "./rate-state.ts";

/** Asked for more than this, a provider means something else (or a clock is wrong). Milliseconds. */
const WAIT_MS_MAX = 31 * 24 * 3_600_000;

/**
 * The most explicit first: headers that say a wait, the body, the words. When a spent budget comes back is said by every
 * response, so it is an answer only to `limited` ones.
 */
export function retryAfter(facts: ErrorFacts, now: number | null, limited: boolean): number | null {
  const { headers } = facts;
  const found =
    milliseconds(headers["retry-after-ms"]) ??
    secondsOrDate(headers["retry-after"], clockOf(headers, now)) ??
    retryInfo(facts.body) ??
    inWords(facts.text) ??
    (limited ? spentBucket(headers, clockOf(headers, now)) : null);
  return found === null ? null : Math.min(WAIT_MS_MAX, Math.max(0, Math.ceil(found)));
}

/** The server's own clock makes a date a duration even where ours is wrong. */
function clockOf(headers: HeaderMap, now: number | null): number | null {
  const served = headers["date"] === undefined ? Number.NaN : Date.parse(headers["date"]);
  return Number.isNaN(served) ? now : served;
}

function milliseconds(text: string | undefined): number | null {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : null;
}

function secondsOrDate(text: string | undefined, now: number | null): number | null {
  if (text === undefined) return null;
  const seconds = milliseconds(text);
  if (seconds !== null) return seconds * 1_000;
  const spelled = duration(text);
  if (spelled !== null) return spelled;
  const date = Date.parse(text);
  return Number.isNaN(date) || now === null ? null : date - now;
}

/** Google: `error.details[] {"@type": "…RetryInfo", "retryDelay": "41s"}`. */
function retryInfo(body: unknown): number | null {
  const details = at(body, "error", "details");
  if (!Array.isArray(details)) return null;
  const delay = details.map((detail) => textAt(detail, "retryDelay")).find((text) => text !== null);
  return delay ? duration(delay) : null;
}

/** "Please try again in 41.724s.", "Please try again in 6m0s", "Please retry in 27.5s.", "try again after 20 seconds". */
function inWords(text: string): number | null {
  const found =
    /(?:try again|retry)(?: your request)? (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+|\d+(?:\.\d+)? ?(?:milliseconds?|seconds?|minutes?|hours?))/i.exec(
      text,
    );
  const words = found?.[1];
  if (words === undefined) return null;
  const spelled = /^(\d+(?:\.\d+)?) ?(milli|second|minute|hour)/i.exec(words);
  if (!spelled) return duration(words);
  const unit = { milli: "ms", second: "s", minute: "m", hour: "h" }[spelled[2]?.toLowerCase() ?? ""] ?? "s";
  return Number(spelled[1]) * (UNIT_MS[unit] ?? 1_000);
}

/** The longest of the resets of budgets that are spent; of all, where none is said to be. */
function spentBucket(headers: HeaderMap, now: number | null): number | null {
  const buckets = Object.entries(headers).flatMap(([name, value]) => {
    const remaining = headers[name.replace("reset", "remaining")];
    if (/^x-ratelimit-reset-/.test(name) && !applies(headers, name)) return [];
    if (/^x-ratelimit-reset-/.test(name)) return [{ wait: duration(value) ?? secondsOrDate(value, now), remaining }];
    if (/^anthropic-(ratelimit|priority)-.*-reset$/.test(name)) {
      const reset = instant(value);
      return [{ wait: reset === null || now === null ? null : reset - now, remaining }];
    }
    return [];
  });
  const spent = buckets.filter(({ remaining }) => remaining !== undefined && Number(remaining) === 0);
  const waits = (spent.length > 0 ? spent : buckets).flatMap(({ wait }) => (wait === null ? [] : [wait]));
  return waits.length === 0 ? null : Math.max(...waits);
}
