/**
 * Anthropic's Messages API behind the model port. Owns one HTTP exchange per call: no retry, no state between calls but
 * the SDK itself. The guarantees are the port's (M1 to M3); the limits are `ModelTimeouts`, on one abort tree.
 */
import type { Clock } from "../kernel/clock.ts";
import { HarnessError, InvariantError } from "../kernel/harness-error.ts";
import { type AnswerBuilder, type AnswerFault, buildAnswer, errorText } from "./anthropic-answer.ts";
import { type Fetch, openSdk, type Sdk } from "./anthropic-client.ts";
import { anthropicParams, type LoadBlob } from "./anthropic-request.ts";
import { classifyException, classifyProviderError } from "./classify.ts";
import { type CallEnd, type Deadlines, startDeadlines } from "./deadlines.ts";
import { at, asRecord, countAt, parseJson, textAt } from "./json-view.ts";
import { modelFailure } from "./model-failure.ts";
import {
  MODEL_TIMEOUTS,
  type Model,
  type ModelAnswer,
  type ModelCallOptions,
  type ModelFailure,
  type ModelRequest,
  type ModelTimeouts,
} from "./model.ts";
import { anthropicRate, type HeaderMap, headerMap } from "./rate-state.ts";

const PROVIDER = "anthropic";

export interface AnthropicOptions {
  /** Exactly one of the two is used; the key, where both are given. Without either every call fails as `auth`. */
  readonly apiKey?: string | undefined;
  readonly authToken?: string | undefined;
  /** Absent: the provider's own address. */
  readonly baseUrl?: string | undefined;
  /** Absent: `MODEL_TIMEOUTS`. */
  readonly timeouts?: ModelTimeouts | undefined;
  readonly clock: Clock;
  /** Absent: the global one. */
  readonly fetch?: Fetch | undefined;
  /** Absent: images are sent as a note that one is missing. */
  readonly loadBlob?: LoadBlob | undefined;
}

export function createAnthropicModel(options: AnthropicOptions): Model {
  const apiKey = nonEmpty(options.apiKey);
  const authToken = nonEmpty(options.authToken);
  const secrets = [apiKey, authToken, urlPassword(options.baseUrl)].filter((secret) => secret !== null);
  let opened: Promise<Sdk> | null = null;
  const sdk = (): Promise<Sdk> =>
    (opened ??= openSdk({
      apiKey,
      authToken,
      baseUrl: nonEmpty(options.baseUrl),
      // Looked up at the call, so that a global fetch replaced later is the one used.
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    }));

  return {
    provider: PROVIDER,
    call: async (request, callOptions) => {
      const wrong = credentialFault(apiKey ?? authToken);
      if (wrong !== null) return modelFailure({ kind: "auth", message: wrong }, secrets);
      const timeouts = options.timeouts ?? MODEL_TIMEOUTS;
      const deadlines = startDeadlines(options.clock, timeouts, callOptions.signal);
      const exchange = createExchange(request, callOptions, deadlines, secrets);
      try {
        // T1: when a limit ends the call its reason wins, and nothing waits for the connection to be torn down.
        return await Promise.race([
          deadlines.ended.then((end) => exchange.ended(end, timeouts)),
          exchange.run(sdk, options.loadBlob, options.clock),
        ]);
      } finally {
        deadlines.close();
      }
    },
  };
}

interface Exchange {
  run(sdk: () => Promise<Sdk>, loadBlob: LoadBlob | undefined, clock: Clock): Promise<ModelAnswer>;
  /** What a call is worth that a limit or its caller ended. */
  ended(end: CallEnd, timeouts: ModelTimeouts): ModelFailure;
}

function createExchange(
  request: ModelRequest,
  options: ModelCallOptions,
  deadlines: Deadlines,
  secrets: readonly string[],
): Exchange {
  const answer = buildAnswer(
    { provider: PROVIDER, model: request.model },
    {
      toolCallId: options.toolCallId,
      onDelta: (delta) => {
        if (deadlines.end() === null) options.onDelta(delta);
      },
    },
  );
  let reply: { readonly http: number; readonly headers: HeaderMap } | null = null;

  const failure = (
    fault: AnswerFault,
    more: { readonly http?: number; readonly request_id?: string | null } = {},
  ): ModelFailure =>
    modelFailure(
      {
        kind: fault.kind,
        message: fault.message,
        retry_after_ms: fault.after_ms,
        http: more.http ?? reply?.http ?? null,
        request_id: more.request_id ?? reply?.headers["request-id"] ?? null,
        partial: answer.partial(),
        usage: answer.usage(),
      },
      secrets,
    );

  const exchange = async (sdk: Sdk, loadBlob: LoadBlob | undefined, clock: Clock): Promise<ModelAnswer> => {
    const body = await anthropicParams(request, loadBlob);
    // Not `messages.create`: that one prints warnings about models to the console.
    const response = await sdk.client
      .post("/v1/messages", { body, stream: true, signal: deadlines.signal })
      .asResponse();
    reply = { http: response.status, headers: headerMap(response.headers) };
    deadlines.connected();
    if (!isEventStream(reply.headers)) return failure(await readFault(response, reply.headers, clock));
    const fault = await readEvents(sdk, response, answer, deadlines);
    if (fault !== null) return failure(fault);
    const done = answer.finish();
    if ("kind" in done) return failure(done);
    return { ok: true, ...done, request_id: reply.headers["request-id"] ?? null, rate: anthropicRate(reply.headers) };
  };

  return {
    run: async (sdk, loadBlob, clock) => {
      try {
        return await exchange(await sdk(), loadBlob, clock);
      } catch (error) {
        return refused(error, failure, reply !== null, clock);
      }
    },
    ended: (end, timeouts) => {
      const fault: AnswerFault = { ...END_FAULTS[end](timeouts), after_ms: null };
      return { ...failure(fault), aborted: end === "aborted" };
    },
  };
}

