/**
 * Any model of the AI SDK (specification v4 of `@ai-sdk/provider`) behind the model port. Owns one `doStream` per call: no
 * retry, no state between calls. The guarantees are the port's (M1 to M3) and the exchange's (E1 to E3).
 */
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { HarnessError } from "../../kernel/harness-error.ts";
import { accountOf } from "../account.ts";
import type { AnswerFault } from "../answer-builder.ts";
import type { Fetch } from "../connection.ts";
import { type CallEnd, type Deadlines, startDeadlines } from "../deadlines.ts";
import { END_FAULTS, type Timing } from "../exchange.ts";
import { textAt } from "../json-view.ts";
import type { LoadBlob } from "../load-blob.ts";
import { modelFailure } from "../model-failure.ts";
import {
  MODEL_TIMEOUTS,
  type Model,
  type ModelAnswer,
  type ModelCallOptions,
  type ModelFailure,
  type ModelRequest,
  type ModelTimeouts,
  type RateReport,
} from "../model.ts";
import { type HeaderMap, openaiRate } from "../rate-state.ts";
import { bodyFault, type CallFault } from "../thrown.ts";
import { buildAnswer, type PartsBuilder } from "./answer.ts";
import { faultOf, headersOf } from "./faults.ts";
import { callsOnce, knownEvents } from "./known-events.ts";
import { callOptions } from "./request.ts";
import { watchedFetch } from "./watched-fetch.ts";

const FILTERS = { "chat-completions": knownEvents, gemini: callsOnce };
/** How a whole stream of Chat Completions ends. */
const CHAT_END = "[DONE]";

/**
 * Makes the model of a call. The fetch is bounded and tells the call that its connection lives: a provider that is opened
 * with it has better limits than one that is not.
 */
export type LanguageModelFactory = (id: string, fetch: Fetch) => LanguageModelV4 | Promise<LanguageModelV4>;

export type AiSdkWire = "chat-completions" | "gemini";

export interface AiSdkOptions extends Timing {
  /** As in the configuration and in the journal. What a provider wants back is kept under this name. */
  readonly provider: string;
  /** One model for every call, whatever the call names; or what makes the one that it names. */
  readonly model: LanguageModelV4 | LanguageModelFactory;
  /** Absent: images are sent as a note that one is missing. */
  readonly loadBlob?: LoadBlob | undefined;
  /** Keys that must not stand in what a failure says. Default none. */
  readonly secrets?: readonly string[] | undefined;
  /** Where the model is spoken to, as far as that tells accounts apart. Absent: the provider's own address. */
  readonly baseUrl?: string | undefined;
  /**
   * What the model of a factory speaks on the wire, where that is known. With Chat Completions an answer without a usage
   * report is known for what it is (cut off before the report, which comes last, or never to have one), and so is a tool
   * call that came twice; with Gemini's, only the latter.
   */
  readonly wire?: AiSdkWire | undefined;
  /** What a factory's fetch speaks through. Absent: the global one. */
  readonly fetch?: Fetch | undefined;
}

export function createAiSdkModel(options: AiSdkOptions): Model {
  const { provider, clock, timeouts = MODEL_TIMEOUTS } = options;
  return {
    provider,
    account: accountOf({ provider, baseUrl: options.baseUrl ?? null, key: options.secrets?.join(" ") || null }),
    call: async (request, hears) => {
      const deadlines = startDeadlines(clock, timeouts, hears.signal);
      const exchange = createExchange(options, { request, hears, deadlines });
      try {
        // E1. T1: when a limit ends the call its reason wins.
        return await Promise.race([deadlines.ended.then((end) => exchange.ended(end, timeouts)), exchange.run()]);
      } finally {
        deadlines.close();
      }
    },
  };
}

interface Call {
  readonly request: ModelRequest;
  readonly hears: ModelCallOptions;
  readonly deadlines: Deadlines;
}

interface Exchange {
  run(): Promise<ModelAnswer>;
  /** What a call is worth that a limit or its caller ended. */
  ended(end: CallEnd, timeouts: ModelTimeouts): ModelFailure;
}

