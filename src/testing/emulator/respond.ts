/** Writes one answer to one connection, with its pace and its faults. Everything ends when the connection closes. */
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, ApiError, Dialect } from "./dialect.ts";
import type { Fault, Wire } from "./fault.ts";
import { frameOf, planStream, type StreamPlan } from "./stream-plan.ts";
import { closeInOrder, cut, type Line, line, reset } from "./line.ts";

/** Of a stream that has no end: with this much unread the client has stopped reading. Bytes. */
const UNREAD_MAX = 1024 * 1024;
const HTML =
  "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n";
/** Begins as gzip does, and is none. */
const NO_GZIP = Buffer.from([0x1f, 0x8b, 0x08, 0x00, ...Buffer.from("this is not what it says it is")]);

export interface Answering {
  readonly response: ServerResponse;
  /** Aborts when the client goes or the emulator closes. */
  readonly signal: AbortSignal;
  readonly stream: boolean;
  readonly requestId: string;
  readonly dialect: Dialect;
  readonly answer: Answer;
  readonly fault: Fault | null;
  readonly wire: Wire;
  /** Nobody listens for so many milliseconds. */
  readonly refuse: (ms: number) => void;
  /** Sets the rate headers, as they are at this moment. */
  readonly stamp: () => void;
  /** Such a share of the answer has been produced by now, 0 to 1. */
  readonly produced: (share: number) => void;
}

/** @returns whether the model began to answer: only then is its prompt in the cache. */
export function isAnswered(fault: Fault | null): boolean {
  if (fault === null) return true;
  const { status, error, reset: gone, close, refuse_ms, no_headers, raw, html, empty_body, gzip_garbage } = fault;
  return [status, error, gone, close, refuse_ms, no_headers, raw, html, empty_body, gzip_garbage].every(
    (way) => way === undefined,
  );
}

export async function respond(answering: Answering): Promise<void> {
  const { response, fault, signal, answer } = answering;
  if (isLost(answering)) return;
  await pause(answer.turn.latency_ms, signal);
  if (signal.aborted) return;
  if (fault?.no_headers) return pause(null, signal);
  // An answer that is not streamed is there before its headers are.
  if (!answering.stream && isAnswered(fault)) answering.produced(1);
  answering.stamp();
  for (const [name, value] of Object.entries({ ...answer.turn.headers, ...fault?.headers }))
    response.setHeader(name, value);
  if (fault?.status !== undefined) return sendFault(answering, fault, answering.dialect.errorForStatus(fault.status));
  if (fault?.error !== undefined) return sendFault(answering, fault, answering.dialect.errorOfKind(fault.error));
  const other = fault === null ? null : otherBody(answering, fault);
  if (other) {
    response.writeHead(other.status, other.headers);
    return void response.end(other.body);
  }
  return answering.stream ? sendStream(answering) : sendWhole(answering);
}

/** @returns whether the connection was given up before any answer. */
function isLost({ response, fault, refuse }: Answering): boolean {
  if (fault?.refuse_ms !== undefined) refuse(fault.refuse_ms);
  if (fault?.reset || fault?.refuse_ms !== undefined) reset(response);
  else if (fault?.close) closeInOrder(response);
  else return false;
  return true;
}

export function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

interface OtherBody {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string | Buffer;
}

/** A body that is no answer at all. */
function otherBody({ stream }: Answering, fault: Fault): OtherBody | null {
  const type = stream ? "text/event-stream; charset=utf-8" : "application/json";
  if (fault.raw) return { status: 200, headers: { "content-type": fault.raw.content_type }, body: fault.raw.body };
  if (fault.html !== undefined)
    return { status: fault.html, headers: { "content-type": "text/html; charset=utf-8" }, body: HTML };
  if (fault.empty_body) return { status: 200, headers: { "content-type": type }, body: "" };
  if (fault.gzip_garbage)
    return { status: 200, headers: { "content-type": type, "content-encoding": "gzip" }, body: NO_GZIP };
  return null;
}

