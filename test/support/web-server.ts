/** A server on loopback for tests of `web_fetch`, and the tool as it is allowed to reach it. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { plainText } from "../../src/kernel/content.ts";
import type { BlobHash } from "../../src/kernel/ids.ts";
import type { ToolContext, ToolOutput } from "../../src/tool/tool.ts";
import { createWebFetchTool, type WebFetchOptions } from "../../src/tool/web-fetch.ts";
import { realClock } from "./shell-fixture.ts";

export interface WebServer {
  readonly port: number;
  /** Of what came in, in order. */
  readonly requests: IncomingMessage[];
}

export async function serve(listener: RequestListener): Promise<WebServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    requests.push(request);
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests }; // listens on a port
}

export interface Fetcher {
  readonly fetch: (url: string, offset?: number) => Promise<ToolOutput>;
  readonly told: (url: string, offset?: number) => Promise<string>;
  readonly kept: string[];
  readonly stop: (reason: "canceled" | "timed_out") => void;
  /** Names that were asked for. */
  readonly lookups: string[];
}

/** Absent options: every name leads to loopback, and loopback is allowed. */
export function fetcher(options: WebFetchOptions = {}): Fetcher {
  const lookups: string[] = [];
  const kept: string[] = [];
  const { lookup = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]) } = options;
  const tool = createWebFetchTool({
    allowAddress: () => true,
    ...options,
    lookup: (host) => (lookups.push(host), lookup(host)),
  });
  const controller = new AbortController();
  const context = {
    signal: controller.signal,
    clock: realClock,
    limit_ms: tool.limit_ms,
    keep: (text: string) => Promise.resolve((kept.push(text), `sha256:${"0".repeat(64)}` as BlobHash)), // of the shape of one
  } as unknown as ToolContext; // all that this tool uses
  const fetch: Fetcher["fetch"] = (url, offset) => tool.run(offset === undefined ? { url } : { url, offset }, context);
  return {
    ...{ fetch, kept, lookups },
    told: async (url, offset) => {
      const output = await fetch(url, offset);
      return `${output.status}: ${plainText(output.content)}`;
    },
    stop: (reason) => {
      controller.abort(reason);
    },
  };
}
