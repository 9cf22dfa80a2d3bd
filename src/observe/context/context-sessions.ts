/** The contexts of the sessions of a store: their numbers, one after the other, and what is usual among those that ended. */
import { HarnessError } from "../../kernel/harness-error.ts";
import { isUnknown } from "../../kernel/fold.ts";
import { LOCAL_TENANT, type SessionId } from "../../kernel/ids.ts";
import { COMPACTIONS_KEPT_MAX, type SessionState } from "../../kernel/state.ts";
import { loadSession, readEvents } from "../../store/journal.ts";
import type { SessionRow, Store } from "../../store/port.ts";
import { type Baseline, baselineOf, type ContextNumbers, frequencyAlert, numbersOf } from "./context-stats.ts";
import { turnsReading } from "./context-turns.ts";

/** Sessions that are looked at, newest first. */
export const SESSIONS_MAX = 10_000;
/** Sessions whose compactions are usual enough for a baseline, newest first. */
export const BASELINE_SESSIONS_MAX = 200;

export interface SessionContext extends ContextNumbers {
  readonly session: SessionId;
  readonly title: string;
  readonly updated_at: number;
  readonly alert: string | null;
}

export interface StoreContext {
  /** Newest first. */
  readonly sessions: readonly SessionContext[];
  readonly baseline: Baseline;
  readonly damaged: readonly { readonly session: SessionId; readonly message: string }[];
  /** Whether there are sessions beyond `SESSIONS_MAX`. */
  readonly more: boolean;
}

export interface StoreContextRequest {
  /** Only those with an event from here on, in milliseconds since the epoch; null: all. */
  readonly since: number | null;
  /** Also sub-agents. */
  readonly all: boolean;
  /** Called before each session. Default nobody. */
  readonly onProgress?: (done: number, of: number) => void;
}

/** @throws what the store throws but for damaged journals */
export async function contextsOf(store: Store, request: StoreContextRequest): Promise<StoreContext> {
  const found = await store.listSessions({ tenant: LOCAL_TENANT, limit: SESSIONS_MAX + 1 });
  const rows = found
    .slice(0, SESSIONS_MAX)
    .filter((row) => row.summary.turns > 0 && (request.all || row.root === row.session))
    .filter((row) => request.since === null || row.updated_at >= request.since);
  const read: { readonly row: SessionRow; readonly numbers: ContextNumbers }[] = [];
  const damaged: StoreContext["damaged"][number][] = [];
  for (const [i, row] of rows.entries()) {
    request.onProgress?.(i, rows.length);
    const numbers = await numbersIn(store, row);
    if ("message" in numbers) damaged.push({ session: row.session, message: numbers.message });
    else read.push({ row, numbers });
  }
  const rates = read.flatMap(({ row, numbers: { turns_per_compaction: rate } }) =>
    isTelling(row) && rate !== null ? [{ created_at: row.created_at, rate }] : [],
  );
  return {
    sessions: read.map(({ row, numbers }) => ({
      session: row.session,
      title: row.summary.title,
      updated_at: row.updated_at,
      ...numbers,
      // What is usual is what was before it.
      alert: frequencyAlert(
        numbers,
        baselineOf(rates.filter((one) => one.created_at < row.created_at).map(({ rate }) => rate)),
      ),
    })),
    baseline: baselineOf(rates.map(({ rate }) => rate)),
    damaged,
    more: found.length > SESSIONS_MAX,
  };
}

async function numbersIn(store: Store, row: SessionRow): Promise<ContextNumbers | { readonly message: string }> {
  const reading = turnsReading();
  try {
    for await (const event of readEvents(store, row.tenant, row.session)) if (!isUnknown(event)) reading.take(event);
    return numbersOf(reading.value());
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { message: error.message };
  }
}

/**
 * Turns per compaction of the sessions that ended before this one began, from their folded states alone: a session that was
 * compacted more often than a state remembers counts with what it remembers.
 */
export async function earlierRates(store: Store, than: SessionRow): Promise<readonly number[]> {
  const rows = await store.listSessions({ tenant: LOCAL_TENANT, limit: BASELINE_SESSIONS_MAX });
  const rates: number[] = [];
  for (const row of rows) {
    if (row.session === than.session || row.created_at >= than.created_at || !isTelling(row)) continue;
    const rate = await rateIn(store, row);
    if (rate !== null) rates.push(rate);
  }
  return rates;
}

/** A fork begins with what its parent did, and a sub-agent has another kind of work. */
function isTelling({ summary, root, session }: SessionRow): boolean {
  return summary.status === "ended" && summary.turns > 0 && root === session;
}

async function rateIn(store: Store, row: SessionRow): Promise<number | null> {
  try {
    return rateOf((await loadSession(store, row.tenant, row.session)).state);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return null;
  }
}

function rateOf({ compactions, turn }: SessionState): number | null {
  const whole = compactions.filter(({ layer }) => layer === "auto" || layer === "reactive").length;
  if (whole === 0) return null;
  const since = compactions.length < COMPACTIONS_KEPT_MAX ? 0 : (compactions[0]?.turn ?? 0);
  return Math.max(1, turn - since) / whole;
}

function isDamage(error: unknown): error is HarnessError {
  return error instanceof HarnessError && DAMAGE.includes(error.kind);
}

/** Removed meanwhile, or damaged. */
const DAMAGE: readonly HarnessError["kind"][] = ["store_corrupt", "blob_missing", "session_not_found"];
