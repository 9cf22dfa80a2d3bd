/**
 * Reads the parts of a session's file, from anybody: nothing of it is believed before its hash was checked, nothing is held
 * but one part, and nothing is larger than the limits say.
 */
import { createHash } from "node:crypto";
import { createGunzip } from "node:zlib";
import { Readable } from "node:stream";
import { HarnessError } from "../../kernel/harness-error.ts";
import {
  ARCHIVE_BYTES_MAX,
  endPart,
  PART_BYTES_MAX,
  PART_LINE_BYTES_MAX,
  type PartLine,
  partLine,
  SESSION_PART_BYTES_MAX,
} from "./archive.ts";

export interface Part {
  readonly line: PartLine;
  readonly content: Buffer;
}

/** The parts before the end, in order. @throws HarnessError `archive_invalid` also when the end is missing */
export async function* readParts(file: AsyncIterable<Uint8Array>): AsyncGenerator<Part> {
  const bytes = byteReader(unpacked(file));
  const all = createHash("sha256");
  for (let parts = 0; ; parts++) {
    const text = await bytes.line();
    const line = parsedLine(text);
    const max = line.part === "session" ? SESSION_PART_BYTES_MAX : PART_BYTES_MAX;
    if (line.bytes > max) throw invalid(`A part of it has ${line.bytes} bytes.`);
    const content = await bytes.exactly(line.bytes);
    if ((await bytes.exactly(1))[0] !== 10) throw invalid("A part of it does not end where it says.");
    if (createHash("sha256").update(content).digest("hex") !== line.sha256) throw invalid("A part of it was changed.");
    if (line.part === "end") {
      requireEnd(content, parts, all.digest("hex"));
      if (!(await bytes.isAtEnd())) throw invalid("Something follows its end.");
      return;
    }
    all.update(`${text}\n`);
    yield { line, content };
  }
}

function requireEnd(content: Buffer, parts: number, sha256: string): void {
  const told = endPart().safeParse(parsedJson(content.toString("utf8")));
  if (!told.success || told.data.parts !== parts || told.data.sha256 !== sha256)
    throw invalid("It has not the parts that it had when it was written.");
}

function parsedLine(text: string): PartLine {
  const line = partLine().safeParse(parsedJson(text));
  if (!line.success) throw invalid("It is no file of a session, or it was changed.");
  return line.data;
}

export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function* unpacked(file: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const source = Readable.from(file);
  const gunzip = createGunzip();
  source.on("error", (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  let total = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      total += chunk.byteLength;
      if (total > ARCHIVE_BYTES_MAX) throw invalid(`It unpacks to more than ${ARCHIVE_BYTES_MAX} bytes.`);
      yield chunk;
    }
  } catch (error) {
    if (!isZlibError(error)) throw error;
    throw invalid("It is no file of a session, or it was cut off.", error);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("Z_");
}

interface ByteReader {
  line(): Promise<string>;
  exactly(bytes: number): Promise<Buffer>;
  isAtEnd(): Promise<boolean>;
}

function byteReader(source: AsyncGenerator<Buffer>): ByteReader {
  let held: Buffer[] = [];
  let size = 0;

  /** False at the end. */
  const more = async (): Promise<boolean> => {
    const next = await source.next();
    if (next.done === true) return false;
    held.push(next.value);
    size += next.value.byteLength;
    return true;
  };
  const take = (bytes: number): Buffer => {
    const whole = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
    held = [whole.subarray(bytes)];
    size -= bytes;
    return whole.subarray(0, bytes);
  };
  const exactly = async (bytes: number): Promise<Buffer> => {
    while (size < bytes) if (!(await more())) throw cutOff();
    return take(bytes);
  };
  return {
    exactly,
    line: async () => {
      for (;;) {
        const end = (held.length === 1 ? (held[0] ?? Buffer.alloc(0)) : Buffer.concat(held)).indexOf(10);
        if (end > PART_LINE_BYTES_MAX || (end < 0 && size > PART_LINE_BYTES_MAX))
          throw invalid("It is no file of a session.");
        if (end >= 0) return (await exactly(end + 1)).subarray(0, end).toString("utf8");
        if (!(await more())) throw cutOff();
      }
    },
    isAtEnd: async () => {
      while (size === 0) if (!(await more())) return true;
      return false;
    },
  };
}

function cutOff(): HarnessError {
  return invalid("It ends in the middle.");
}

export function invalid(what: string, cause?: unknown): HarnessError {
  return new HarnessError(
    "archive_invalid",
    `The file cannot be imported. ${what}`,
    "Nothing was stored; export the session again and copy the file whole.",
    cause === undefined ? undefined : { cause },
  );
}
