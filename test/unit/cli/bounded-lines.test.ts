/** Lines of a stream, none longer than a limit. */
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { boundedLines } from "../../../src/cli/bounded-lines.ts";

async function linesOf(...chunks: readonly string[]): Promise<readonly (string | null)[]> {
  return all(boundedLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), 5));
}

async function all(lines: AsyncIterable<string | null>): Promise<readonly (string | null)[]> {
  const found: (string | null)[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

describe("lines of a stream", () => {
  it("are cut at line ends, wherever the chunks are", async () => {
    expect(await linesOf("a\nb", "c\r\n", "\nd")).toEqual(["a", "bc", "", "d"]);
  });

  it("that are too long are told apart, and the next is read", async () => {
    expect(await linesOf("123456", "789\n1234", "5\n", "123456")).toEqual([null, "12345", null]);
  });

  it("keep a character whole that stands in two chunks", async () => {
    const bytes = Buffer.from("é\n");
    const lines = boundedLines(Readable.from([bytes.subarray(0, 1), bytes.subarray(1)]), 5);
    expect(await all(lines)).toEqual(["é"]);
  });
});
