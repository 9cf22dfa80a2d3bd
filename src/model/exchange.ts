/**
 * One call over HTTP, the same for every provider: sent once, its stream read under the limits, its end put into words. What a
 * provider does differently is its `Wire`.
 *
 * E1: the first end wins: a limit, the caller, or the stream. Nothing waits for a connection to be torn down.
 * E2: after a limit or the caller ended the call, no delta is heard.
 * E3: `sent` is false only where nothing can have reached the provider.
 */
import type { Clock } from "../kernel/clock.ts";
import type { AnswerBuilder, AnswerFault, StreamEvent } from "./answer-builder.ts";
import { type CallEnd, type Deadlines, startDeadlines } from "./deadlines.ts";
import { modelFailure } from "./model-failure.ts";
import {
  MODEL_TIMEOUTS,
  type Model,
  type ModelAnswer,
  type ModelCallOptions,
  type ModelFailure,
  type ModelRequest,
  type ModelTimeouts,
  type RateReport,
} from "./model.ts";
import { type HeaderMap, headerMap } from "./rate-state.ts";
import { type CallFault, bodyFault, thrownFault } from "./thrown.ts";

/** How one provider is spoken to. Each member may throw what its SDK or the network throws; the exchange puts it into words. */
export interface Wire {
  readonly provider: string;
  /** As the port has it. */
  readonly account: string;
  /** What no message may show. */
  readonly secrets: readonly string[];
  /** Why no call can be made; null when it can. */
  readonly unready: string | null;
  /** Forms the request. Nothing is sent before the result is called. */
  prepare(request: ModelRequest, options: ModelCallOptions): Promise<(signal: AbortSignal) => Promise<Response>>;
  /** The events of a response that is a stream. */
  events(response: Response): AsyncIterable<StreamEvent>;
  answer(request: ModelRequest, options: Pick<ModelCallOptions, "onDelta" | "toolCallId">): AnswerBuilder;
  requestId(headers: HeaderMap): string | null;
  rate(headers: HeaderMap, now: number): RateReport | null;
}

export interface Timing {
  readonly clock: Clock;
  /** Absent: `MODEL_TIMEOUTS`. */
  readonly timeouts?: ModelTimeouts | undefined;
}

export function modelOver(wire: Wire, { clock, timeouts = MODEL_TIMEOUTS }: Timing): Model {
  return {
    provider: wire.provider,
    account: wire.account,
    call: async (request, options) => {
      if (wire.unready !== null) {
        return modelFailure({ kind: "auth", message: wire.unready, sent: false }, wire.secrets);
      }
      const deadlines = startDeadlines(clock, timeouts, options.signal);
      const exchange = createExchange(wire, { request, options, deadlines, clock });
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
  readonly options: ModelCallOptions;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
}

interface Exchange {
  run(): Promise<ModelAnswer>;
  /** What a call is worth that a limit or its caller ended. */
  ended(end: CallEnd, timeouts: ModelTimeouts): ModelFailure;
}

function createExchange(wire: Wire, { request, options, deadlines, clock }: Call): Exchange {
  const answer = wire.answer(request, {
    toolCallId: options.toolCallId,
    onDelta: (delta) => {
      if (deadlines.end() === null) options.onDelta(delta); // E2
    },
  });
  let sent = false;
  let reply: { readonly http: number; readonly headers: HeaderMap; readonly rate: RateReport | null } | null = null;

  const failure = (fault: CallFault): ModelFailure =>
    modelFailure(
      {
        kind: fault.kind,
        message: fault.message,
        retry_after_ms: fault.after_ms,
        http: fault.http ?? reply?.http ?? null,
        request_id: fault.request_id ?? (reply === null ? null : wire.requestId(reply.headers)),
        sent: sent && fault.sent !== false,
        partial: answer.partial(),
        usage: answer.usage(),
        rate: fault.headers === undefined ? (reply?.rate ?? null) : wire.rate(fault.headers, clock.now()),
      },
      wire.secrets,
    );

  const exchange = async (): Promise<ModelAnswer> => {
    const send = await wire.prepare(request, options);
    sent = true;
    const response = await send(deadlines.signal);
    const headers = headerMap(response.headers);
    // Read now, not at the end of the answer: it is old by then.
    reply = { http: response.status, headers, rate: wire.rate(headers, clock.now()) };
    deadlines.connected();
    if (!isEventStream(headers)) return failure(await bodyFault(wire.provider, response, clock));
    const fault = await readEvents(wire.events(response), answer, deadlines);
    if (fault !== null) return failure(fault);
    const done = answer.finish();
    if ("kind" in done) return failure(done);
    return { ok: true, ...done, request_id: wire.requestId(headers), rate: reply.rate };
  };

  return {
    run: async () => {
      try {
        return await exchange();
      } catch (error) {
        return failure(thrownFault(error, { wire, answered: reply !== null, now: clock.now() }));
      }
    },
    ended: (end, timeouts) => ({ ...failure(END_FAULTS[end](timeouts)), aborted: end === "aborted" }),
  };
}

export const END_FAULTS = {
  aborted: () => ({ kind: "interrupted", message: "The call was aborted.", after_ms: null }),
  connect: (limits) => ({
    kind: "timeout",
    message: `The provider did not begin to answer within ${limits.connect_ms} ms.`,
    after_ms: null,
  }),
  idle: (limits) => ({
    kind: "stream_idle",
    message: `The stream was silent for ${limits.idle_ms} ms.`,
    after_ms: null,
  }),
  total: (limits) => ({
    kind: "timeout",
    message: `The answer was not complete after ${limits.total_ms} ms.`,
    after_ms: null,
  }),
} as const satisfies { readonly [End in CallEnd]: (limits: ModelTimeouts) => AnswerFault };

/** Reads until the answer is complete; what comes after that is not waited for. */
async function readEvents(
  events: AsyncIterable<StreamEvent>,
  answer: AnswerBuilder,
  deadlines: Deadlines,
): Promise<AnswerFault | null> {
  for await (const { event, data } of events) {
    deadlines.alive();
    const fault = answer.take(event, data);
    if (fault !== null) return fault;
    if (answer.stopped()) return null;
  }
  return null;
}

function isEventStream(headers: HeaderMap): boolean {
  // Some proxies leave the header out: then the events themselves tell.
  const type = headers["content-type"]?.toLowerCase();
  return type === undefined || type.includes("text/event-stream");
}
