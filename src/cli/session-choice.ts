/** Opening the store, and finding the session that a command is about. */
import { BATCH_TITLE } from "../kernel/batch-state.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_TENANT, parseSessionId, type SessionId } from "../kernel/ids.ts";
import { loadSession } from "../store/journal.ts";
import type { SessionRow, Store } from "../store/port.ts";
import type { Face } from "./face.ts";
import { openStore } from "./open-store.ts";

/** Runs `work` with the store, and closes it however that ends. */
export async function withStore<T>(face: Face, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(face);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Sessions of a directory among which the last one that is no batch and no sub-agent is looked for. */
const LOOKED_AT_MAX = 1_000;

/** The named session or batch, or the last session of this directory: a batch or a sub-agent is meant only by its name. @throws `usage`, `session_not_found` */
export async function chosenSession(store: Store, named: string | undefined, cwd: string): Promise<SessionId> {
  if (named !== undefined) {
    const session = parseSessionId(named);
    if ((await store.getSession(LOCAL_TENANT, session)) === null) {
      throw new HarnessError(
        "session_not_found",
        `There is no session ${session}.`,
        "List the sessions with `belay sessions list`.",
      );
    }
    return session;
  }
  const last = await lastSession(store, cwd);
  if (last !== null) return last;
  throw new HarnessError(
    "session_not_found",
    `No session was started in ${cwd}.`,
    "Name one: `belay sessions list` shows those of all directories.",
  );
}

async function lastSession(store: Store, directory: string): Promise<SessionId | null> {
  for (const limit of [1, LOOKED_AT_MAX]) {
    for (const row of await store.listSessions({ tenant: LOCAL_TENANT, directory, limit }))
      if (row.summary.agent === undefined && !(await isBatch(store, row))) return row.session;
  }
  return null;
}

async function isBatch(store: Store, { session, summary }: SessionRow): Promise<boolean> {
  if (!summary.title.startsWith(BATCH_TITLE)) return false;
  return (await loadSession(store, LOCAL_TENANT, session)).state.jobs !== null;
}
