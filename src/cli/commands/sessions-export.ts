/** `belay sessions export`: the journal as it is stored, in a form that anybody can verify; or all of the session in a file. */
import { open, rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../../kernel/ids.ts";
import { readEvents } from "../../store/journal.ts";
import type { EventRecord, Store } from "../../store/port.ts";
import type { Face } from "../face.ts";
import { chosenSession, withStore } from "../session-choice.ts";
import { plural } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";

const PAGE_RECORDS = 256;

export interface ExportOptions {
  readonly output?: string;
}

export async function exportOne(id: string | undefined, { output }: ExportOptions, face: Face): Promise<number> {
  return output === undefined ? printJournal(id, face) : writeSession(id, output, face);
}

/** A file is there whole or not at all: it is written beside and renamed. Only its owner may read it. */
async function writeSession(id: string | undefined, output: string, face: Face): Promise<number> {
  const { withHost } = await import("../host-session.ts");
  const { exportSession } = await import("../../engine/transfer/export.ts");
  if (output === "-" && face.out.isTerminal)
    throw new HarnessError("usage", "A session's file is not for a terminal.", "Name a file with -o, or pipe it on.");
  return withHost(face, id, async (host, session) => {
    const path = resolve(face.cwd, output);
    const partial = `${path}.partial`;
    const to = output === "-" ? face.out.sink() : await openNew(partial, output);
    try {
      const { events, without_files, exact } = await exportSession(host, session, to);
      if (output !== "-") await rename(partial, path);
      const where = output === "-" ? "" : ` into ${safeLine(output)}`;
      face.err.line(`Exported session ${session} with ${plural(events, "event")}${where}.`);
      if (without_files !== null) face.err.line(`Its files are not in it: ${without_files}.`);
      if (!exact)
        face.err.line("The last changes were not in a snapshot yet and are not in it: export it again when it ended.");
      return 0;
    } catch (error) {
      if (face.out.gone && output === "-") return 0;
      if (output !== "-") await rm(partial, { force: true });
      throw error;
    }
  });
}

async function openNew(partial: string, output: string): Promise<Writable> {
  try {
    return (await open(partial, "w", 0o600)).createWriteStream();
  } catch (cause) {
    const happened = `${output} cannot be written.`;
    throw new HarnessError("usage", happened, "Name a file in a directory that is there.", { cause });
  }
}

async function printJournal(id: string | undefined, face: Face): Promise<number> {
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
