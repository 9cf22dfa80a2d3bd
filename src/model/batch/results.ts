/**
 * Results as they are read, line by line, the same for every provider.
 *
 * R1: a line that cannot be read stops nothing: what comes after it was paid for, too. The end then says so.
 * R2: fewer results than the batch has are an end that came too early: no request passes for one without a result.
 */
import type { CallFault } from "../thrown.ts";
import type { BatchFault, BatchResult } from "./batch.ts";

/** Of all results of a batch: 100,000 answers of the longest kind. They are streamed, never held. Bytes. */
export const RESULTS_BYTES_MAX: number = 64 * 1024 ** 3;
/** Of a line that is no result, in the fault that says so. Characters. */
const QUOTED_CHARS_MAX = 200;

export interface ResultReading {
  /** How many there must be at least. */
  readonly expected: number;
  /** @returns null where the line is no result of a request */
  read(line: string): BatchResult | null;
  fault(fault: CallFault, sent: boolean): BatchFault;
}

export async function* readResults(
  lines: AsyncIterable<string>,
  { expected, read, fault }: ResultReading,
): AsyncIterable<BatchResult | BatchFault> {
  let seen = 0;
  let count = 0;
  let wrong: string | null = null;
  for await (const line of lines) {
    count += 1;
    const result = read(line);
    if (result === null) wrong ??= `Line ${count} of the results is none: ${line.slice(0, QUOTED_CHARS_MAX)}`;
    else {
      seen += 1;
      yield result;
    }
  }
  if (wrong !== null) yield fault({ kind: "protocol", message: wrong, after_ms: null }, true);
  else if (seen < expected) {
    const message = `The results ended after ${seen} of ${expected}.`;
    yield fault({ kind: "stream_cut", message, after_ms: null }, true);
  }
}

export function unreadable(): CallFault {
  const message = "The provider's answer about a batch is not one that is known.";
  return { kind: "protocol", message, after_ms: null };
}

export function notEnded(id: string): CallFault {
  return { kind: "invalid_request", message: `The batch ${id} has not ended: it has no results yet.`, after_ms: null };
}

/** @param kept how long the provider keeps them */
export function gone(id: string, kept: string): CallFault {
  const message = `The results of the batch ${id} are gone: the provider keeps them for ${kept} from its creation.`;
  return { kind: "not_found", message, after_ms: null };
}
