/** Lines of JSON as they come and go: a response's body line by line, and a submission's lines as bytes. */
import { HarnessError } from "../../kernel/harness-error.ts";
import type { Asking } from "./exchange.ts";

/** Of one line of results, as of one answer. Characters. */
const LINE_CHARS_MAX = 64 * 1024 * 1024;
/** Of a submission, what is written at once. Characters. */
const CHUNK_CHARS = 64 * 1024;

/**
 * Never more of it in memory than a chunk and a line.
 * @param alive called with every chunk
 * @throws what the connection throws; HarnessError `protocol` at a line that is too long
 */
export async function* bodyLines(response: Response, alive: () => void): AsyncIterable<string> {
  if (response.body === null) return;
  let rest = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    alive();
    const [first = "", ...others] = chunk.split("\n");
    const lines = [rest + first, ...others];
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield line;
    if (rest.length > LINE_CHARS_MAX) {
      throw new HarnessError(
        "protocol",
        `A line of the results has more than ${LINE_CHARS_MAX} characters.`,
        "Check for a proxy in between.",
      );
    }
  }
  if (rest.trim() !== "") yield rest;
}

export interface Framing {
  readonly before: string;
  readonly between: string;
  readonly after: string;
}

/** The body of a submission, made while it is sent. What `lines` throws is told to the call before it is thrown. */
export async function* bodyOf(
  lines: AsyncIterable<string>,
  { before, between, after }: Framing,
  call: Asking,
): AsyncGenerator<Uint8Array> {
  let text = before;
  let first = true;
  for await (const line of told(lines, call)) {
    text += first ? line : between + line;
    first = false;
    if (text.length < CHUNK_CHARS) continue;
    yield Buffer.from(text);
    call.alive();
    text = "";
  }
  yield Buffer.from(text + after);
  call.alive();
}

async function* told(lines: AsyncIterable<string>, call: Asking): AsyncGenerator<string> {
  try {
    yield* lines;
  } catch (error) {
    call.broken(error);
    throw error;
  }
}