function sendFault({ response, requestId, dialect }: Answering, fault: Fault, error: ApiError): void {
  if (fault.retry_after !== undefined) response.setHeader("retry-after", String(fault.retry_after));
  if (fault.retry_after_ms !== undefined) response.setHeader("retry-after-ms", String(fault.retry_after_ms));
  if (typeof fault.body === "string") {
    const type = fault.body.trimStart().startsWith("<") ? "text/html" : "text/plain";
    response.writeHead(error.status, { "content-type": type });
    response.end(fault.body);
    return;
  }
  const told = typeof fault.body === "object" && fault.body !== null ? fault.body : null;
  sendJson(response, error.status, told ?? dialect.errorBody(error, requestId));
}

async function sendWhole(answering: Answering): Promise<void> {
  const { response, fault, answer, dialect, signal } = answering;
  if (fault?.error_event) {
    const { type, message, code } = fault.error_event;
    const error: ApiError = { status: 500, type, message, code: code ?? null };
    return sendJson(response, 500, dialect.errorBody(error, answering.requestId));
  }
  if (fault?.silence_after_event !== undefined || fault?.silence_in_event !== undefined || fault?.endless)
    return pause(null, signal);
  const body = Buffer.from(JSON.stringify(dialect.whole(answer)));
  const length = { "content-length": String(body.length), ...lengthHeader(fault, body.length) };
  // A whole answer has no events to count: what cuts a stream anywhere cuts it in the middle.
  const plan: StreamPlan = cutsWhole(fault)
    ? { frames: [body.subarray(0, Math.ceil(body.length / 2))], ending: { how: "cut" } }
    : { frames: [body], ending: { how: "end" } };
  response.writeHead(200, { "content-type": "application/json", ...length });
  await play(answering, plan);
}

function cutsWhole(fault: Fault | null): boolean {
  if (fault === null) return false;
  const { cut_after_event, cut_in_event, cut_in_json, cut_in_character, missing_stop, end_after_event, bad_event } =
    fault;
  return [cut_after_event, cut_in_event, cut_in_json, cut_in_character, missing_stop, end_after_event, bad_event].some(
    (way) => way !== undefined,
  );
}

async function sendStream(answering: Answering): Promise<void> {
  const { response, fault, dialect, answer, wire } = answering;
  const plan = planStream(dialect, answer, fault, wire);
  const size = plan.frames.reduce((sum, frame) => sum + frame.length, 0);
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    ...lengthHeader(fault, size),
  });
  response.flushHeaders();
  await play(answering, plan);
}

/** A length that does not fit: what is longer than it says is cut off, for what is shorter the client waits. */
function lengthHeader(fault: Fault | null, size: number): { readonly [name: string]: string } {
  if (fault?.content_length === undefined) return {};
  return { "content-length": String(fault.content_length === "longer" ? Math.floor(size / 2) : size * 2) };
}

async function play(answering: Answering, { frames, ending }: StreamPlan): Promise<void> {
  const { response, signal, answer, wire, fault, stream } = answering;
  const { turn } = answer;
  const out = line(response, signal, wire);
  const waiting = (ms: number | null): Promise<void> =>
    pause(ms, signal, turn.ping_ms, () => void pinged(answering, out));
  for (const [index, frame] of frames.entries()) {
    if (signal.aborted) return;
    await out.write(frame);
    answering.produced((index + 1) / frames.length);
    if (stream && turn.chunk_delay_ms > 0) await waiting(turn.chunk_delay_ms);
  }
  switch (ending.how) {
    case "silence":
      return waiting(null);
    case "cut":
      await out.flushed();
      return cut(response);
    case "endless":
      while (!signal.aborted) {
        if (response.writableLength > UNREAD_MAX) await Promise.race([out.flushed(), aborted(signal)]);
        await out.write(ending.frame);
        await waiting(Math.max(1, turn.chunk_delay_ms));
      }
      return;
    case "end":
      if (signal.aborted) return;
      if (fault?.content_length === undefined) return void response.end();
      await out.flushed();
      return closeInOrder(response);
  }
}

async function pinged({ dialect, wire }: Answering, out: Line): Promise<void> {
  const ping = dialect.ping();
  await out.write(ping === null ? Buffer.from(": ping\n\n") : frameOf(ping, wire));
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