const END_FAULTS: {
  readonly [End in CallEnd]: (limits: ModelTimeouts) => Pick<AnswerFault, "kind" | "message">;
} = {
  aborted: () => ({ kind: "interrupted", message: "The call was aborted." }),
  connect: (limits) => ({
    kind: "timeout",
    message: `The provider did not begin to answer within ${limits.connect_ms} ms.`,
  }),
  idle: (limits) => ({ kind: "stream_idle", message: `The stream was silent for ${limits.idle_ms} ms.` }),
  total: (limits) => ({ kind: "timeout", message: `The answer was not complete after ${limits.total_ms} ms.` }),
};

/** Reads until the answer is complete; what comes after `message_stop` is not waited for. */
async function readEvents(
  { Stream }: Sdk,
  response: Response,
  answer: AnswerBuilder,
  deadlines: Deadlines,
): Promise<AnswerFault | null> {
  for await (const event of Stream.rawEvents(response)) {
    deadlines.alive();
    const fault = answer.take(event.event, event.data);
    if (fault !== null) return fault;
    if (answer.stopped()) return null;
  }
  return null;
}

/** A 200 that is no stream: an error in the body, a proxy's page, or nothing. */
async function readFault(response: Response, headers: HeaderMap, clock: Clock): Promise<AnswerFault> {
  const text = await response.text();
  const body = parseJson(text) ?? text;
  const { kind, after_ms } = classifyProviderError({
    provider: PROVIDER,
    http: response.status,
    headers,
    body,
    now: clock.now(),
  });
  const message = errorText(body) ?? text;
  return { kind, after_ms, message: message.trim() === "" ? "The provider answered with an empty body." : message };
}

/** What the SDK, the connection or the reading of the stream threw. Our own defects are thrown on. */
function refused(
  error: unknown,
  failure: (fault: AnswerFault, more?: { readonly http?: number; readonly request_id?: string | null }) => ModelFailure,
  streaming: boolean,
  clock: Clock,
): ModelFailure {
  if (error instanceof InvariantError) throw error;
  if (error instanceof HarnessError) return failure({ kind: error.kind, message: error.happened, after_ms: null });
  const http = countAt(error, "status");
  if (http !== null) {
    // An APIError of the SDK: the body is the parsed JSON, or, where it was none, the text is in the message.
    const thrown = at(error, "headers");
    const headers = thrown instanceof Headers ? headerMap(thrown) : {};
    const message = textAt(error, "message") ?? "";
    const body = asRecord(at(error, "error")) ?? message.replace(/^\d{3} /, "");
    const { kind, after_ms } = classifyProviderError({ provider: PROVIDER, http, headers, body, now: clock.now() });
    const request_id = headers["request-id"] ?? textAt(body, "request_id");
    return failure({ kind, after_ms, message: errorText(body) ?? message }, { http, request_id });
  }
  const kind = classifyException(error);
  // Once the answer had begun, a lost connection is a cut stream.
  const cut = streaming && kind === "network";
  return failure({ kind: cut ? "stream_cut" : kind, after_ms: null, message: describe(error) });
}

/** The message with those of its causes: `fetch failed` alone says nothing. */
function describe(error: unknown): string {
  const lines: string[] = [];
  for (
    let current: unknown = error, depth = 0;
    current instanceof Error && depth < 5;
    current = current.cause, depth++
  ) {
    const words = current.message.replace(/\.$/, "");
    if (words !== "" && !lines.includes(words)) lines.push(words);
  }
  return lines.length === 0 ? String(error) : lines.join(": ");
}

function isEventStream(headers: HeaderMap): boolean {
  // Some proxies leave the header out: then the events themselves tell.
  const type = headers["content-type"]?.toLowerCase();
  return type === undefined || type.includes("text/event-stream");
}

/** Said before anything is sent: what no header can carry would fail as something else. */
function credentialFault(credential: string | null): string | null {
  if (credential === null) return "No API key and no token is set for anthropic.";
  return /^[\x21-\x7e]+$/.test(credential) ? null : "The API key or token holds characters that no key has.";
}

/** An address may hold a password, and fetch quotes addresses that it refuses. */
function urlPassword(baseUrl: string | undefined): string | null {
  return /^[a-z]+:\/\/[^/@]*:([^/@]+)@/i.exec(baseUrl ?? "")?.[1] ?? null;
}

/** White space around a value is a slip of copying. */
function nonEmpty(text: string | undefined): string | null {
  const trimmed = text?.trim() ?? "";
  return trimmed === "" ? null : trimmed;
}
