/** What a provider's error says about itself, read out of whatever shape it came in. Judges nothing. */
import { asRecord, at, parseJson, textAt } from "./json-view.ts";
import type { HeaderMap } from "./rate-state.ts";

/** How deep an error wrapped in an error is followed (a router quoting its upstream). */
const WRAPPED_DEPTH_MAX = 3;
/** What of a text is looked at by the patterns. Characters. */
const TEXT_CHARS_MAX = 20_000;

export interface ProviderErrorInput {
  readonly provider: string;
  readonly http?: number | null;
  readonly headers?: { readonly [name: string]: string };
  /** Parsed JSON, or text. */
  readonly body?: unknown;
  /** An event of a stream: parsed JSON, or the event's text. */
  readonly event?: unknown;
  /** Milliseconds since the epoch; needed only to read dates where the response has no `date` header. */
  readonly now?: number;
}

export interface ErrorFacts {
  readonly provider: string;
  readonly http: number | null;
  readonly headers: HeaderMap;
  /** Machine-readable names, the most telling first: error codes, types, statuses, exception names. */
  readonly codes: readonly string[];
  readonly text: string;
  /** True when the text is all there is: no JSON was found in it. */
  readonly plain: boolean;
  /** The body or event, parsed where it was JSON. */
  readonly body: unknown;
  /** The error a router quotes. */
  readonly upstream: ErrorFacts | null;
}

export function errorFacts(input: ProviderErrorInput, depth = 0): ErrorFacts {
  const headers = Object.fromEntries(
    Object.entries(input.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  const body = unwrap(input.event ?? input.body ?? null);
  const error = errorOf(body);
  const plain = typeof body === "string" || body === null;
  const text = plain ? (body ?? "") : messagesOf(body, error);
  return {
    provider: input.provider.toLowerCase(),
    http: statusOf(input.http ?? null, body, error),
    headers,
    codes: codesOf(body, error, headers),
    text: text.slice(0, TEXT_CHARS_MAX),
    plain,
    body,
    upstream: depth < WRAPPED_DEPTH_MAX ? upstreamOf(input, error, depth) : null,
  };
}

/** JSON in a string, the data of a server-sent event, or the first of a list (Gemini answers some errors as a list). */
function unwrap(body: unknown): unknown {
  if (Array.isArray(body)) return unwrap(body[0] ?? null);
  if (typeof body !== "string") return body;
  const data = [...body.matchAll(/^data: ?(.*)$/gm)].map((line) => line[1] ?? "").join("\n");
  const parsed = parseJson(data === "" ? body : data);
  return parsed === null ? body : Array.isArray(parsed) ? (parsed[0] ?? null) : parsed;
}

/** The object that holds the message: under `error`, under a response that failed, an exception of an event stream, or the body itself. */
function errorOf(body: unknown): unknown {
  const nested = at(body, "error") ?? at(body, "response", "error");
  if (nested !== undefined && nested !== null) return nested;
  const exception = exceptionName(body);
  return exception === null ? body : at(body, exception);
}

/** Bedrock's streams carry `{"throttlingException": {"message": …}}`. */
function exceptionName(body: unknown): string | null {
  const found = Object.keys(asRecord(body) ?? {}).find(
    (key) => key.endsWith("Exception") && asRecord(at(body, key)) !== null,
  );
  return found ?? null;
}

function messagesOf(body: unknown, error: unknown): string {
  const texts = [
    typeof error === "string" ? error : null,
    textAt(error, "message"),
    textAt(error, "Message"),
    textAt(error, "metadata", "raw"),
    textAt(body, "message"),
    textAt(body, "detail"),
    textAt(body, "error_description"),
  ];
  return [...new Set(texts.filter((text) => text !== null))].join("\n");
}

function codesOf(body: unknown, error: unknown, headers: HeaderMap): readonly string[] {
  const reasons = asRecord(error)?.["details"];
  const detailReasons = Array.isArray(reasons) ? reasons.map((detail) => textAt(detail, "reason")) : [];
  const exception = exceptionName(body);
  const all = [
    textAt(error, "details", "error_code"),
    ...detailReasons,
    textAt(error, "code"),
    textAt(body, "code"),
    textAt(error, "type"),
    textAt(error, "error_type"),
    textAt(error, "metadata", "error_type"),
    textAt(error, "status"),
    textAt(error, "reason"),
    exception,
    textAt(error, "__type"),
    textAt(error, "name"),
    headers["x-amzn-errortype"] ?? null,
    headers[":exception-type"] ?? null,
    textAt(body, "type"),
  ];
  // Amazon writes "Name:http://…" and "com.amazon.coral.service#Name".
  const names = all.flatMap((code) => (code === null ? [] : [(code.split(":")[0] ?? "").replace(/^.*#/, "").trim()]));
  return [...new Set(names.filter((name) => name !== ""))];
}

/** A body that names a status of its own knows better than the response that carried it. */
function statusOf(http: number | null, body: unknown, error: unknown): number | null {
  const named = [
    at(error, "code"),
    at(error, "status"),
    at(error, "status_code"),
    at(body, "status"),
    at(body, "code"),
  ];
  const status = named.map(Number).find((code) => Number.isInteger(code) && code >= 400 && code < 600);
  return http === null || http < 400 ? (status ?? http) : http;
}

function upstreamOf(input: ProviderErrorInput, error: unknown, depth: number): ErrorFacts | null {
  const raw = at(error, "metadata", "raw");
  const quoted = typeof raw === "string" ? parseJson(raw) : raw;
  if (asRecord(quoted) === null && !Array.isArray(quoted)) return null;
  return errorFacts(
    { provider: textAt(error, "metadata", "provider_name") ?? input.provider, http: null, body: quoted },
    depth + 1,
  );
}
