/** A real HTTP server on the loopback that answers every request with the bytes it was told to. */
import { createServer, type ServerResponse } from "node:http";
import { invariant } from "../../kernel/harness-error.ts";

/** What one request is answered with. */
export interface Reply {
  /** Null: not even headers come. */
  readonly head: { readonly status: number; readonly headers: { readonly [name: string]: string } } | null;
  /** Each is written by itself. */
  readonly chunks: readonly Uint8Array[];
  /** `hold` leaves the connection open, `cut` tears it down. */
  readonly then: "end" | "cut" | "hold";
}

export interface ReplayServer {
  readonly url: string;
  /** The bodies of the requests so far, as text. */
  readonly requests: readonly string[];
  reply(next: Reply): void;
  /** Resolves when the last request has been answered as far as its reply goes. */
  written(): Promise<void>;
  close(): Promise<void>;
}

export async function startReplayServer(): Promise<ReplayServer> {
  const requests: string[] = [];
  let next: Reply | null = null;
  let done = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const body: Buffer[] = [];
    request.on("data", (chunk: Buffer) => body.push(chunk));
    request.on("end", () => {
      requests.push(Buffer.concat(body).toString("utf8"));
      invariant(next !== null, "a reply was set before the request came");
      void send(response, next).then(done.resolve);
    });
    // A client that goes away in the middle is what many cases are about.
    request.on("error", () => done.resolve());
    response.on("error", () => done.resolve());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  invariant(address !== null && typeof address === "object", "the server listens on a port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    reply: (reply) => {
      next = reply;
      done = Promise.withResolvers<void>();
    },
    written: () => done.promise,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function send(response: ServerResponse, reply: Reply): Promise<void> {
  if (reply.head === null) return;
  response.writeHead(reply.head.status, { ...reply.head.headers });
  response.flushHeaders();
  for (const chunk of reply.chunks) {
    await turn();
    if (response.destroyed) return;
    response.write(chunk);
  }
  if (reply.then === "hold") return;
  await turn();
  if (reply.then === "end") response.end();
  // Only once the bytes are out: what was said before the cut is to arrive.
  else if (response.writableLength === 0) response.destroy();
  else response.once("drain", () => response.destroy());
}

/** A turn of the event loop, so that writes leave one by one. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
