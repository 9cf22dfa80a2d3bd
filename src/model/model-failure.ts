/** The one place where a failed call is put together: the provider's words bounded, keys taken out. */
import type { ErrorKind } from "../kernel/error-kind.ts";
import type { Usage } from "../kernel/usage.ts";
import type { ModelFailure, RateReport } from "./model.ts";

/** What is kept of a provider's own words. Characters. */
const PROVIDER_TEXT_CHARS_MAX = 2_000;
/** A secret shorter than this is not looked for: it would blank out ordinary words. Characters. */
const SECRET_CHARS_MIN = 6;
const REDACTED = "[redacted]";

export interface FailureFacts {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly aborted?: boolean;
  readonly http?: number | null;
  readonly request_id?: string | null;
  /** Absent: true. What may have been spent is not forgotten. */
  readonly sent?: boolean;
  readonly retry_after_ms?: number | null;
  readonly partial?: string;
  readonly usage?: Usage | null;
  readonly rate?: RateReport | null;
}

export function modelFailure(facts: FailureFacts, secrets: readonly string[]): ModelFailure {
  return {
    ok: false,
    aborted: facts.aborted ?? false,
    kind: facts.kind,
    message: providerText(facts.message, secrets),
    http: facts.http ?? null,
    request_id: facts.request_id ?? null,
    retry_after_ms: facts.retry_after_ms ?? null,
    sent: facts.sent ?? true,
    partial: facts.partial ?? "",
    usage: facts.usage ?? null,
    rate: facts.rate ?? null,
  };
}

/** Secrets go first, so that the cut cannot leave half of one. */
function providerText(text: string, secrets: readonly string[]): string {
  const clean = secrets
    .filter((secret) => secret.length >= SECRET_CHARS_MIN)
    .reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
  return clean.length <= PROVIDER_TEXT_CHARS_MAX ? clean : `${clean.slice(0, PROVIDER_TEXT_CHARS_MAX - 1)}…`;
}
