/**
 * Exports a session into one file: its journal, the texts that it names, and its files. The session may be driven meanwhile:
 * what is exported is the session as it was at the last event when the export began.
 */
import { createReadStream } from "node:fs";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Writable } from "node:stream";
import { emptyState, foldEvent, isUnknown } from "../../kernel/fold.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { type BlobHash, LOCAL_TENANT, type SessionId } from "../../kernel/ids.ts";
import type { SessionState } from "../../kernel/state.ts";
import { blobReferences } from "../../store/blob-references.ts";
import { readEvents, readRecords } from "../../store/journal.ts";
import type { EventRecord, SessionRow, Store } from "../../store/port.ts";
import type { Host } from "../host.ts";
import { requireNoBatch } from "../no-batch.ts";
import { noSession } from "../session.ts";
import { ARCHIVE_FORMAT, ARCHIVE_VERSION, PART_BYTES_MAX, type SessionPart } from "./archive.ts";
import { withStage } from "./stage-directory.ts";
import { archiveWriter, type ArchiveWriter } from "./archive-write.ts";
import { type FilesAt, filesAfter, NO_FILES } from "./files-at.ts";

export interface Exported {
  readonly session: SessionId;
  readonly events: number;
  /** Why the files are not in it; null when they are, or there were none yet. */
  readonly without_files: string | null;
  /** False when the last changes were not in a snapshot: they are not in the file. */
  readonly exact: boolean;
}

/** @throws `session_not_found`, `store_corrupt`, `blob_missing`, and what `sink` fails with */
export async function exportSession(host: Host, session: SessionId, sink: Writable): Promise<Exported> {
  const row = await host.store.getSession(LOCAL_TENANT, session);
  if (row === null) throw noSession(session);
  const read = await readWhole(host.store, row);
  requireNoBatch(read.state, "its jobs and results stand in files that a session's file has no place for");
  return withStage(host, dirname(row.place.directory), "export", async (directory) => {
    const files = await packedFiles(host, row, read, directory);
    const writer = archiveWriter();
    const head: SessionPart = {
      format: ARCHIVE_FORMAT,
      version: ARCHIVE_VERSION,
      belay: host.version,
      tenant: row.tenant,
      principal: row.principal,
      session,
      root: row.root,
      trace: row.trace,
      seq: read.state.seq,
      hash: read.state.hash,
      workspace: files.workspace,
      without_files: files.without,
    };
    await pipeline(partsOf(host.store, row, read, { writer, head, pack: files.pack }), createGzip(), sink);
    return { session, events: read.state.seq, without_files: files.without, exact: files.workspace?.exact ?? true };
  });
}

interface Whole {
  readonly state: SessionState;
  readonly files: FilesAt;
  readonly blobs: ReadonlySet<BlobHash>;
}

/** Verified, up to the last event that the row knows of. */
async function readWhole(store: Store, row: SessionRow): Promise<Whole> {
  const blobs = new Set<BlobHash>();
  let state = emptyState(row);
  let files = NO_FILES;
  for await (const event of readEvents(store, row.tenant, row.session)) {
    if (event.seq > row.last_seq) break;
    state = foldEvent(state, event);
    files = filesAfter(files, event);
    if (!isUnknown(event)) for (const blob of blobReferences(event.data)) blobs.add(blob);
    else for (const blob of blobReferences(event)) blobs.add(blob);
  }
  if (state.seq > 0) return { state, files, blobs };
  throw new HarnessError("usage", `Session ${row.session} has no events.`, "There is nothing to export.");
}

interface PackedFiles {
  readonly workspace: SessionPart["workspace"];
  readonly pack: string | null;
  readonly without: string | null;
}

async function packedFiles(host: Host, row: SessionRow, { state, files }: Whole, to: string): Promise<PackedFiles> {
  const { workspace } = state;
  if (workspace === null || files.tree === null) return { workspace: null, pack: null, without: null };
  if (!workspace.snapshots) return without("the session has too many files for snapshots");
  const { base } = workspace;
  const trees = [...new Set(state.checkpoints.map((checkpoint) => checkpoint.tree))];
  try {
    const packed = await host.transfer.pack({
      directory: row.place.directory,
      trees: [base, files.tree, ...trees],
      commit: files.commit,
      to,
      signal: new AbortController().signal,
    });
    const { facts, commit } = packed;
    const { head, submodules, ignored_but_tracked, sparse, rules } = facts;
    return {
      pack: packed.path,
      without: null,
      workspace: {
        base,
        tree: files.tree,
        exact: files.exact,
        trees,
        commit,
        facts: {
          head,
          submodules: [...submodules],
          ignored_but_tracked: [...ignored_but_tracked],
          sparse: [...sparse],
          rules,
        },
      },
    };
  } catch (error) {
    if (!(error instanceof HarnessError) || error.kind !== "workspace_missing") throw error;
    return without("the session's workspace is not on this machine, or was removed");
  }
}

function without(why: string): PackedFiles {
  return { workspace: null, pack: null, without: why };
}

async function* partsOf(
  store: Store,
  row: SessionRow,
  { blobs }: Whole,
  of: { readonly writer: ArchiveWriter; readonly head: SessionPart; readonly pack: string | null },
): AsyncGenerator<Uint8Array> {
  const { writer, head, pack } = of;
  const named = new Set(blobs);
  yield* writer.part("session", JSON.stringify(head));
  for await (const records of portions(store, row)) {
    for (const { blob } of records) if (blob !== null) named.add(blob);
    yield* writer.part("records", records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  }
  for (const name of named) yield* writer.pieces({ part: "blob", name }, store.streamBlob(row.tenant, name));
  if (pack !== null) yield* writer.pieces({ part: "pack" }, createReadStream(pack, { highWaterMark: PART_BYTES_MAX }));
  yield* writer.end();
}

/** Records that fit into a part together. */
async function* portions(store: Store, row: SessionRow): AsyncGenerator<readonly EventRecord[]> {
  let held: EventRecord[] = [];
  let bytes = 0;
  for await (const { seq, kind, hash, body, blob } of readRecords(store, row)) {
    const record = { seq, kind, hash, body, blob };
    const size = Buffer.byteLength(JSON.stringify(record)) + 1;
    if (bytes + size > PART_BYTES_MAX) {
      yield held;
      held = [];
      bytes = 0;
    }
    held.push(record);
    bytes += size;
  }
  if (held.length > 0) yield held;
}
