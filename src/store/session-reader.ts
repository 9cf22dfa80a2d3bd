/**
 * Reading a journal back, with proof.
 *
 * R1: the events of a session are yielded in order, from the first asked for to the last that the row knows of, or
 *     `store_corrupt` is thrown: no gap, no reordering, no changed byte, no lost end.
 * R2: a folded snapshot is a cache. One that does not fit (other fold, other chain, damaged) is ignored, never trusted.
 */
import { FIRST_HASH } from "../kernel/envelope.ts";
import type { Event, UnknownEvent } from "../kernel/events/index.ts";
import { emptyState, foldEvent } from "../kernel/fold.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { SessionId, TenantId } from "../kernel/ids.ts";
import { FOLD_VERSION, type SessionState } from "../kernel/state.ts";
import { eventOf } from "./event-record.ts";
import type { EventRecord, SessionRow, Store } from "./port.ts";
import { recordCorrupt, sessionNotFound } from "./refusal.ts";

/** Records of one read: bounds the memory of a long journal. */
const READ_PAGE_RECORDS = 256;

/** The events after `after_seq`, verified. An unknown session has none. */
export async function* readEvents(
  store: Store,
  tenant: TenantId,
  session: SessionId,
  after_seq = 0,
): AsyncGenerator<Event | UnknownEvent> {
  const row = await store.getSession(tenant, session);
  if (row) yield* readFrom(store, row, { seq: after_seq, hash: await hashAt(store, row, after_seq) });
}

/** The row, and the state folded from a snapshot and the events after it. @throws HarnessError `session_not_found` */
export async function loadSession(
  store: Store,
  tenant: TenantId,
  session: SessionId,
): Promise<{ readonly row: SessionRow; readonly state: SessionState }> {
  const row = await store.getSession(tenant, session);
  if (!row) throw sessionNotFound(session);
  let state = (await snapshotOf(store, row)) ?? emptyState(row);
  for await (const event of readFrom(store, row, state)) state = foldEvent(state, event);
  return { row, state };
}

/** Where a reader stands: the last event it knows, and that event's hash. */
interface Position {
  readonly seq: number;
  readonly hash: string;
}

async function* readFrom(store: Store, row: SessionRow, start: Position): AsyncGenerator<Event | UnknownEvent> {
  const { session } = row;
  let at = start;
  for await (const record of recordsAfter(store, row, at.seq)) {
    if (record.seq !== at.seq + 1) throw recordCorrupt(session, at.seq + 1, "is missing");
    const event = await eventOf(store, row, record);
    if (event.prev_hash !== at.hash) throw recordCorrupt(session, record.seq, "does not follow the event before it");
    at = { seq: record.seq, hash: record.hash };
    yield event;
  }
  // The row was read first, so that a writer at work can only have added to what it says.
  if (at.seq < row.last_seq) throw recordCorrupt(session, at.seq + 1, "is missing");
}

/** As they are stored, up to the last one that the row knows of. Whether they follow from one another is not looked at. */
export async function* readRecords(store: Store, row: SessionRow): AsyncGenerator<EventRecord> {
  for await (const record of recordsAfter(store, row, 0)) {
    if (record.seq > row.last_seq) return;
    yield record;
  }
}

async function* recordsAfter(
  store: Store,
  { tenant, session }: Pick<SessionRow, "tenant" | "session">,
  start: number,
): AsyncGenerator<EventRecord> {
  let after_seq = start;
  for (let limit = READ_PAGE_RECORDS; ;) {
    const page = await store.read({ tenant, session, after_seq, limit }).catch((error: unknown) => {
      // One damaged record refuses its whole page: those before it are read one by one.
      if (!isCorrupt(error) || limit === 1) throw error;
      limit = 1;
      return null;
    });
    if (page === null) continue;
    yield* page;
    if (page.length < limit) return;
    after_seq = page.at(-1)?.seq ?? after_seq;
  }
}

function isCorrupt(error: unknown): boolean {
  return error instanceof HarnessError && error.kind === "store_corrupt";
}

/** The hash of the event at `seq`, where the chain goes on. */
async function hashAt(store: Store, row: SessionRow, seq: number): Promise<string> {
  if (seq === 0) return FIRST_HASH;
  const [record] = await store.read({ tenant: row.tenant, session: row.session, after_seq: seq - 1, limit: 1 });
  if (record?.seq === seq) return record.hash;
  if (seq > row.last_seq) return FIRST_HASH; // past the end: there is nothing to follow it
  throw recordCorrupt(row.session, seq, "is missing");
}

async function snapshotOf(store: Store, row: SessionRow): Promise<SessionState | null> {
  const snapshot = await store.getSnapshot(row.tenant, row.session);
  if (!snapshot || snapshot.fold !== FOLD_VERSION || snapshot.seq > row.last_seq) return null;
  const state = parsedState(snapshot.state);
  if (state?.fold !== FOLD_VERSION || state.seq !== snapshot.seq || state.session !== row.session) return null;
  return state.hash === (await hashAt(store, row, state.seq)) ? state : null;
}

function parsedState(text: string): SessionState | null {
  try {
    return JSON.parse(text) as SessionState; // written by the journal from a SessionState of the same fold
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
