/**
 * How long a token takes from the provider's socket to whoever reads belay's standard output. A server of a few lines streams
 * text that says when it was written, and this process reads it back: one clock for both ends.
 */
import { spawn } from "node:child_process";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

const TOKENS = 200;
const GAP_MS = 8;
const STAMP = /@(\d+\.\d+);/g;

/** @returns milliseconds for each token */
export async function measureTokens(
  program: readonly string[],
  cwd: string,
  environment: (url: string) => NodeJS.ProcessEnv,
): Promise<readonly number[]> {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => void stream(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  try {
    const [command = "", ...args] = program;
    const env = environment(`http://127.0.0.1:${port}`);
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "ignore"] });
    const took: number[] = [];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const now = performance.now();
      for (const [, at] of text.matchAll(STAMP)) took.push(now - Number(at));
    });
    await new Promise((resolve) => child.on("close", resolve));
    if (took.length < TOKENS / 2) throw new Error(`only ${took.length} of ${TOKENS} tokens were seen`);
    return took;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function stream(response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (type: string, rest: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`);
  };
  const usage = { input_tokens: 10, output_tokens: 1 };
  send("message_start", {
    message: { id: "msg_1", type: "message", role: "assistant", model: "bench", content: [], usage },
  });
  send("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
  for (let n = 0; n < TOKENS; n++) {
    send("content_block_delta", { index: 0, delta: { type: "text_delta", text: `@${performance.now()};\n` } });
    await pause(GAP_MS);
  }
  send("content_block_stop", { index: 0 });
  send("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: TOKENS } });
  send("message_stop", {});
  response.end();
}
