/**
 * The way out for one command that may reach some hosts and no others: an HTTP proxy on a socket with a path, outside the
 * sandbox. The command has a network of its own with nothing in it but a relay to that socket (`relay.ts`).
 *
 * G1: a connection is made only to a host of the list, at the address that was checked: resolved once, never again by name.
 * G2: an address that is not public is refused, unless the list names that very address.
 * G3: what cannot be read as one host and one port is refused; an empty list allows nothing.
 * G4: it ends with its command, and with belay; connections, headers and waits are limited.
 */
import { randomBytes } from "node:crypto";
import { lookup } from "node:dns/promises";
import { closeSync, openSync } from "node:fs";
import * as http from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { HarnessError } from "../../kernel/harness-error.ts";
import { isAddress, isPublicAddress } from "../../kernel/public-address.ts";
import { isListed, readTarget, type Target } from "./hosts.ts";

/** At the same time, of one command: package managers open many. */
const CONNECTIONS_MAX = 256;
const HEADER_BYTES_MAX = 16 * 1024;
/** For a request's head to arrive, a name to be resolved, a host to answer the call. Milliseconds. */
const HEADER_LIMIT_MS = 10_000;
const RESOLVE_LIMIT_MS = 10_000;
const CONNECT_LIMIT_MS = 10_000;
/** Without a byte in either direction. Milliseconds. */
const IDLE_LIMIT_MS = 300_000;
/** Addresses of one host that are tried. */
const ADDRESSES_MAX = 4;
/** Refused hosts that are reported of one command; each once. */
const REPORTED_MAX = 50;
/** What is shown of a name that is none. */
const SHOWN_CHARS_MAX = 100;

/** Of one connection, not of what it carries. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "proxy-connection", "proxy-authorization", "proxy-authenticate"],
  ...["te", "trailer", "transfer-encoding", "upgrade", "host"],
]);

export interface EgressOptions {
  /** Hosts (`packages.example.com`, `*.example.com`), each with a `:port` where only that one is meant. */
  readonly domains: readonly string[];
  /** The socket is made in it. */
  readonly directory: string;
}

export interface Egress {
  /** Absolute path of the socket. */
  readonly path: string;
  /** Told of every host that was refused, once each, in printable characters. Refusals before that are told at once. */
  report(onBlocked: (host: string, reason: string) => void): void;
  /** Ends every connection. */
  close(): void;
}

/** @throws `sandbox_failed` */
export async function openEgress({ domains, directory }: EgressOptions): Promise<Egress> {
  const name = `egress-${randomBytes(8).toString("hex")}`;
  const blocked = new Blocked();
  const server = http.createServer({ maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: HEADER_LIMIT_MS });
  server.maxConnections = CONNECTIONS_MAX;
  const open = new Set<Duplex>();
  const keep = <Stream extends Duplex>(stream: Stream): Stream => {
    open.add(stream);
    stream.once("close", () => open.delete(stream));
    // Either side may go at any time; the other one is ended where they are joined.
    stream.on("error", () => stream.destroy());
    return stream;
  };
  const decide = (target: Target | null, shown: string): Promise<Socket> =>
    reach(target, shown, domains).then(keep, (error: unknown) => {
      if (error instanceof Refused) blocked.add(error.host, error.reason);
      throw error;
    });
  server.on("connection", keep);
  server.on("connect", (request, client: Duplex, head: Buffer) => {
    decide(readTarget(request.url ?? ""), request.url ?? "").then(
      (upstream) => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        upstream.write(head);
        joined(client, upstream);
      },
      (error: unknown) => client.end(answerOf(error)),
    );
  });
  server.on("upgrade", (_request, client: Duplex) => {
    client.end("HTTP/1.1 501 Not Implemented\r\nConnection: close\r\n\r\n");
  });
  server.on("request", (request, response) => {
    const url = readUrl(request.url ?? "");
    decide(url?.target ?? null, request.url ?? "").then(
      (upstream) => {
        forward(request, response, upstream, url?.path ?? "/");
      },
      (error: unknown) => {
        response.writeHead(statusOf(error), { "content-type": "text/plain", connection: "close" });
        response.end(`${explain(error)}\n`);
      },
    );
  });
  // A path of a socket may have 107 bytes, and directories of sessions are deep: it is bound by way of the directory.
  const place = openSync(directory, "r");
  try {
    await listen(server, `/proc/self/fd/${String(place)}/${name}`);
  } catch (cause) {
    closeSync(place);
    throw new HarnessError(
      "sandbox_failed",
      `The proxy for the listed hosts could not listen in ${directory}.`,
      "No command runs without it: look at the cause.",
      { cause },
    );
  }
  server.unref();
  server.on("close", () => {
    closeSync(place);
  });
  return {
    path: join(directory, name),
    report: (onBlocked) => {
      blocked.report(onBlocked);
    },
    close: () => {
      server.close();
      for (const stream of open) stream.destroy();
    },
  };
}

