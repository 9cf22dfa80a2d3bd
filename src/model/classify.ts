/**
 * From what a provider answered to the kind of error it is. Pure. The order is the rule: what a stream's event says,
 * then machine-readable names, then the status, and words only where those are vague.
 */
import { type ErrorKind, isRetryable } from "../kernel/error-kind.ts";
import { codeMeaning, type CodeMeaning, statusMeaning } from "./error-codes.ts";
import { type ErrorFacts, errorFacts, type ProviderErrorInput } from "./error-facts.ts";
import { at, textAt } from "./json-view.ts";
import { matchText, REQUEST_PATTERNS, SPEND_PATTERNS, TRANSPORT_PATTERNS } from "./patterns.ts";
import { retryAfter } from "./retry-after.ts";
import { streamSignal } from "./stream-signals.ts";

export { classifyException } from "./exception.ts";
export type { ProviderErrorInput } from "./error-facts.ts";

export interface ErrorClass {
  readonly kind: ErrorKind;
  /** What the provider asked to wait; null where it did not, or where waiting does not help. */
  readonly after_ms: number | null;
}

export function classifyProviderError(input: ProviderErrorInput): ErrorClass {
  const facts = errorFacts(input);
  const kind = streamSignal(input.event === undefined ? null : facts.plain ? input.event : facts.body) ?? kindOf(facts);
  return { kind, after_ms: isRetryable(kind) ? retryAfter(facts, input.now ?? null, kind === "rate_limit") : null };
}

function kindOf(facts: ErrorFacts): ErrorKind {
  return special(facts) ?? fromUpstream(facts) ?? fromCodes(facts) ?? fromStatus(facts) ?? fromWords(facts);
}

/** Where one provider means something by a status that no other means. */
function special(facts: ErrorFacts): ErrorKind | null {
  const { provider, http, headers } = facts;
  if (provider.includes("openrouter")) {
    // Credit that is only held by calls under way comes back, and then the answer says when.
    if (http === 402 && headers["retry-after"] !== undefined) return "rate_limit";
    if (http === 403 && at(facts.body, "error", "metadata", "reasons") !== undefined) return "content_filter";
  }
  if (provider.includes("together") && http === 403 && !/key|permission|access|auth/i.test(facts.text)) {
    return matchText(REQUEST_PATTERNS, facts.text) ?? "context_overflow";
  }
  return null;
}

/** A router's own code says less than the error it quotes, unless that one says nothing. */
function fromUpstream(facts: ErrorFacts): ErrorKind | null {
  if (facts.upstream === null) return null;
  const kind = kindOf(facts.upstream);
  return kind === "unknown" || kind === "protocol" ? null : kind;
}

/** The first name that is known and not vague; else what the words make of a vague one. */
function fromCodes(facts: ErrorFacts): ErrorKind | null {
  const meanings = facts.codes.flatMap((code) => codeMeaning(code) ?? []);
  const clear = meanings.find((meaning) => meaning.vague === undefined);
  if (clear) return clear.kind;
  const [vague] = meanings;
  if (vague === undefined) return null;
  // A bare "the request is invalid" under a telling status (413, 401, 429 …) means what the status means.
  const status = statusMeaning(facts.http);
  if (vague.vague === "request" && status !== null && status.kind !== "not_found") {
    return resolve(vague, facts, resolve(status, facts, status.kind));
  }
  return resolve(vague, facts, vague.kind);
}

function fromStatus(facts: ErrorFacts): ErrorKind | null {
  const meaning = statusMeaning(facts.http);
  return meaning === null ? null : resolve(meaning, facts, meaning.kind);
}

function resolve(meaning: CodeMeaning, facts: ErrorFacts, fallback: ErrorKind): ErrorKind {
  if (meaning.vague === "request") return matchText(REQUEST_PATTERNS, facts.text) ?? fallback;
  if (meaning.vague === "spend") return isSpent(facts) ? "quota_exhausted" : fallback;
  return meaning.kind;
}

/** Google words every 429 alike; there the quota's name tells the day from the minute. */
function isSpent(facts: ErrorFacts): boolean {
  const details = at(facts.body, "error", "details");
  const named = Array.isArray(details) ? JSON.stringify(details) : "";
  if (/Per(Day|Month)/i.test(named)) return true;
  const google = /gemini|google|vertex/.test(facts.provider) || named.includes("google.rpc");
  const patterns = google
    ? SPEND_PATTERNS.filter(({ sample }) => !sample.startsWith("You exceeded your current quota"))
    : SPEND_PATTERNS;
  return matchText(patterns, facts.text) !== null;
}

/** Neither names nor a status. */
function fromWords(facts: ErrorFacts): ErrorKind {
  const known =
    matchText(REQUEST_PATTERNS, facts.text) ??
    matchText(TRANSPORT_PATTERNS, facts.text) ??
    matchText(SPEND_PATTERNS, facts.text);
  if (known !== null) return known;
  // An answer that is no JSON, or nothing: it did not come in the provider's protocol.
  const answered = facts.http !== null;
  if (answered && facts.plain) return "protocol";
  if (/^\s*</.test(facts.text)) return "protocol";
  return answered && textAt(facts.body, "error", "message") === null ? "protocol" : "unknown";
}
