/** Writes one answer to one connection, with its pace and its faults. Everything ends when the connection closes. */
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { errorBody, errorForStatus } from "./api-error.ts";
import {
  emptyMessage,
  event,
  isJsonDelta,
  streamEvents,
  type StreamEvent,
  truncateJson,
  type TurnFacts,
  wholeMessage,
} from "./message.ts";
import type { Fault } from "./scenario.ts";

/** `"}}` and the two line ends that close a delta's frame. */
const CLOSING_CHARS = 5;

export interface Answering {
  readonly response: ServerResponse;
  /** Aborts when the client goes or the emulator closes. */
  readonly signal: AbortSignal;
  readonly stream: boolean;
  readonly requestId: string;
  readonly facts: TurnFacts;
  readonly fault: Fault | null;
}

export async function respond(answering: Answering): Promise<void> {
  const { response, fault, signal, facts } = answering;
  for (const [name, value] of Object.entries({ ...facts.turn.headers, ...fault?.headers }))
    response.setHeader(name, value);
  if (fault?.reset) return reset(response);
  if (fault?.status !== undefined) {
    await pause(facts.turn.latency_ms, signal);
    return sendFault(answering, fault, fault.status);
  }
  if (fault?.raw) {
    response.writeHead(200, { "content-type": fault.raw.content_type });
    return void response.end(fault.raw.body);
  }
  return answering.stream ? sendStream(answering) : sendWhole(answering);
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

/** A reset, not an orderly end. */
function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

/** An end without the end of the body: what was written still arrives. */
function cut(response: ServerResponse): void {
  response.socket?.destroy();
}

function sendFault({ response, requestId }: Answering, fault: Fault, status: number): void {
  if (fault.retry_after !== undefined) response.setHeader("retry-after", String(fault.retry_after));
  if (typeof fault.body === "string") {
    response.writeHead(status, { "content-type": fault.body.trimStart().startsWith("<") ? "text/html" : "text/plain" });
    response.end(fault.body);
    return;
  }
  const body =
    typeof fault.body === "object" && fault.body !== null ? fault.body : errorBody(errorForStatus(status), requestId);
  sendJson(response, status, body);
}

async function sendWhole({ response, fault, facts, signal }: Answering): Promise<void> {
  await pause(facts.turn.latency_ms, signal);
  if (signal.aborted) return;
  if (fault?.error_event)
    return sendJson(response, 500, {
      type: "error",
      error: { type: fault.error_event.type, message: fault.error_event.message },
    });
  if (fault?.silence_after_event !== undefined) return pause(null, signal);
  // A whole answer has no events to cut between: the connection is lost instead.
  if (fault !== null && fault.empty === undefined) return reset(response);
  sendJson(response, 200, wholeMessage(fault?.empty ? emptyMessage(facts) : facts));
}

async function sendStream(answering: Answering): Promise<void> {
  const { response, signal, fault, facts } = answering;
  const { turn } = facts;
  await pause(turn.latency_ms, signal);
  if (signal.aborted) return;
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  response.flushHeaders();
  const write = (text: string): void => {
    if (!signal.aborted) response.write(text);
  };
  const waiting = (ms: number | null): Promise<void> =>
    pause(ms, signal, turn.ping_ms, () => write(frame(event("ping", {}))));
  const events = faultyEvents(facts, fault);
  const stopAt =
    fault?.cut_after_event ?? fault?.silence_after_event ?? (fault?.missing_stop ? events.length - 1 : events.length);
  const cutAt = fault?.cut_in_json ? cutPosition(events) : -1;

  for (const [index, entry] of events.slice(0, stopAt).entries()) {
    if (signal.aborted) return;
    if (index === cutAt) {
      // Inside the JSON: before the quote and the braces that close it.
      await flushed(response, frame(entry).slice(0, -CLOSING_CHARS));
      return cut(response);
    }
    write(frame(entry));
    if (turn.chunk_delay_ms > 0) await waiting(turn.chunk_delay_ms);
  }
  if (fault?.silence_after_event !== undefined) return waiting(null);
  if (fault?.cut_after_event !== undefined) {
    await flushed(response, ":\n\n");
    return cut(response);
  }
  if (!signal.aborted) response.end();
}

function faultyEvents(facts: TurnFacts, fault: Fault | null): readonly StreamEvent[] {
  if (fault?.empty) return streamEvents(emptyMessage(facts));
  const events = streamEvents(facts);
  if (fault?.truncated_json) return truncateJson(events);
  if (!fault?.error_event) return events;
  const { type, message, after_event } = fault.error_event;
  const kept = events.slice(0, Math.min(after_event ?? Math.floor(events.length / 2), events.length - 1));
  return [...kept, event("error", { error: { type, message } })];
}

/** The last delta of a tool's input, else of anything. */
function cutPosition(events: readonly StreamEvent[]): number {
  const json = events.findLastIndex(isJsonDelta);
  return json >= 0 ? json : events.findLastIndex(({ name }) => name === "content_block_delta");
}

function frame(entry: StreamEvent): string {
  return `event: ${entry.name}\ndata: ${JSON.stringify(entry.data)}\n\n`;
}

/** What was written before a cut must have left, or the cut takes it along. */
async function flushed(response: ServerResponse, text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    response.write(text, () => resolve());
    response.once("close", () => resolve());
  });
}

/** @param ms null waits until the signal aborts. */
async function pause(ms: number | null, signal: AbortSignal, everyMs?: number, onTick?: () => void): Promise<void> {
  const ticker = everyMs !== undefined && onTick ? setInterval(onTick, everyMs) : null;
  try {
    if (ms === null) await aborted(signal);
    else if (ms > 0) await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error; // the abort of the wait is expected: the client has gone
  } finally {
    if (ticker) clearInterval(ticker);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
