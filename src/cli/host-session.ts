/** For commands that do something with one session between its runs: the store, the host and the session, then the work. */
import type { Host } from "../engine/host.ts";
import type { SessionId } from "../kernel/ids.ts";
import type { Face } from "./face.ts";
import { createHost } from "./command-host.ts";
import { chosenSession, withStore } from "./session-choice.ts";

export async function withHost<T>(
  face: Face,
  id: string | undefined,
  work: (host: Host, session: SessionId) => Promise<T>,
): Promise<T> {
  return withStore(face, async (store) => {
    const session = await chosenSession(store, id, face.cwd);
    return work(createHost({ face, store, prompter: null }), session);
  });
}
