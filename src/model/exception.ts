/** What the connection itself threw: errors of Node, of fetch, of TLS, of the SDK. Looks down the chain of causes. */
import type { ErrorKind } from "../kernel/error-kind.ts";
import { asRecord, textAt } from "./json-view.ts";
import { matchText, TRANSPORT_PATTERNS } from "./patterns.ts";

const CAUSES_MAX = 8;

const CODES: { readonly [code: string]: ErrorKind } = {
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  EAI_FAIL: "dns",
  EAI_NODATA: "dns",
  EAI_NONAME: "dns",
  ECONNREFUSED: "network",
  ECONNRESET: "network",
  ECONNABORTED: "network",
  EPIPE: "network",
  EHOSTUNREACH: "network",
  EHOSTDOWN: "network",
  ENETUNREACH: "network",
  ENETDOWN: "network",
  EADDRNOTAVAIL: "network",
  UND_ERR_SOCKET: "network",
  UND_ERR_CLOSED: "network",
  UND_ERR_DESTROYED: "network",
  ETIMEDOUT: "timeout",
  ESOCKETTIMEDOUT: "timeout",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "stream_idle",
  UND_ERR_HEADERS_OVERFLOW: "protocol",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "stream_cut",
  ERR_INVALID_URL: "not_found",
  CERT_HAS_EXPIRED: "tls",
  CERT_NOT_YET_VALID: "tls",
  CERT_REVOKED: "tls",
  CERT_UNTRUSTED: "tls",
  CERT_REJECTED: "tls",
  CERT_SIGNATURE_FAILURE: "tls",
  DEPTH_ZERO_SELF_SIGNED_CERT: "tls",
  SELF_SIGNED_CERT_IN_CHAIN: "tls",
  UNABLE_TO_GET_ISSUER_CERT: "tls",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "tls",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "tls",
  HOSTNAME_MISMATCH: "tls",
  EPROTO: "tls",
};

/** Error names, where there is no code. */
const NAMES: { readonly [name: string]: ErrorKind } = {
  TimeoutError: "timeout",
  APIConnectionTimeoutError: "timeout",
  ConnectTimeoutError: "timeout",
  HeadersTimeoutError: "timeout",
  BodyTimeoutError: "stream_idle",
  HTTPParserError: "protocol",
};

/** @returns `unknown` when nothing in the chain says what it is. */
export function classifyException(error: unknown): ErrorKind {
  const chain = causes(error);
  // The deepest cause with a code is the nearest to the wire.
  for (const link of [...chain].reverse()) {
    const kind = byCode(textAt(link, "code") ?? "");
    if (kind !== null) return kind;
  }
  for (const link of chain) {
    const kind = NAMES[textAt(link, "name") ?? ""];
    if (kind !== undefined) return kind;
  }
  if (chain.some((link) => NEVER_SENT.has(textAt(link, "message") ?? ""))) return "config_invalid";
  const words = chain.map((link) => textAt(link, "message") ?? "").join("\n");
  return matchText(TRANSPORT_PATTERNS, words) ?? "unknown";
}

/** Codes of a handshake that failed: what was to be sent waits for its end. */
const HANDSHAKE =
  /^(CERT_|ERR_TLS_CERT|ERR_SSL_(WRONG_VERSION_NUMBER|.*HANDSHAKE|UNSUPPORTED_PROTOCOL|.*UNKNOWN_CA|.*CERTIFICATE))/;
const HANDSHAKE_CODES = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "HOSTNAME_MISMATCH",
  "UND_ERR_CONNECT_TIMEOUT",
  "ERR_INVALID_URL",
]);

/** What fetch itself refuses, in its words: it has no code for it. A port that is used for something else than HTTP. */
const NEVER_SENT = new Set(["bad port"]);

/** @returns true only where the connection failed before a byte of the request was written. */
export function reachedNobody(error: unknown): boolean {
  return causes(error).some((link) => {
    const code = textAt(link, "code") ?? "";
    return (
      CODES[code] === "dns" ||
      HANDSHAKE_CODES.has(code) ||
      HANDSHAKE.test(code) ||
      NEVER_SENT.has(textAt(link, "message") ?? "") ||
      // A refused, unreachable or late address: the same codes in another call of the system come in the middle.
      textAt(link, "syscall") === "connect"
    );
  });
}

function byCode(code: string): ErrorKind | null {
  if (Object.hasOwn(CODES, code)) return CODES[code] ?? null;
  if (/^(ERR_TLS|ERR_SSL|CERT_)/.test(code)) return "tls";
  return code.startsWith("HPE_") ? "protocol" : null;
}

/** Breadth first, so that the addresses tried in parallel (AggregateError) are seen too. */
function causes(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  const queue: unknown[] = [error];
  while (queue.length > 0 && chain.length < CAUSES_MAX) {
    const next = queue.shift();
    if (asRecord(next) === null || chain.includes(next)) continue;
    chain.push(next);
    const { cause, errors } = asRecord(next) ?? {};
    queue.push(cause, ...(Array.isArray(errors) ? errors : []));
  }
  return chain;
}
