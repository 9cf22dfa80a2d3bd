/** One request about batches: what it holds, and the faults that meet it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseJson } from "../../../model/json-view.ts";
import type { ApiError, Dialect } from "../dialect.ts";
import { cut } from "../line.ts";
import type { RecordedRequest } from "../request-log.ts";
import { sendJson } from "../respond.ts";
import type { Act, BatchFault, Batches } from "./grammar.ts";

/** Of a body that is no submission. Bytes. */
const SMALL_BODY_BYTES_MAX = 1024 * 1024;

export interface BatchAsk {
  readonly dialect: Dialect;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly headers: RecordedRequest["headers"];
  readonly requestId: string;
  readonly query: URLSearchParams;
  /** Where the server stands, as the client sees it: `http://127.0.0.1:1234`. */
  readonly origin: string;
}

export interface BatchFaults {
  /** The fault that meets this request; null: none. It is used up by that. */
  next(act: Act): BatchFault | null;
}

export function createBatchFaults({ faults }: Batches): BatchFaults {
  const seen = new Map<Act, number>();
  return {
    next: (act) => {
      const count = seen.get(act) ?? 0;
      seen.set(act, count + 1);
      return faults.find(({ at, after, times }) => at === act && count >= after && count < after + times) ?? null;
    },
  };
}

export function refuse({ response, dialect, requestId }: BatchAsk, error: ApiError): void {
  sendJson(response, error.status, dialect.errorBody(error, requestId));
}

/**
 * Carries an order out, or not, as the fault says.
 * @param act returns the answer, or why it is refused
 */
export async function carryOut(
  ask: BatchAsk,
  fault: BatchFault | null,
  act: () => Promise<Done> | Done,
): Promise<void> {
  const { request, response, dialect } = ask;
  if (fault?.unsent || fault?.status !== undefined) {
    await drained(request);
    if (fault.status === undefined) return cut(response);
    if (fault.retry_after !== undefined) response.setHeader("retry-after", String(fault.retry_after));
    return refuse(ask, dialect.errorForStatus(fault.status));
  }
  const done = await act();
  if (fault?.lost) return cut(response);
  if ("error" in done) return refuse(ask, done.error);
  sendJson(response, 200, done.body);
}

export type Done = { readonly body: object } | { readonly error: ApiError };

/** Reads a body to its end: a client that is still sending would not read the answer. */
export async function drained(request: IncomingMessage): Promise<void> {
  const chunks = request[Symbol.asyncIterator]();
  while (!(await chunks.next()).done);
}

/** A fault of the lines themselves, and not of the request for them. */
export function inLines({ cut: isCut, short, garbage }: BatchFault): boolean {
  return [isCut, short, garbage].some((way) => way !== undefined);
}

/** Lines, as fast as they are read. */
export async function sendLines(
  { response }: BatchAsk,
  fault: BatchFault | null,
  lines: readonly (() => string)[],
): Promise<void> {
  response.writeHead(200, { "content-type": "application/octet-stream" });
  const middle = Math.floor(lines.length / 2);
  const written = function* (): Generator<string> {
    for (const [index, line] of lines.entries()) {
      if (index === middle && (fault?.cut || fault?.short)) return;
      if (index === middle && fault?.garbage) yield '{"custom_id": "half of a li\n';
      yield `${line()}\n`;
    }
  };
  try {
    await pipeline(Readable.from(written()), response, { end: !fault?.cut });
    if (fault?.cut) cut(response);
  } catch (error) {
    if (!response.destroyed) throw error; // the client has gone in between, as who looks at the first line does
  }
}

/** @returns null where it is longer than any such body is, or no JSON */
export async function smallBody({ request }: BatchAsk): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.byteLength;
    if (size <= SMALL_BODY_BYTES_MAX) parts.push(part);
  }
  return size > SMALL_BODY_BYTES_MAX ? null : parseJson(Buffer.concat(parts).toString("utf8"));
}

/** A page of what is newest first. @param after null: from the beginning */
export function pageOf<Item extends { readonly id: string }>(
  all: readonly Item[],
  { after, before = null, limit }: { after: string | null; before?: string | null; limit: number },
): { readonly items: readonly Item[]; readonly more: boolean } {
  if (before !== null) {
    const end = all.findIndex(({ id }) => id === before);
    const start = Math.max(0, end - limit);
    return { items: all.slice(start, Math.max(0, end)), more: start > 0 };
  }
  const start = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
  return { items: all.slice(start, start + limit), more: all.length > start + limit };
}
