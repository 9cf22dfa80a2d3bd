/**
 * The outside of a session, on loopback: the web (every name leads to one server, which tells hosts apart), an attacker who takes
 * whatever comes by TCP or UDP, and a registry that commands may be allowed to reach. What was really received is written down.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { Tool } from "../../src/tool/tool.ts";
import { createWebFetchTool } from "../../src/tool/web-fetch.ts";

export interface Page {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Received {
  readonly by: "web" | "attacker" | "registry";
  /** `docs.example/page?x`; of the attacker, who reads no protocol, what came first. */
  readonly what: string;
  /** Headers and body. */
  readonly rest: string;
}

export interface Outside {
  readonly web: number;
  readonly attacker: number;
  readonly registry: number;
  /** By host and path, without the query. */
  readonly pages: Map<string, Page>;
  readonly received: Received[];
  /** The real tool, to which every name leads to loopback. */
  readonly webFetch: Tool;
  readonly lookups: string[];
  close(): void;
}

/** What it says to those that it does not know. */
const HELLO = "hello from outside\n";

export async function openOutside(): Promise<Outside> {
  const received: Received[] = [];
  const pages = new Map<string, Page>();
  const lookups: string[] = [];
  const http = (by: "web" | "registry"): Server =>
    createHttpServer((request, response) => {
      let body = "";
      request.setEncoding("utf8");
      request.on("data", (chunk: string) => (body += chunk));
      request.on("end", () => {
        const host = (request.headers.host ?? "").replace(/:\d+$/, "");
        const url = request.url ?? "";
        received.push({ by, what: `${host}${url}`, rest: `${JSON.stringify(request.headers)}\n${body}` });
        const page = pages.get(`${host}${url.split("?")[0] ?? ""}`) ?? { body: HELLO };
        response.writeHead(page.status ?? 200, { "content-type": "text/plain", ...page.headers });
        response.end(page.body);
      });
    });
  const tcp = createTcpServer((socket) => {
    const entry = { by: "attacker" as const, what: "", rest: "" };
    received.push(entry);
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      entry.what += chunk.toString("latin1");
      // Enough of an answer for every client to end.
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nok\n");
    });
  });
  const udp = createSocket("udp4", (message) => {
    received.push({ by: "attacker", what: message.toString("latin1"), rest: "" });
  });
  const servers = [http("web"), http("registry"), tcp];
  const sockets = new Set<Socket>();
  for (const server of servers) {
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
  }
  const [web = 0, registry = 0, attacker = 0] = servers.map((server) => (server.address() as AddressInfo).port); // they listen
  udp.bind(attacker, "127.0.0.1");
  await once(udp, "listening");
  const fetchTool = createWebFetchTool({
    allowAddress: () => true,
    lookup: (host) => {
      lookups.push(host);
      return Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    },
  });
  return {
    ...{ web, attacker, registry, pages, received, lookups },
    webFetch: fetchTool as unknown as Tool, // what runs it parses its input first
    close: () => {
      udp.close();
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
