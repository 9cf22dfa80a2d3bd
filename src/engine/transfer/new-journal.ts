/**
 * A journal that is made of another one's events. All of it is stored with its session, in one command: the session exists
 * whole or not at all, and nobody ever sees half a copy.
 *
 * N1: what a record says is what the source said: kinds, data, times. Only whose event it is, and the chain, are new.
 */
import { removeSessionDirectory } from "../../workspace/layout.ts";
import type { Parent } from "../../kernel/envelope.ts";
import type { Draft, Event } from "../../kernel/events/index.ts";
import { foldEvent, versionOf } from "../../kernel/fold.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { BlobHash, SessionId } from "../../kernel/ids.ts";
import { canonicalJson } from "../../kernel/json.ts";
import { FOLD_VERSION, type SessionState } from "../../kernel/state.ts";
import { blobReferences } from "../../store/blob-references.ts";
import { asRead, sealedRecord } from "../../store/event-record.ts";
import { summaryOf } from "../../store/journal.ts";
import type { EventRecord, NewSession } from "../../store/port.ts";
import type { Redactor } from "../../store/redaction.ts";
import { sealDrafts } from "../../store/seal.ts";
import type { Host } from "../host.ts";

/** What of a journal is held in memory while it is copied. Bytes of records. */
export const JOURNAL_BYTES_MAX: number = 512 * 1024 * 1024;

/** Whose the events become. */
export type Identity = Pick<NewSession, "tenant" | "principal" | "session" | "root" | "trace">;

export interface NewJournal {
  readonly records: EventRecord[];
  readonly blobs: Set<BlobHash>;
  /** Bodies that stand in blobs and are not stored yet. */
  readonly spills: Uint8Array[];
  state: SessionState;
  bytes: number;
}

export function newJournal(state: SessionState): NewJournal {
  return { records: [], blobs: new Set(), spills: [], state, bytes: 0 };
}

/** Takes an event over as it is stored. @throws `archive_invalid` when the journal is too large to be copied */
export function addRecord(journal: NewJournal, record: EventRecord, event: Parameters<typeof foldEvent>[1]): void {
  journal.bytes += record.body.length;
  if (journal.bytes > JOURNAL_BYTES_MAX) throw tooLarge(event.session);
  journal.records.push(record);
  for (const blob of blobReferences(event.data)) journal.blobs.add(blob);
  if (record.blob !== null) journal.blobs.add(record.blob);
  journal.state = foldEvent(journal.state, event);
}

/** N1. */
export function addResealed(journal: NewJournal, source: Event, to: Identity, parent: Parent): void {
  const { hash: _sourceHash, ...envelope } = source;
  const { tenant, principal, session, root, trace } = to;
  const unsealed = {
    ...envelope,
    tenant,
    principal,
    session,
    root,
    trace,
    parent,
    version: versionOf(source.kind), // its data was read in today's shape
    prev_hash: journal.state.hash,
  };
  const sealed = sealedRecord(unsealed);
  const { record, spill } = sealed;
  if (spill !== null) journal.spills.push(spill);
  journal.bytes += spill?.byteLength ?? 0;
  addRecord(journal, record, asRead(unsealed, sealed));
}

/** Adds events of this machine's own. */
export async function addDrafts(
  host: Host,
  journal: NewJournal,
  to: Identity,
  redactor: Redactor,
  drafts: readonly Draft[],
): Promise<void> {
  const context = {
    row: to,
    state: journal.state,
    epoch: 1,
    at: await host.store.now(),
    span: host.ids.span(),
    redactor,
  };
  const sealed = sealDrafts(context, drafts);
  journal.records.push(...sealed.records);
  for (const blob of sealed.blobs) journal.blobs.add(blob);
  journal.spills.push(...sealed.spills);
  journal.state = sealed.state;
}

/** Stores the journal as a session. Blobs that it names are there, or among its spills. */
export async function storeJournal(
  host: Host,
  journal: NewJournal,
  to: Identity,
  place: NewSession["place"],
): Promise<void> {
  const { store } = host;
  const { state, records } = journal;
  for (const spill of journal.spills) await store.putBlob(to.tenant, spill);
  const { tenant, session } = to;
  const first = { records, blobs: [...journal.blobs] };
  await store.createSession({ ...to, place, priority: 0, summary: summaryOf(state) }, first);
  try {
    await store.putSnapshot({ tenant, session, seq: state.seq, fold: FOLD_VERSION, state: canonicalJson(state) });
  } catch (error) {
    // A cache: the session is there without it, and its files must not be taken back.
    if (!(error instanceof HarnessError)) throw error;
  }
}

/** Runs `work` with a directory for a session; takes the directory back when that fails. */
export async function withSessionDirectory<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await removeSessionDirectory(directory);
    throw error;
  }
}

function tooLarge(session: SessionId): HarnessError {
  return new HarnessError(
    "archive_invalid",
    `The journal of session ${session} has more than ${JOURNAL_BYTES_MAX} bytes, too many to copy.`,
    "Start a new session from its work.",
  );
}