function listen(server: http.Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Why there is no connection: the list stands against it. */
class Refused extends Error {
  readonly host: string;
  readonly reason: string;

  constructor(host: string, reason: string) {
    super(`${host}: ${reason}`);
    this.host = host;
    this.reason = reason;
  }
}

/** A host that is allowed and was not reached in time. */
class Unreachable extends Error {}

/** G1 to G3. Rejects with `Refused`, or with what the system says. */
async function reach(target: Target | null, shown: string, domains: readonly string[]): Promise<Socket> {
  if (target === null) throw new Refused(printable(shown), "it is not one host in plain notation");
  const { host, port } = target;
  if (!isListed(target, domains)) throw new Refused(host, "it is not on the list of allowed hosts");
  const addresses = isAddress(host) ? [host] : await publicAddresses(host);
  if (addresses.length === 0) throw new Refused(host, "its address is not a public one");
  let failure: unknown = null;
  for (const address of addresses.slice(0, ADDRESSES_MAX)) {
    try {
      return await connected(address, port);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function publicAddresses(host: string): Promise<readonly string[]> {
  const found = await within(RESOLVE_LIMIT_MS, lookup(host, { all: true }), `${host} was not resolved in time`);
  return found.map(({ address }) => address).filter(isPublicAddress);
}

function connected(address: string, port: number): Promise<Socket> {
  const socket = connect({ host: address, port });
  const opened = new Promise<Socket>((resolve, reject) => {
    socket.once("connect", () => {
      resolve(socket);
    });
    socket.once("error", reject);
  });
  return within(CONNECT_LIMIT_MS, opened, `${address} did not answer in time`).catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
}

async function within<T>(limit_ms: number, promise: Promise<T>, late: string): Promise<T> {
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    over.reject(new Unreachable(late));
  }, limit_ms);
  timer.unref();
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** `http://host/path`: the one form in which a request comes to a proxy. */
function readUrl(text: string): { readonly target: Target; readonly path: string } | null {
  const [, authority, path] = /^http:\/\/([^/?#\\@]+)([/?][\x21-\x7e]*)?$/i.exec(text) ?? [];
  if (authority === undefined) return null;
  const target = readTarget(/:\d+$/.test(authority) && !authority.endsWith("]") ? authority : `${authority}:80`);
  if (target === null) return null;
  return { target, path: path === undefined ? "/" : path.startsWith("?") ? `/${path}` : path };
}

/** The request as it is, but for what belongs to the connection; the host that is told is the one that was checked. */
function forward(request: http.IncomingMessage, response: http.ServerResponse, upstream: Socket, path: string): void {
  const asked = readUrl(request.url ?? "")?.target;
  const name = asked?.host.includes(":") === true ? `[${asked.host}]` : (asked?.host ?? "");
  const fail = (): void => {
    if (!response.headersSent) response.writeHead(502, { connection: "close" });
    response.destroy();
    upstream.destroy();
  };
  upstream.setTimeout(IDLE_LIMIT_MS, fail);
  const onward = http.request({
    createConnection: () => upstream,
    method: request.method,
    path,
    setHost: false,
    headers: {
      ...endToEnd(request.headers),
      host: asked?.port === 80 ? name : `${name}:${String(asked?.port ?? 80)}`,
      connection: "close",
    },
  });
  onward.on("error", fail);
  onward.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
    answer.pipe(response);
    answer.on("error", fail);
  });
  response.on("close", () => upstream.destroy());
  request.pipe(onward);
}

function endToEnd(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  const named = (headers.connection ?? "").toLowerCase().split(/\s*,\s*/);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !named.includes(name)));
}

function joined(client: Duplex, upstream: Socket): void {
  upstream.setTimeout(IDLE_LIMIT_MS, () => upstream.destroy());
  client.pipe(upstream);
  upstream.pipe(client);
  client.once("close", () => upstream.destroy());
  upstream.once("close", () => client.destroy());
}

function statusOf(error: unknown): number {
  return error instanceof Refused ? 403 : 502;
}

function explain(error: unknown): string {
  if (error instanceof Refused) return `belay: this command may not reach ${error.host}: ${error.reason}.`;
  return `belay: the host could not be reached: ${printable(error instanceof Error ? error.message : String(error))}.`;
}

function answerOf(error: unknown): string {
  const text = `${explain(error)}\n`;
  const head = [
    `HTTP/1.1 ${String(statusOf(error))} ${error instanceof Refused ? "Forbidden" : "Bad Gateway"}`,
    ...["Content-Type: text/plain", `Content-Length: ${String(text.length)}`, "Connection: close"],
  ];
  return `${head.join("\r\n")}\r\n\r\n${text}`;
}

function printable(text: string): string {
  return text.slice(0, SHOWN_CHARS_MAX).replace(/[^\x21-\x7e]/g, "?");
}

/** Refusals, each host once. */
class Blocked {
  readonly #hosts = new Map<string, string>();
  #tell: ((host: string, reason: string) => void) | null = null;

  add(host: string, reason: string): void {
    if (this.#hosts.has(host) || this.#hosts.size >= REPORTED_MAX) return;
    this.#hosts.set(host, reason);
    this.#tell?.(host, reason);
  }

  report(tell: (host: string, reason: string) => void): void {
    this.#tell = tell;
    for (const [host, reason] of this.#hosts) tell(host, reason);
  }
}
