/** Lines of a stream, none of them longer than a limit: a file without line ends fills no memory. */
import { StringDecoder } from "node:string_decoder";
import type { Readable } from "node:stream";

/** A line, or null for one that is too long; its text is thrown away. */
export async function* boundedLines(from: Readable, chars_max: number): AsyncGenerator<string | null> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let too_long = false;
  for await (const chunk of from) {
    // a stream that was given no encoding hands out bytes
    const pieces = (typeof chunk === "string" ? chunk : decoder.write(chunk as Buffer)).split("\n");
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) {
        yield too_long ? null : withoutReturn(rest);
        rest = "";
        too_long = false;
      }
      if (!too_long) rest += piece;
      if (rest.length > chars_max) {
        too_long = true;
        rest = "";
      }
    }
  }
  rest += decoder.end();
  if (too_long) yield null;
  else if (rest !== "") yield withoutReturn(rest);
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
