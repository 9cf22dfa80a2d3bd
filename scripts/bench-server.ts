/**
 * The provider that both contenders of the bench talk to: Anthropic's Messages API in as little code as will do, so that what it
 * costs is small and the same for both. It judges nothing and parses nothing; it notes when what came, to the microsecond.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface ToolUse {
  readonly tool: string;
  readonly input: Readonly<Record<string, string>>;
}

export type Reply =
  | { readonly kind: "calls"; readonly calls: readonly ToolUse[] }
  | { readonly kind: "text"; readonly text: string }
  /** Text that says when it was written, one line a token. */
  | { readonly kind: "stamps"; readonly count: number; readonly gap_ms: number };

/** What is answered to the n-th request, from 0. */
export type Script = (n: number) => Reply;

export interface BenchServer {
  readonly url: string;
  /** When the first byte of each request's head came, on the clock of `performance.now`. */
  readonly arrivals: readonly number[];
  /** When the last byte of each answer was handed over. */
  readonly answered: readonly number[];
  readonly bodies: readonly Buffer[];
  close(): Promise<void>;
}

export async function startBenchServer(script: Script, onRequest: (n: number) => void): Promise<BenchServer> {
  const arrivals: number[] = [];
  const answered: number[] = [];
  const bodies: Buffer[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const n = arrivals.push(performance.now()) - 1;
    onRequest(n);
    bodies[n] = await bodyOf(request);
    response.writeHead(200, { "content-type": "text/event-stream" });
    await write(response, n, script(n));
    response.end(() => (answered[n] = performance.now()));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy()); // the contender is gone; its exit code says why
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    arrivals,
    answered,
    bodies,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function write(response: ServerResponse, n: number, reply: Reply): Promise<void> {
  const usage = { input_tokens: 10, output_tokens: 1 };
  const message = { id: `msg_${n}`, type: "message", role: "assistant", model: "bench", content: [], usage };
  response.write(event("message_start", { message }));
  if (reply.kind === "stamps") {
    response.write(event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }));
    for (let sent = 0; sent < reply.count; sent++) {
      response.write(textDelta(`@${performance.now()};\n`));
      await pause(reply.gap_ms);
    }
    response.write(event("content_block_stop", { index: 0 }));
  } else response.write(reply.kind === "text" ? textBlock(reply.text) : reply.calls.map(callBlock(n)).join(""));
  const stop_reason = reply.kind === "calls" ? "tool_use" : "end_turn";
  response.write(event("message_delta", { delta: { stop_reason }, usage: { output_tokens: 5 } }));
  response.write(event("message_stop", {}));
}

function textBlock(text: string): string {
  const start = event("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
  return start + textDelta(text) + event("content_block_stop", { index: 0 });
}

function callBlock(n: number): (call: ToolUse, index: number) => string {
  return ({ tool, input }, index) => {
    const block = { type: "tool_use", id: `toolu_${n}_${index}`, name: tool, input: {} };
    const delta = { type: "input_json_delta", partial_json: JSON.stringify(input) };
    const start = event("content_block_start", { index, content_block: block });
    return start + event("content_block_delta", { index, delta }) + event("content_block_stop", { index });
  };
}

function textDelta(text: string): string {
  return event("content_block_delta", { index: 0, delta: { type: "text_delta", text } });
}

function event(type: string, rest: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
}
