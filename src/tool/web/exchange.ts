/**
 * One GET to one checked destination. Sends no cookie, no credential and nothing of the environment (no proxy), follows nothing,
 * and reads no more than the limits say.
 *
 * W1: see `destination.ts`: the connection's own lookup answers what was checked, and the peer is looked at once more.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import type { LookupFunction, Socket } from "node:net";
import type { Transform } from "node:stream";
import type { Clock } from "../../kernel/clock.ts";
import type { FetchAddress } from "../../kernel/url-host.ts";
import type { Destination } from "./destination.ts";
import type { FetchLimits } from "./limits.ts";
import { FetchRefusal } from "./refusal.ts";

const USER_AGENT = "belay/1 (web_fetch)";
const ACCEPT = "text/markdown, text/html;q=0.9, text/plain;q=0.9, application/json;q=0.9, */*;q=0.1";

export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly content_type: string;
  readonly body: Uint8Array;
  /** The body was longer than the limit. */
  readonly cut: boolean;
}

export interface ExchangeOptions {
  readonly limits: FetchLimits;
  readonly clock: Clock;
  /** Certificates to trust besides the system's, in PEM. For tests with servers of their own. */
  readonly ca?: string | undefined;
}

/** Rejects with a `FetchRefusal` for whatever the other side or the network did, or with the signal's own end. */
export async function exchange(
  to: FetchAddress,
  destination: Destination,
  signal: AbortSignal,
  options: ExchangeOptions,
): Promise<Answer> {
  const waiting = new AbortController();
  const request = await send(to, destination, options);
  const stop = (): void => void request.destroy();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  let late = false;
  void options.clock.sleep(options.limits.header_ms, waiting.signal).then(() => {
    if (waiting.signal.aborted) return;
    late = true;
    request.destroy();
  });
  try {
    const response = await responseOf(request, destination);
    waiting.abort("answered");
    return await answerOf(response, to, options.limits);
  } catch (error) {
    if (error instanceof FetchRefusal) throw error;
    const why = late ? `did not answer within ${String(options.limits.header_ms / 1_000)} s` : failureOf(error);
    throw new FetchRefusal(`${to.host} ${why}. Try again later, or another source.`, { cause: error });
  } finally {
    waiting.abort("done");
    signal.removeEventListener("abort", stop);
    request.destroy();
  }
}

async function send(to: FetchAddress, destination: Destination, options: ExchangeOptions): Promise<ClientRequest> {
  const url = new URL(to.href);
  const common: RequestOptions = {
    method: "GET",
    protocol: url.protocol,
    hostname: to.host.startsWith("[") ? to.host.slice(1, -1) : to.host,
    port: to.port,
    path: `${url.pathname}${url.search}`,
    headers: { "user-agent": USER_AGENT, accept: ACCEPT, "accept-encoding": "gzip, br" },
    maxHeaderSize: options.limits.header_bytes,
    insecureHTTPParser: false,
    lookup: pinned(destination),
  };
  // An agent of its own: no connection of anybody else is taken over, and no proxy of the environment applies.
  if (to.scheme === "http") {
    const { Agent, request } = await import("node:http");
    return request({ ...common, agent: new Agent({ keepAlive: false }) }).end();
  }
  const { Agent, request } = await import("node:https");
  const trust = options.ca === undefined ? {} : { ca: options.ca };
  return request({ ...common, ...trust, agent: new Agent({ keepAlive: false }), rejectUnauthorized: true }).end();
}

/** W1. */
function pinned({ addresses }: Destination): LookupFunction {
  return (_host, { all }, answer) => {
    const [first] = addresses;
    if (all === true) answer(null, [...addresses]);
    else answer(null, first?.address ?? "", first?.family ?? 0);
  };
}

function responseOf(request: ClientRequest, { addresses }: Destination): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("socket", (socket: Socket) => {
      socket.once("connect", () => {
        if (!addresses.some(({ address }) => isSameAddress(address, socket.remoteAddress ?? "")))
          request.destroy(new FetchRefusal("The connection went to another address than the one that was checked."));
      });
    });
    request.once("response", resolve);
    request.once("upgrade", (_response, socket) => {
      socket.destroy();
      reject(new FetchRefusal("The server wants to speak another protocol than HTTP."));
    });
    request.on("error", reject);
    request.once("close", () => {
      reject(new FetchRefusal("The connection was closed before an answer came. Try again later."));
    });
  });
}

function isSameAddress(one: string, other: string): boolean {
  const plain = (address: string): string =>
    address.includes(":") ? new URL(`http://[${address}]`).hostname : address;
  return plain(one) === plain(other);
}

async function answerOf(response: IncomingMessage, to: FetchAddress, limits: FetchLimits): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  const head = { status, location: headers.location, content_type: headers["content-type"] ?? "" };
  if (status >= 300 && status < 400 && head.location !== undefined)
    return { ...head, body: new Uint8Array(), cut: false };
  const encoding = (headers["content-encoding"] ?? "identity").trim().toLowerCase();
  const opened = await opener(encoding);
  if (opened === null) throw new FetchRefusal(`${to.host} packs its answer in a way that is not read here.`);
  const stream = opened === "plain" ? response : opened;
  if (opened !== "plain") {
    response.once("error", (error) => opened.destroy(error));
    response.once("aborted", () =>
      opened.destroy(new FetchRefusal(`${to.host} broke off in the middle of its answer.`)),
    );
    response.pipe(opened);
  }
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    // without an encoding set a stream of bytes yields bytes
    const room = limits.body_bytes - bytes;
    pieces.push(piece.subarray(0, room));
    bytes += Math.min(piece.length, room);
    if (piece.length > room) return { ...head, body: Buffer.concat(pieces), cut: true };
  }
  return { ...head, body: Buffer.concat(pieces), cut: false };
}

async function opener(encoding: string): Promise<Transform | "plain" | null> {
  if (encoding === "identity" || encoding === "") return "plain";
  const { createBrotliDecompress, createGunzip, createInflate } = await import("node:zlib");
  if (encoding === "gzip" || encoding === "x-gzip") return createGunzip();
  if (encoding === "br") return createBrotliDecompress();
  return encoding === "deflate" ? createInflate() : null;
}

const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses the connection",
  ECONNRESET: "broke the connection off",
  ERR_STREAM_PREMATURE_CLOSE: "broke off in the middle of its answer",
  EHOSTUNREACH: "cannot be reached",
  ENETUNREACH: "cannot be reached",
  ETIMEDOUT: "does not answer",
  HPE_HEADER_OVERFLOW: "sends more headers than are read",
  CERT_HAS_EXPIRED: "has a certificate that expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "has a certificate for another name",
  DEPTH_ZERO_SELF_SIGNED_CERT: "has a certificate that nobody vouches for",
  SELF_SIGNED_CERT_IN_CHAIN: "has a certificate that nobody vouches for",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "has a certificate that nobody vouches for",
};

function failureOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code.startsWith("Z_") || code.startsWith("ERR_BROTLI") || code.startsWith("ERR__ERROR_FORMAT"))
    return "sends an answer that cannot be unpacked";
  if (code.startsWith("HPE_")) return FAILURES[code] ?? "does not speak HTTP correctly";
  return FAILURES[code] ?? `could not be fetched from${code === "" ? "" : ` (${code})`}`;
}
