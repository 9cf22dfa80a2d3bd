/** One request to the emulator: who asks in which words, what is logged of it, and who answers. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../kernel/clock.ts";
import { parseJson } from "../../model/json-view.ts";
import { type Asking, promptTokens, refused } from "./asking.ts";
import { anthropic } from "./anthropic/dialect.ts";
import { bodyError as countBodyError } from "./anthropic/validate.ts";
import { type BatchCounts, createBatchServer } from "./batches/batches.ts";
import type { Dialect } from "./dialect.ts";
import type { PoolCounts } from "./limits/gate.ts";
import { openaiChat } from "./openai-chat/dialect.ts";
import { openaiResponses } from "./openai-responses/dialect.ts";
import { createPlayer } from "./player.ts";
import { createRequestLog, type RecordedRequest } from "./request-log.ts";
import { sendJson } from "./respond.ts";
import type { Scenario } from "./scenario.ts";

/** As the providers' own limit for messages. Bytes. */
const REQUEST_BYTES_MAX = 32 * 1024 * 1024;

/** What was answered and refused, for who has only the URL. It needs no key and is not logged. */
const COUNTS_PATH = "/emulator/counts";

export interface AppParts {
  readonly scenario: Scenario;
  readonly apiKey: string | null;
  readonly clock: Clock;
  /** Nobody listens for so many milliseconds. */
  readonly refuse: (ms: number) => void;
}

export interface App {
  counts(): readonly PoolCounts[];
  batches(): BatchCounts;
  readonly requests: readonly RecordedRequest[];
  readonly closing: AbortController;
  remaining(): readonly string[];
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export function createApp({ scenario, apiKey, clock, refuse }: AppParts): App {
  const log = createRequestLog();
  const closing = new AbortController();
  const player = createPlayer({ scenario, clock, closing: closing.signal, refuse });
  const batches = createBatchServer({ scenario, apiKey, clock });
  const born = clock.monotonic();
  let count = 0;

  return {
    requests: log.requests,
    closing,
    counts: () => player.counts(),
    batches: () => batches.counts(),
    // A turn may answer a batch as well as a call.
    remaining: () => player.remaining().filter((name) => batches.remaining().includes(name)),
    handle: async (request, response) => {
      if (request.method === "GET" && request.url === COUNTS_PATH)
        return sendJson(response, 200, { requests: count, models: player.counts(), batches: batches.counts() });
      count += 1;
      const requestId = `req_emulator_${count}`;
      const headers = headersOf(request);
      const url = request.url ?? "/";
      const path = pathOf(url);
      const method = request.method ?? "";
      const route = `${method} ${path}`;
      const ofBatches = batches.dialectOf(path);
      if (ofBatches !== null) {
        const at = Math.round(clock.monotonic() - born);
        // The bodies of batches are read as streams and not kept.
        log.add({ method, path: url, dialect: ofBatches.name, headers, body: null, at }, 0);
        response.setHeader(ofBatches.requestIdHeader, requestId);
        return batches.handle({ request, response, headers, requestId, path });
      }
      const dialect = ROUTES[route] ?? dialectOfHeaders(headers);
      const asked = clock.monotonic() - born;
      const text = await readBody(request);
      const body = text === null || text === "" ? null : (parseJson(text) ?? text);
      const note = log.add(
        { method, path: url, dialect: dialect.name, headers, body, at: Math.round(asked) },
        text?.length ?? 0,
      );
      const asking: Asking = { dialect, headers, requestId, count, body, response, note };
      response.setHeader(dialect.requestIdHeader, requestId);
      const fault = text === null ? dialect.tooLarge() : dialect.headError({ headers, apiKey });
      if (fault) return refused(asking, fault);
      if (route in ROUTES) return player.play(asking);
      if (route === "GET /models")
        return sendJson(response, 200, dialect.modelList(scenario.models ?? dialect.defaultModels));
      if (route === "POST /messages/count_tokens") return countTokens(asking);
      return refused(asking, dialect.notFound(method, url.split("?")[0] ?? "/"));
    },
  };
}

/** Without the version, which some clients put into their base URL and others do not. */
const ROUTES: { readonly [route: string]: Dialect } = {
  "POST /messages": anthropic,
  "POST /responses": openaiResponses,
  "POST /chat/completions": openaiChat,
};

function pathOf(url: string): string {
  return (url.split("?")[0] ?? "/").replace(/^\/v1(?=\/)/, "");
}

function dialectOfHeaders(headers: RecordedRequest["headers"]): Dialect {
  return "anthropic-version" in headers || "x-api-key" in headers ? anthropic : openaiResponses;
}

function countTokens({ dialect, body, headers, response, requestId }: Asking): void {
  const wrong = countBodyError(body, headers["anthropic-version"] ?? "", "count");
  if (wrong) return sendJson(response, wrong.status, dialect.errorBody(wrong, requestId));
  return sendJson(response, 200, { input_tokens: promptTokens(anthropic.blocks(body)) });
}

/** @returns null when the body is longer than the provider takes. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    // Read on past the limit without keeping it: the client must get its answer, not a broken pipe.
    size += part.byteLength;
    if (size <= REQUEST_BYTES_MAX) parts.push(part);
  }
  return size > REQUEST_BYTES_MAX ? null : Buffer.concat(parts).toString("utf8");
}

function headersOf(request: IncomingMessage): RecordedRequest["headers"] {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
}
