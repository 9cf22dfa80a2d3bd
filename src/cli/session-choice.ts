/** Opening the store, and finding the session that a command is about. */
import { join } from "node:path";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_TENANT, parseSessionId, type SessionId } from "../kernel/ids.ts";
import type { Store } from "../store/port.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { networkFileSystem } from "../store/sqlite/network-file-system.ts";
import type { Face } from "./face.ts";
import { systemClock } from "../host/system-clock.ts";

/** Below belay's home. */
const STORE_FILE = "belay.db";

export function storePath(face: Face): string {
  return join(face.environment.home, STORE_FILE);
}

export async function openStore(face: Face): Promise<Store> {
  const path = storePath(face);
  const store = await openSqliteStore({ path, clock: systemClock, random: () => Math.random() });
  const network = await networkFileSystem(path);
  if (network !== null) {
    face.err.line(
      `belay: ${path} is on a network file system (${network}): its locks and syncs are not to be trusted.`,
    );
    face.err.line("       Set BELAY_HOME to a local disk.");
  }
  return store;
}

/** Runs `work` with the store, and closes it however that ends. */
export async function withStore<T>(face: Face, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(face);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** The named session, or the last one of this directory. @throws `usage`, `session_not_found` */
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
  const [last] = await store.listSessions({ tenant: LOCAL_TENANT, directory: cwd, limit: 1 });
  if (last !== undefined) return last.session;
  throw new HarnessError(
    "session_not_found",
    `No session was started in ${cwd}.`,
    "Name one: `belay sessions list` shows those of all directories.",
  );
}
