/** What waits for a person over all sessions of the store, and finding one of it by what somebody typed. */
import { waitingCalls, type WaitingCall } from "../engine/ask.ts";
import { withMemoryTexts } from "../engine/memory/texts.ts";
import { isOwnerAlive } from "../host/lease-owner.ts";
import type { ErrorKind } from "../kernel/error-kind.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_TENANT, parseSessionId } from "../kernel/ids.ts";
import type { SessionState } from "../kernel/state.ts";
import { loadSession } from "../store/journal.ts";
import type { SessionRow, Store } from "../store/port.ts";

/** Sessions that are looked at, newest first. */
const SESSIONS_MAX = 100_000;
/** Of them those that are folded. */
const WAITING_SESSIONS_MAX = 1_000;
/** Calls that an error names. */
const NAMED_MAX = 5;

export interface WaitingSession {
  readonly row: SessionRow;
  readonly state: SessionState;
  readonly calls: readonly WaitingCall[];
}

/**
 * Newest first. Only sessions whose last run ended because of it are folded, and those whose run was cut off: the row says so.
 * A question that somebody is being asked at a terminal is answered there.
 * @param onUnreadable told of a session that is damaged: it keeps nobody from the others
 */
export async function waitingSessions(
  store: Store,
  onUnreadable: (error: HarnessError) => void,
): Promise<readonly WaitingSession[]> {
  const rows = await store.listSessions({ tenant: LOCAL_TENANT, limit: SESSIONS_MAX });
  const found: WaitingSession[] = [];
  for (const row of rows.filter(mayWait).slice(0, WAITING_SESSIONS_MAX)) {
    try {
      const { state } = await loadSession(store, LOCAL_TENANT, row.session);
      // What is approved is shown whole: the journal has only the reference of what is to be remembered.
      const calls = await Promise.all(
        waitingCalls(state).map(async (call) => ({ ...call, part: await withMemoryTexts(call.part, store, row) })),
      );
      if (calls.length > 0) found.push({ row, state, calls });
    } catch (error) {
      if (!(error instanceof HarnessError) || !OF_ONE_SESSION.includes(error.kind)) throw error;
      onUnreadable(error);
    }
  }
  return found;
}

/** What says nothing about other sessions; `session_not_found`: it was removed meanwhile. */
const OF_ONE_SESSION: readonly ErrorKind[] = ["store_corrupt", "blob_missing", "session_not_found"];

function mayWait({ owner, summary }: SessionRow): boolean {
  if (owner !== null && isOwnerAlive(owner) !== false) return false;
  return summary.outcome === "needs_approval" || summary.status === "running";
}

/**
 * @param named the id of a call or the beginning of one, or of a session in which one call waits
 * @throws HarnessError `usage` when nothing or more than one thing fits, `session_not_found`
 */
export async function waitingCall(
  store: Store,
  named: string,
): Promise<{ readonly session: WaitingSession; readonly call: WaitingCall }> {
  const all = await waitingSessions(store, () => undefined); // of a damaged one nothing can be answered
  const pairs = all.flatMap((session) => session.calls.map((call) => ({ session, call })));
  const exact = pairs.filter(({ call }) => call.call === named);
  const fits = exact.length > 0 ? exact : pairs.filter(({ call }) => isOf(call, named));
  const [first] = fits;
  if (first === undefined) throw await nothingWaits(store, named);
  if (fits.length === 1) return first;
  const ids = fits.slice(0, NAMED_MAX).map(({ call }) => call.call);
  throw new HarnessError(
    "usage",
    `${fits.length} calls that wait fit ${quoted(named)}: ${ids.join(", ")}${fits.length > ids.length ? ", …" : ""}.`,
    "Name one of them.",
  );
}

function isOf({ call, session }: WaitingCall, named: string): boolean {
  return session === named || (named !== "" && call.startsWith(named));
}

async function nothingWaits(store: Store, named: string): Promise<HarnessError> {
  if (!named.startsWith("ses_"))
    return new HarnessError(
      "usage",
      `No call that waits begins with ${quoted(named)}: it was answered, its run went on, or there never was one.`,
      "`belay approvals` lists what waits.",
    );
  const session = parseSessionId(named);
  const row = await store.getSession(LOCAL_TENANT, session);
  if (row === null)
    return new HarnessError(
      "session_not_found",
      `There is no session ${session}.`,
      "`belay approvals` lists what waits, with its session.",
    );
  const driven = row.owner !== null && isOwnerAlive(row.owner) !== false;
  return new HarnessError(
    driven ? "lease_held" : "usage",
    driven
      ? `Session ${session} is at work (process ${row.owner.pid}): what it asks is answered where it runs.`
      : `Nothing of session ${session} waits for an answer.`,
    "`belay approvals` lists what waits.",
  );
}

function quoted(named: string): string {
  return JSON.stringify(named.slice(0, 80));
}
