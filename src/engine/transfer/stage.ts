/**
 * Where a session's file is unpacked before anything of it is stored: large texts and the pack as files of a directory, the
 * journal in memory. Checked part by part; what is out of order or too much is refused.
 */
import { createReadStream, openSync, closeSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BlobHash } from "../../kernel/ids.ts";
import { type BlobHasher, blobHasher } from "../../store/blob-bytes.ts";
import type { EventRecord } from "../../store/port.ts";
import { blobMissing } from "../../store/refusal.ts";
import { JOURNAL_BYTES_MAX } from "./new-journal.ts";
import {
  ARCHIVE_VERSION,
  ARCHIVED_BLOB_BYTES_MAX,
  ARCHIVED_BLOBS_MAX,
  type PartLine,
  recordLine,
  type SessionPart,
  sessionPart,
  sessionVersion,
} from "./archive.ts";
import { invalid, type Part, parsedJson } from "./archive-read.ts";

export interface Staged {
  readonly head: SessionPart;
  readonly records: readonly EventRecord[];
  /** By name. */
  readonly blobs: ReadonlyMap<BlobHash, string>;
  readonly pack: string | null;
  getBlob(tenant: unknown, hash: BlobHash): Promise<Uint8Array>;
  streamBlob(hash: BlobHash): AsyncIterable<Uint8Array>;
}

/** A thing that comes in pieces. */
interface Open {
  readonly part: PartLine["part"];
  readonly name: string | undefined;
  readonly path: string;
  readonly fd: number;
  readonly hasher: BlobHasher;
  bytes: number;
}

/** The order in which parts come. */
const RANK: { readonly [P in PartLine["part"]]: number } = { session: 0, records: 1, blob: 2, pack: 3, end: 4 };

/** @param onHead may refuse the file before the rest of it is read. @throws HarnessError `archive_invalid` */
export async function stageParts(
  parts: AsyncIterable<Part>,
  directory: string,
  onHead: (head: SessionPart) => Promise<void>,
): Promise<Staged> {
  const records: EventRecord[] = [];
  const blobs = new Map<BlobHash, string>();
  let head: SessionPart | null = null;
  let pack: string | null = null;
  let open: Open | null = null;
  let rank = -1;
  let bytes = 0;

  const piece = ({ line, content }: Part): void => {
    if (open !== null && (open.part !== line.part || open.name !== line.name))
      throw invalid("Its pieces are mixed up.");
    open ??= begun(line, directory, blobs.size);
    writeSync(open.fd, content);
    open.hasher.add(content);
    open.bytes += content.byteLength;
    if (line.part === "blob" && open.bytes > ARCHIVED_BLOB_BYTES_MAX) throw invalid("A text in it is too large.");
    if (line.more === true) return;
    const whole: Open = open;
    open = null; // Closed once: its number may be another file's afterwards.
    closeSync(whole.fd);
    if (line.part === "pack") pack = whole.path;
    else blobs.set(namedRightly(whole), whole.path);
    if (blobs.size > ARCHIVED_BLOBS_MAX) throw invalid(`It holds more than ${ARCHIVED_BLOBS_MAX} texts.`);
  };

  try {
    for await (const part of parts) {
      const now = RANK[part.line.part];
      if (now < rank || (now === rank && now === 0) || (rank === -1 && now !== 0))
        throw invalid("Its parts are out of order.");
      if (now === RANK.pack && pack !== null) throw invalid("It holds two packs.");
      rank = now;
      if (part.line.part === "session") {
        head = parsedHead(part.content);
        await onHead(head);
      } else if (part.line.part === "records") {
        bytes += part.content.byteLength;
        if (bytes > JOURNAL_BYTES_MAX) throw invalid(`Its journal has more than ${JOURNAL_BYTES_MAX} bytes.`);
        records.push(...parsedRecords(part.content));
      } else piece(part);
    }
  } finally {
    closeIfOpen(open);
  }
  if (head === null || open !== null) throw invalid("It ends in the middle.");
  return {
    head,
    records,
    blobs,
    pack,
    getBlob: async (_tenant, hash) => readFile(pathOf(blobs, hash)),
    streamBlob: (hash) => createReadStream(pathOf(blobs, hash)),
  };
}

function closeIfOpen(open: Open | null): void {
  if (open !== null) closeSync(open.fd);
}

function begun({ part, name }: PartLine, directory: string, count: number): Open {
  if ((part === "blob") !== (name !== undefined)) throw invalid("A text in it has no name.");
  const path = join(directory, part === "pack" ? "pack" : `blob-${count}`);
  return { part, name, path, fd: openSync(path, "wx", 0o600), hasher: blobHasher(), bytes: 0 };
}

function namedRightly({ hasher, name }: Open): BlobHash {
  const hash = hasher.name();
  if (hash !== name) throw invalid("A text in it does not match its name.");
  return hash;
}

function parsedHead(content: Buffer): SessionPart {
  const json = parsedJson(content.toString("utf8"));
  const version = sessionVersion().safeParse(json);
  if (!version.success) throw invalid("It is no file of a session.");
  if (version.data.version > ARCHIVE_VERSION)
    throw invalid(
      `It was written by a newer belay (format ${version.data.version}, this one reads ${ARCHIVE_VERSION}).`,
    );
  const head = sessionPart().safeParse(json);
  if (!head.success) throw invalid("What it says of the session is damaged.");
  return head.data;
}

function parsedRecords(content: Buffer): readonly EventRecord[] {
  const lines = content.toString("utf8").split("\n");
  if (lines.pop() !== "") throw invalid("A line of its journal is cut off.");
  return lines.map((line) => {
    const record = recordLine().safeParse(parsedJson(line));
    if (!record.success) throw invalid("A line of its journal is damaged.");
    return record.data as EventRecord; // the form of the blob's name was checked: the brand says no more
  });
}

function pathOf(blobs: ReadonlyMap<BlobHash, string>, hash: BlobHash): string {
  const path = blobs.get(hash);
  if (path === undefined) throw blobMissing(hash);
  return path;
}
