/** The files of a batch, in its own directory: the jobs, which never change, and the results, which only grow. */
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

/** A line above this is no job. Bytes. */
export const LINE_BYTES_MAX: number = 16 * 1024 * 1024;
/** What is written at a time. Bytes. */
const PIECE_BYTES = 256 * 1024;
const PRIVATE_FILE = 0o600;

export interface BatchFiles {
  readonly directory: string;
  /** One job a line, as `job.ts` writes it. */
  readonly jobs: string;
  /** One result a line, as `results.ts` writes it. */
  readonly results: string;
}

export function batchFiles(directory: string): BatchFiles {
  return { directory, jobs: join(directory, "jobs.jsonl"), results: join(directory, "results.jsonl") };
}

/** One line of a file; null where it is longer than `LINE_BYTES_MAX`. */
export interface FileLine {
  /** From 1. */
  readonly number: number;
  readonly text: string | null;
}

/** Whole lines, the last one also without its end; memory is bounded by the longest line. */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<FileLine> {
  let number = 0;
  let held: Uint8Array[] = [];
  let bytes = 0;
  const line = (): FileLine => {
    const text = bytes > LINE_BYTES_MAX ? null : Buffer.concat(held).toString("utf8");
    held = [];
    bytes = 0;
    number += 1;
    return { number, text };
  };
  for await (const piece of pieces) {
    let start = 0;
    for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, start)) {
      held.push(piece.subarray(start, at));
      bytes += at - start;
      start = at + 1;
      yield line();
    }
    const rest = piece.subarray(start);
    bytes += rest.byteLength;
    // Of a line that is too long nothing more is kept.
    if (bytes <= LINE_BYTES_MAX) held.push(rest);
    else held = [];
  }
  if (bytes > 0) yield line();
}

const NEWLINE = 0x0a;

/** @param bytes where reading ends; absent: where the file does @param start where it begins */
export async function* piecesOf(path: string, bytes = Number.MAX_SAFE_INTEGER, start = 0): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r");
  try {
    for (let position = start; position < bytes;) {
      const wanted = Math.min(PIECE_BYTES, bytes - position);
      const { bytesRead, buffer } = await file.read(new Uint8Array(wanted), 0, wanted, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** A file that lines are added to. */
export interface LineWriter {
  /** Of the file, with what is not written yet. */
  readonly bytes: number;
  add(line: string): Promise<void>;
  /** Everything that was added is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** @param bytes where the file goes on: what stands after it is cut off. The file is made where it is not there. */
export async function lineWriter(path: string, bytes: number): Promise<LineWriter> {
  const file = await open(path, bytes === 0 ? "w" : "r+", PRIVATE_FILE);
  if (bytes > 0) await file.truncate(bytes);
  let position = bytes;
  let held: string[] = [];
  let chars = 0;
  const write = async (): Promise<void> => {
    const text = held.join("");
    held = [];
    chars = 0;
    await writeAt(file, text, position - Buffer.byteLength(text));
  };
  return {
    get bytes() {
      return position;
    },
    add: async (line) => {
      held.push(`${line}\n`);
      chars += line.length;
      position += Buffer.byteLength(line) + 1;
      if (chars >= PIECE_BYTES) await write();
    },
    sync: async () => {
      await write();
      await file.sync();
    },
    close: async () => {
      await file.close();
    },
  };
}

async function writeAt(file: FileHandle, text: string, start: number): Promise<void> {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, start + done);
    done += bytesWritten;
  }
}
