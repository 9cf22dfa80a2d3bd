/** Opening the store, and finding the session that a command is about. */
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_TENANT, parseSessionId, type SessionId } from "../kernel/ids.ts";
import type { Store } from "../store/port.ts";
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
