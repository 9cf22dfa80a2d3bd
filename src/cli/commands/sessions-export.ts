/** `belay sessions export`: the journal as it is stored, in a form that anybody can verify. */
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../../kernel/ids.ts";
import { readEvents } from "../../store/journal.ts";
import type { EventRecord, Store } from "../../store/port.ts";
import type { Face } from "../face.ts";
import { chosenSession, withStore } from "../session-choice.ts";

const PAGE_RECORDS = 256;

export async function exportSession(id: string | undefined, face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const session = await chosenSession(store, id, face.cwd);
    const verified = readEvents(store, LOCAL_TENANT, session);
    for await (const record of records(store, session)) {
      // In step with the reader that checks hashes and the chain: what it refuses is not printed.
      const { done } = await verified.next();
      if (done === true || face.out.gone) break;
      face.out.line(await exportLine(store, record));
      await face.out.ready();
    }
    await verified.return(undefined);
    return 0;
  });
}

async function* records(store: Store, session: SessionId): AsyncGenerator<EventRecord> {
  let after_seq = 0;
  for (;;) {
    const page = await store.read({ tenant: LOCAL_TENANT, session, after_seq, limit: PAGE_RECORDS });
    yield* page;
    if (page.length < PAGE_RECORDS) return;
    after_seq = page.at(-1)?.seq ?? after_seq;
  }
}

/** The event's own bytes stand in the line, so that its hash can be computed from them. */
export async function exportLine(store: Store, { seq, hash, blob, body }: EventRecord): Promise<string> {
  const event = blob === null ? body : Buffer.from(await store.getBlob(LOCAL_TENANT, blob)).toString("utf8");
  if (event.includes("\n"))
    throw new HarnessError("store_corrupt", `Event ${seq} is not canonical JSON.`, "Restore the store from a backup.");
  return `{"hash":${JSON.stringify(hash)},"blob":${JSON.stringify(blob)},"event":${event}}`;
}
