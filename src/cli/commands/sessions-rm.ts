/** `belay sessions rm`. */
import { removeSession } from "../../engine/operations.ts";
import { LOCAL_TENANT, type SessionId } from "../../kernel/ids.ts";
import type { Store } from "../../store/port.ts";
import { removeSessionDirectory } from "../../workspace/layout.ts";
import { isSystemError } from "../../workspace/rooted.ts";
import type { Face } from "../face.ts";
import { createHost } from "../command-host.ts";
import { chosenSession, withStore } from "../session-choice.ts";

export async function removeSessions(ids: readonly string[], face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const host = createHost({ face, store, prompter: null });
    // All are looked up first: a typing error removes nothing.
    const sessions = await Promise.all(ids.map((id) => chosenSession(store, id, face.cwd)));
    for (const session of sessions) {
      await removeSession(host, session).catch(async (error: unknown) => {
        // A command closed a directory, or a tool made it read-only, as Go does with its modules.
        const place = isSystemError(error, "EACCES", "EPERM") ? await placeOf(store, session) : null;
        if (place === null) throw error;
        await removeSessionDirectory(place);
        await removeSession(host, session);
      });
      face.out.line(`Removed session ${session}.`);
    }
    return 0;
  });
}

async function placeOf(store: Store, session: SessionId): Promise<string | null> {
  return (await store.getSession(LOCAL_TENANT, session))?.place.directory ?? null;
}