function createExchange(options: AiSdkOptions, { request, hears, deadlines }: Call): Exchange {
  const { provider, clock } = options;
  const answer = buildAnswer(
    { provider, model: request.model },
    {
      toolCallId: hears.toolCallId,
      onDelta: (delta) => {
        if (deadlines.end() === null) hears.onDelta(delta); // E2
      },
    },
  );
  const chat = options.wire === "chat-completions";
  let sent = false;
  let reply: HeaderMap | null = null;
  let rate: RateReport | null = null;
  /** What came in place of a stream. */
  let noStream: CallFault | null = null;
  let whole = true;

  const failure = (fault: CallFault): ModelFailure =>
    modelFailure(
      {
        kind: fault.kind,
        message: fault.message,
        retry_after_ms: fault.after_ms,
        // The interface does not hand on the status of a response that was taken.
        http: fault.http ?? (reply === null ? null : 200),
        request_id: fault.request_id ?? requestId(reply ?? {}) ?? answer.id(),
        sent: sent && fault.sent !== false,
        partial: answer.partial(),
        usage: answer.usage(),
        rate: fault.headers === undefined ? rate : openaiRate(fault.headers, clock.now()),
      },
      options.secrets ?? [],
    );
  const faultIn = (error: unknown): CallFault =>
    faultOf(error, { provider, clock, answered: reply !== null, requestId });

  const fetch = watchedFetch(options.fetch ?? ((url, init) => globalThis.fetch(url, init)), {
    alive: deadlines.alive,
    filter: options.wire === undefined ? null : FILTERS[options.wire],
    ended: (tail) => {
      whole = !chat || tail.includes(CHAT_END);
    },
    notAStream: async (response) => {
      const headers = headersOf(Object.fromEntries(response.headers));
      const fault = await bodyFault(provider, response, clock);
      noStream = { ...fault, http: response.status, request_id: requestId(headers), headers };
      return new HarnessError(fault.kind, fault.message, "See what the provider said.");
    },
  });

  const exchange = async (): Promise<ModelAnswer> => {
    const model = typeof options.model === "function" ? await options.model(request.model, fetch) : options.model;
    requireSpecification(model, provider);
    const call = await callOptions(request, provider, options.loadBlob);
    if (deadlines.end() !== null) return failure(END_FAULTS.aborted()); // nobody listens any more
    sent = true;
    const { stream, response } = await model.doStream({
      ...call,
      abortSignal: deadlines.signal,
      includeRawChunks: chat,
    });
    reply = headersOf(response?.headers);
    // Whoever counts for others, counts as OpenAI does; who does not says nothing of it. Read now: it is old later.
    rate = openaiRate(reply, clock.now());
    deadlines.connected();
    const fault = await readParts(stream, answer, deadlines, faultIn);
    if (fault !== null) return failure(fault);
    const done = answer.finish(whole);
    if ("kind" in done) return failure(done);
    return { ok: true, ...done, request_id: requestId(reply) ?? answer.id(), rate };
  };

  return {
    run: async () => {
      try {
        return await exchange();
      } catch (error) {
        return failure(noStream ?? faultIn(error));
      }
    },
    ended: (end, timeouts) => ({ ...failure(END_FAULTS[end](timeouts)), aborted: end === "aborted" }),
  };
}

type Stream = Awaited<ReturnType<LanguageModelV4["doStream"]>>["stream"];

/** Reads to the `finish`; leaving early cancels the stream, and with it the connection. */
async function readParts(
  stream: Stream,
  answer: PartsBuilder,
  deadlines: Deadlines,
  faultIn: (error: unknown) => CallFault,
): Promise<AnswerFault | null> {
  for await (const part of stream) {
    deadlines.alive();
    const fault = part.type === "error" ? faultIn(part.error) : answer.take(part);
    if (fault !== null) return fault;
    if (part.type === "finish") return null;
  }
  return null;
}

/** A package of another generation speaks in other parts, and would be misread. */
function requireSpecification(model: LanguageModelV4, provider: string): void {
  const version: string = model.specificationVersion;
  if (version === "v4") return;
  throw new HarnessError(
    "config_invalid",
    `The model of ${provider} speaks version ${version} of the AI SDK's interface, and belay speaks v4.`,
    "Install the newest version of its package.",
  );
}

function requestId(headers: HeaderMap): string | null {
  return textAt(headers, "x-request-id") ?? textAt(headers, "request-id") ?? textAt(headers, "x-amzn-requestid");
}
