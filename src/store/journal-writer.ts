/**
 * What one writer of a session knows: the state, what of it is staged, and where the stored events and the snapshot end. Calls
 * are made one after the other; the journal sees to that, and to what ends a writer.
 *
 * J5: what is staged is stored before what is written after it, in one transaction; what could not be stored stays staged.
 */
import type { Draft, Event } from "../kernel/events/index.ts";
import { invariant } from "../kernel/harness-error.ts";
import type { SpanId } from "../kernel/ids.ts";
import { canonicalJson } from "../kernel/json.ts";
import { FOLD_VERSION, type SessionState } from "../kernel/state.ts";
import { bothMoves, NO_MOVES } from "./ledger-moves.ts";
import type { Lease, SessionRow, Store } from "./port.ts";
import type { Redactor } from "./redaction.ts";
import { type SealedDrafts, sealDrafts } from "./seal.ts";
import { summaryOf } from "./summary.ts";

/** A folded snapshot is kept after so many events, when the session is short. */
export const SNAPSHOT_EVERY_EVENTS = 200;
/** A long session's snapshot is as long as the session: the next waits until this share of it has been written anew … */
const SNAPSHOT_GROWTH = 0.5;
/** … but no longer than this: a resume folds no more events than that. */
const SNAPSHOT_EVERY_EVENTS_MAX = 2_000;

export interface JournalWriter {
  state(): SessionState;
  /** The last events that are stored, and that the snapshot holds. */
  position(): { readonly durable: number; readonly snapshot: number };
  stage(lease: Lease, drafts: readonly Draft[]): Promise<void>;
  /** Stores them and what is staged; `all` is both. Nothing to store is nothing done. */
  write(
    lease: Lease,
    drafts: readonly Draft[],
  ): Promise<{ readonly own: readonly Event[]; readonly all: readonly Event[] }>;
  isSnapshotDue(): boolean;
  keepSnapshot(): Promise<void>;
}

export interface WriterParts {
  readonly store: Store;
  readonly redactor: Redactor;
  readonly spans: { span(): SpanId };
}

export function journalWriter(parts: WriterParts, row: SessionRow, loaded: SessionState): JournalWriter {
  const { store, redactor, spans } = parts;
  let state = loaded;
  let staged: readonly SealedDrafts[] = [];
  let durable = loaded.seq;
  let snapshot = loaded.seq;
  let snapshot_chars = 0;
  let chars_since = 0;

  const seal = async ({ epoch }: Lease, drafts: readonly Draft[]): Promise<SealedDrafts> =>
    sealDrafts({ row, state, epoch, at: await store.now(), span: spans.span(), redactor }, drafts);

  return {
    state: () => state,
    position: () => ({ durable, snapshot }),
    stage: async (lease, drafts) => {
      const sealed = await seal(lease, drafts);
      // It may be refused, and then everything after it would be refused with it.
      invariant(sealed.ledger.reserve.length === 0, "invariant J5: a reservation is written at once, never staged");
      staged = [...staged, sealed];
      ({ state } = sealed);
    },
    write: async (lease, drafts) => {
      const sealed = await seal(lease, drafts);
      const pieces = [...staged, sealed];
      const all = pieces.flatMap(({ events }) => events);
      if (all.length === 0) return { own: [], all };
      await redactor.flush();
      for (const spill of pieces.flatMap(({ spills }) => spills)) await store.putBlob(row.tenant, spill);
      const records = pieces.flatMap((piece) => piece.records);
      const blobs = [...new Set(pieces.flatMap((piece) => piece.blobs))];
      const ledger = pieces.map((piece) => piece.ledger).reduce(bothMoves, NO_MOVES);
      const moves = ledger.reserve.length + ledger.settle.length === 0 ? {} : { ledger };
      await store.append({ lease, after_seq: durable, records, blobs, summary: summaryOf(sealed.state), ...moves });
      ({ state } = sealed);
      durable = state.seq;
      chars_since += records.reduce((sum, { body }) => sum + body.length, 0);
      staged = [];
      return { own: sealed.events, all };
    },
    isSnapshotDue: () => {
      const events = durable - snapshot;
      if (events >= SNAPSHOT_EVERY_EVENTS_MAX) return true;
      return events >= SNAPSHOT_EVERY_EVENTS && chars_since >= SNAPSHOT_GROWTH * snapshot_chars;
    },
    keepSnapshot: async () => {
      const { tenant, session, seq } = state;
      if (seq !== durable) return; // it would hold what is not stored
      const text = canonicalJson(state);
      await store.putSnapshot({ tenant, session, seq, fold: FOLD_VERSION, state: text });
      snapshot = seq;
      snapshot_chars = text.length;
      chars_since = 0;
    },
  };
}
