/**
 * A server that speaks Anthropic's Messages API and plays a scenario: real HTTP, real streams, real faults, no model.
 * It contacts nobody. `docs/emulator.md` is its manual.
 *
 * E1: what the provider would refuse is refused, in the provider's words.
 * E2: a request past the end of the script is refused loudly, never answered with something made up.
 * E3: after `close` no socket and no timer is left.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HarnessError } from "../../kernel/harness-error.ts";
import { at, countAt, parseJson, textAt } from "../../model/json-view.ts";
import { type ApiError, apiError, errorBody, invalid } from "./api-error.ts";
import { createPlaybook } from "./playbook.ts";
import { createRequestLog, type RecordedRequest } from "./request-log.ts";
import { respond, sendJson } from "./respond.ts";
import { checkScenario, parseScenario, type Scenario, type ScenarioInput } from "./scenario.ts";
import { serverNow, serverTicks } from "./server-time.ts";
import { createPromptCache, promptTokenCount } from "./usage.ts";
import { bodyError, headError } from "./validate.ts";

/** As the provider's own limit for messages. Bytes. */
const REQUEST_BYTES_MAX = 32 * 1024 * 1024;
const REQUESTS_PER_MINUTE = 4_000;
const TOKENS_PER_MINUTE = 2_000_000;
const RATE_WINDOW_MS = 60_000;

export interface EmulatorOptions {
  /** Exactly one of the three. */
  readonly scenario?: ScenarioInput;
  readonly scenarioText?: string;
  readonly scenarioFile?: string;
  /** Absent or 0: a free one. */
  readonly port?: number;
  /** Absent: 127.0.0.1. */
  readonly host?: string;
  /** The only key that is let in. Absent: any. */
  readonly apiKey?: string;
}

export interface Emulator {
  readonly url: string;
  /** What it was asked, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** Turns and faults of the scenario that nobody met, named; empty when all were. */
  remaining(): readonly string[];
  close(): Promise<void>;
}

