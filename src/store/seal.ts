/** From drafts to sealed records: redaction, envelope, chain and fold. Pure but for the vault's new tokens. */
import { EVENTS, type Draft, type Event } from "../kernel/events/index.ts";
import { foldEvent, versionOf } from "../kernel/fold.ts";
import type { BlobHash, RunId, SpanId } from "../kernel/ids.ts";
import type { SessionState } from "../kernel/state.ts";
import { blobReferences } from "./blob-references.ts";
import { asRead, sealedRecord, type Unsealed } from "./event-record.ts";
import { bothMoves, ledgerMoves, NO_MOVES } from "./ledger-moves.ts";
import type { LedgerMoves } from "./ledger.ts";
import type { EventRecord, SessionRow } from "./port.ts";
import { redactPayload } from "./redacted-payload.ts";
import type { Redactor } from "./redaction.ts";

export interface SealContext {
  readonly row: Pick<SessionRow, "tenant" | "principal" | "session" | "root" | "trace">;
  /** The state before the drafts. */
  readonly state: SessionState;
  readonly epoch: number;
  /** The store's time. */
  readonly at: number;
  readonly span: SpanId;
  readonly redactor: Redactor;
}

export interface SealedDrafts {
  readonly events: readonly Event[];
  readonly records: readonly EventRecord[];
  /** Bodies that stand in blobs: stored before the records. */
  readonly spills: readonly Uint8Array[];
  readonly blobs: readonly BlobHash[];
  readonly ledger: LedgerMoves;
  /** The state after them. */
  readonly state: SessionState;
}

/** @throws HarnessError `internal` when a payload does not fit its schema */
export function sealDrafts(context: SealContext, drafts: readonly Draft[]): SealedDrafts {
  const events: Event[] = [];
  const records: EventRecord[] = [];
  const spills: Uint8Array[] = [];
  const blobs = new Set<BlobHash>();
  let ledger = NO_MOVES;
  let { state } = context;
  for (const draft of drafts) {
    const unsealed = envelop(context, state, draft);
    const sealed = sealedRecord(unsealed);
    const { record, spill } = sealed;
    const event = asRead(unsealed, sealed);
    ledger = bothMoves(ledger, ledgerMoves(state, event));
    state = foldEvent(state, event);
    events.push(event);
    records.push(record);
    for (const hash of blobReferences(event.data)) blobs.add(hash);
    if (record.blob !== null) blobs.add(record.blob);
    if (spill) spills.push(spill);
  }
  return { events, records, spills, blobs: [...blobs], ledger, state };
}

function envelop(context: SealContext, state: SessionState, draft: Draft): Unsealed {
  const { row, epoch, span, redactor } = context;
  const redacted = redactPayload(EVENTS[draft.kind].schema(), draft.data, redactor);
  return {
    tenant: row.tenant,
    principal: row.principal,
    session: row.session,
    root: row.root,
    parent: state.parent,
    run: runOf(state, draft),
    turn: draft.turn ?? state.turn,
    phase: state.phase,
    seq: state.seq + 1,
    epoch,
    kind: draft.kind,
    version: versionOf(draft.kind),
    at: Math.max(context.at, state.at), // a clock that goes back must not make an effect older than its cause
    causation: draft.causation ?? null,
    actor: draft.actor ?? "belay",
    trace: row.trace,
    span,
    redactions: redacted.count,
    prev_hash: state.hash,
    data: redacted.value,
  };
}

function runOf(state: SessionState, draft: Draft): RunId | null {
  return draft.kind === "RunStarted" ? draft.data.run : (state.run?.id ?? null);
}
