/** `belay sessions rm`. */
import { removeSession } from "../../engine/operations.ts";
import type { Face } from "../face.ts";
import { createHost } from "../command-host.ts";
import { chosenSession, withStore } from "../session-choice.ts";

export async function removeSessions(ids: readonly string[], face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const host = createHost({ face, store, prompter: null });
    // All are looked up first: a typing error removes nothing.
    const sessions = await Promise.all(ids.map((id) => chosenSession(store, id, face.cwd)));
    for (const session of sessions) {
      await removeSession(host, session);
      face.out.line(`Removed session ${session}.`);
    }
    return 0;
  });
}