/** @throws HarnessError `config_invalid` when the scenario is not valid, `usage` when it cannot be read or the port is taken. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const scenario = await loadScenario(options);
  const log = createRequestLog();
  const playbook = createPlaybook(scenario);
  const app = createApp({
    scenario,
    playbook,
    cache: createPromptCache(),
    log,
    apiKey: options.apiKey ?? null,
    closing: new AbortController(),
  });
  const server = createServer((request, response) => {
    app.handle(request, response).catch((error: unknown) => {
      // A defect of the emulator: the test must see it, not hang on it.
      if (!response.headersSent)
        sendJson(response, 500, { type: "error", error: { type: "api_error", message: `emulator: ${String(error)}` } });
      else response.destroy();
    });
  });
  const host = options.host ?? "127.0.0.1";
  await listen(server, options.port ?? 0, host);
  // A server that listens on a port has an address of this shape.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    requests: log.requests,
    remaining: () => playbook.remaining(),
    close: async () => {
      app.closing.abort();
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      await closed;
    },
  };
}

async function loadScenario(options: EmulatorOptions): Promise<Scenario> {
  const { scenario, scenarioText, scenarioFile } = options;
  if (scenarioText !== undefined) return parseScenario(scenarioText);
  if (scenarioFile === undefined) return checkScenario(scenario ?? {});
  try {
    return parseScenario(await readFile(scenarioFile, "utf8"), scenarioFile);
  } catch (error) {
    if (error instanceof HarnessError) throw error;
    throw new HarnessError("usage", `The scenario ${scenarioFile} cannot be read.`, "Name a readable YAML file.", {
      cause: error,
    });
  }
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new HarnessError("usage", `The emulator cannot listen on ${host}:${port}.`, "Choose a free port.", { cause }),
      );
    });
    server.listen(port, host, () => resolve());
  });
}

interface AppParts {
  readonly scenario: Scenario;
  readonly playbook: ReturnType<typeof createPlaybook>;
  readonly cache: ReturnType<typeof createPromptCache>;
  readonly log: ReturnType<typeof createRequestLog>;
  readonly apiKey: string | null;
  readonly closing: AbortController;
}

interface App {
  readonly closing: AbortController;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

function createApp(parts: AppParts): App {
  const { scenario, playbook, cache, log, apiKey, closing } = parts;
  const born = serverTicks();
  let count = 0;

  const messages = async (body: unknown, head: Head, response: ServerResponse): Promise<void> => {
    const fault =
      bodyError(body, head.headers["anthropic-version"] ?? "", "create") ?? overflow(body, scenario.context_tokens);
    if (fault) return refuse(response, fault, head.requestId);
    const play = playbook.next(body);
    if (typeof play === "string") return refuse(response, invalid(play), head.requestId);
    rateHeaders(response, count);
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const facts = {
      turn: play.turn,
      // Checked by bodyError.
      model: textAt(body, "model") ?? "",
      id: `${play.conversation}_${play.step + 1}`,
      prompt: cache.read(body),
    };
    await respond({
      response,
      signal: AbortSignal.any([gone.signal, closing.signal]),
      stream: at(body, "stream") === true,
      requestId: head.requestId,
      facts,
      fault: play.fault,
    });
  };

  return {
    closing,
    handle: async (request, response) => {
      const head: Head = { headers: headersOf(request), requestId: `req_emulator_${++count}` };
      const path = (request.url ?? "/").split("?")[0] ?? "/";
      const asked = serverTicks() - born;
      const text = await readBody(request);
      const body = text === null || text === "" ? null : (parseJson(text) ?? text);
      log.add(
        {
          method: request.method ?? "",
          path: request.url ?? "/",
          headers: head.headers,
          body,
          at: Math.round(asked),
        },
        text?.length ?? 0,
      );
      response.setHeader("request-id", head.requestId);
      const fault =
        text === null
          ? apiError(413, "request_too_large", "Request exceeds the maximum size")
          : headError({ headers: head.headers, apiKey });
      if (fault) return refuse(response, fault, head.requestId);
      switch (`${request.method} ${path}`) {
        case "POST /v1/messages":
          return messages(body, head, response);
        case "POST /v1/messages/count_tokens": {
          const wrong = bodyError(body, head.headers["anthropic-version"] ?? "", "count");
          if (wrong) return refuse(response, wrong, head.requestId);
          return sendJson(response, 200, { input_tokens: promptTokenCount(body) });
        }
        case "GET /v1/models":
          return sendJson(response, 200, modelList(scenario.models));
        default:
          return refuse(
            response,
            apiError(404, "not_found_error", `Not found: ${request.method} ${path}`),
            head.requestId,
          );
      }
    },
  };
}

interface Head {
  readonly headers: RecordedRequest["headers"];
  readonly requestId: string;
}

function refuse(response: ServerResponse, error: ApiError, requestId: string): void {
  sendJson(response, error.status, errorBody(error, requestId));
}

function overflow(body: unknown, limit: number | undefined): ApiError | null {
  if (limit === undefined) return null;
  const input = promptTokenCount(body);
  const output = countAt(body, "max_tokens") ?? 0;
  if (input > limit) return invalid(`prompt is too long: ${input} tokens > ${limit} maximum`);
  if (input + output <= limit) return null;
  return invalid(
    `input length and \`max_tokens\` exceed context limit: ${input} + ${output} > ${limit}, decrease input length or \`max_tokens\` and try again`,
  );
}

/** A window that goes down with every request and comes back each minute, told as the provider tells it. */
function rateHeaders(response: ServerResponse, count: number): void {
  const reset = new Date(serverNow() + RATE_WINDOW_MS).toISOString();
  const limits = {
    requests: REQUESTS_PER_MINUTE,
    "input-tokens": TOKENS_PER_MINUTE,
    "output-tokens": TOKENS_PER_MINUTE / 5,
  };
  for (const [name, limit] of Object.entries(limits)) {
    response.setHeader(`anthropic-ratelimit-${name}-limit`, String(limit));
    response.setHeader(`anthropic-ratelimit-${name}-remaining`, String(Math.max(0, limit - count)));
    response.setHeader(`anthropic-ratelimit-${name}-reset`, reset);
  }
}

function modelList(models: readonly string[]): object {
  const data = models.map((id) => ({ type: "model", id, display_name: id, created_at: "2026-01-01T00:00:00Z" }));
  return { data, has_more: false, first_id: models[0] ?? null, last_id: models.at(-1) ?? null };
}

/** @returns null when the body is longer than the provider takes. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    // Read on past the limit without keeping it: the client must get its answer, not a broken pipe.
    size += chunk.byteLength;
    if (size <= REQUEST_BYTES_MAX) chunks.push(chunk);
  }
  return size > REQUEST_BYTES_MAX ? null : Buffer.concat(chunks).toString("utf8");
}

function headersOf(request: IncomingMessage): RecordedRequest["headers"] {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
}
