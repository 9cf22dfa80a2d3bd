/**
 * The journals of many sessions, read for what they say about permissions: newest first, one after the other, within limits that
 * the result names.
 *
 * O1: only sessions that were written to since then, and of them only the events that tell.
 * O2: a damaged session keeps nobody from the others, and is counted.
 */
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT } from "../../kernel/ids.ts";
import { Tally, type Tallied } from "../../policy/audit/tally.ts";
import { eventOf } from "../../store/event-record.ts";
import { readRecords } from "../../store/journal.ts";
import type { SessionRow, Store } from "../../store/port.ts";
import { SessionProjection } from "./session-record.ts";

/** Rows that are looked at, newest first. */
export const ROWS_MAX = 100_000;
/** Journals that are read. */
export const SESSIONS_READ_MAX = 5_000;
/** Events that are looked at in all of them together, and in one. */
export const EVENTS_MAX = 3_000_000;
export const SESSION_EVENTS_MAX = 200_000;

export interface JournalQuery {
  /** The project's own directory. */
  readonly directory: string;
  readonly all_projects: boolean;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Called before each session. Default nobody. */
  readonly onProgress?: (done: number, of: number) => void;
}

export interface JournalFacts {
  readonly here: Tallied;
  /** Null where only this project was asked for. */
  readonly everywhere: Tallied | null;
  /** Sessions that could not be read. */
  readonly damaged: readonly string[];
  /** Sessions of that time that a limit left out, or left a part of. */
  readonly left_out: number;
}

/** @throws what the store throws but for damaged journals */
export async function readJournals(store: Store, query: JournalQuery): Promise<JournalFacts> {
  const { directory, all_projects, since } = query;
  const rows = await rowsSince(store, all_projects ? null : directory, since);
  const [here, everywhere] = [new Tally(), all_projects ? new Tally() : null];
  const damaged: string[] = [];
  let events_left = EVENTS_MAX;
  let left_out = Math.max(0, rows.length - SESSIONS_READ_MAX);
  for (const [i, row] of rows.slice(0, SESSIONS_READ_MAX).entries()) {
    query.onProgress?.(i, Math.min(rows.length, SESSIONS_READ_MAX));
    if (events_left <= 0) {
      left_out++;
      continue;
    }
    const projection = new SessionProjection(since);
    const read = await unlessDamaged(() =>
      projected(store, row, projection, Math.min(events_left, SESSION_EVENTS_MAX)),
    );
    if (read === null) {
      damaged.push(row.session);
      continue;
    }
    events_left -= read.events;
    if (!read.whole) left_out++;
    const record = projection.result(row.session, isOf(row, directory));
    everywhere?.add(record);
    if (record.here) here.add(record);
  }
  return { here: here.result(), everywhere: everywhere?.result() ?? null, damaged, left_out };
}

/** Newest first. @param directory null for all */
export async function rowsSince(store: Store, directory: string | null, since: number): Promise<readonly SessionRow[]> {
  const filter = { tenant: LOCAL_TENANT, limit: ROWS_MAX };
  const rows = await store.listSessions(directory === null ? filter : { ...filter, directory });
  return rows.filter(({ updated_at, last_seq }) => updated_at >= since && last_seq > 0);
}

function isOf({ place }: SessionRow, directory: string): boolean {
  return place.source === directory || place.cwd === directory;
}

async function projected(
  store: Store,
  row: SessionRow,
  projection: SessionProjection,
  events_max: number,
): Promise<{ readonly events: number; readonly whole: boolean }> {
  let events = 0;
  for await (const record of readRecords(store, row)) {
    if (events >= events_max) return { events, whole: false };
    events++;
    if (projection.needs(record.kind)) projection.add(await eventOf(store, row, record));
  }
  return { events, whole: true };
}

/** Null for a session that cannot be read, or is gone meanwhile. */
export async function unlessDamaged<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    const kinds: readonly string[] = ["store_corrupt", "blob_missing", "session_not_found"];
    if (error instanceof HarnessError && kinds.includes(error.kind)) return null;
    throw error;
  }
}
