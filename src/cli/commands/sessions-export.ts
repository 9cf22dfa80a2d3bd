/** `belay sessions export`: the journal as it is stored, in a form that anybody can verify; or all of the session in a file. */
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import type { Exported } from "../../engine/transfer/export.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT } from "../../kernel/ids.ts";
import { readEvents, readRecords } from "../../store/journal.ts";
import type { EventRecord, Store } from "../../store/port.ts";
import type { Face } from "../face.ts";
import { notToTheByte } from "../log-note.ts";
import { chosenSession, withStore } from "../session-choice.ts";
import { plural } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";

export interface ExportOptions {
  readonly output?: string;
}

export async function exportOne(id: string | undefined, { output }: ExportOptions, face: Face): Promise<number> {
  return output === undefined ? printJournal(id, face) : writeSession(id, output, face);
}

async function writeSession(id: string | undefined, output: string, face: Face): Promise<number> {
  const { withHost } = await import("../host-session.ts");
  const { exportSession } = await import("../../engine/transfer/export.ts");
  const { writeWhole } = await import("../whole-file.ts");
  if (output === "") throw new HarnessError("usage", "The name of the file is empty.", "Name a file with -o.");
  if (output === "-" && face.out.isTerminal)
    throw new HarnessError("usage", "A session's file is not for a terminal.", "Name a file with -o, or pipe it on.");
  return withHost(face, id, async (host, session) => {
    const to = (sink: Writable): Promise<Exported> => exportSession(host, session, sink);
    try {
      const exported = await (output === "-"
        ? to(face.out.sink())
        : writeWhole(resolve(face.cwd, output), safeLine(output), to));
      told(exported, output, face);
    } catch (error) {
      if (!(face.out.gone && output === "-")) throw error;
    }
    return 0;
  });
}

function told({ session, events, without_files, exact }: Exported, output: string, { err }: Face): void {
  const where = output === "-" ? "" : ` into ${safeLine(output)}`;
  err.line(`Exported session ${session} with ${plural(events, "event")}${where}.`);
  if (without_files !== null) err.line(`Its files are not in it: ${without_files}.`);
  if (!exact) err.line("The last changes were not in a snapshot yet and are not in it: export it again when it ended.");
}

async function printJournal(id: string | undefined, face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const session = await chosenSession(store, id, face.cwd);
    const row = await store.getSession(LOCAL_TENANT, session);
    if (row === null) return 0; // removed in the meantime
    const verified = readEvents(store, LOCAL_TENANT, session);
    let changed = false;
    for await (const record of readRecords(store, row)) {
      // In step with the reader that checks hashes and the chain: what it refuses is not printed.
      const { done } = await verified.next();
      if (done === true || face.out.gone) break;
      changed = face.out.json(await exportLine(store, record)) || changed;
      await face.out.ready();
    }
    // Whether the end is there is known when the reader is asked for what would follow it.
    if (!face.out.gone) await verified.next();
    await verified.return(undefined);
    if (changed)
      face.err.line(`${notToTheByte(face)} \`belay sessions export ${session} > FILE\` writes the journal as it is.`);
    return 0;
  });
}

/** The event's own bytes stand in the line, so that its hash can be computed from them. */
export async function exportLine(store: Store, { seq, hash, blob, body }: EventRecord): Promise<string> {
  const event = blob === null ? body : Buffer.from(await store.getBlob(LOCAL_TENANT, blob)).toString("utf8");
  if (event.includes("\n"))
    throw new HarnessError("store_corrupt", `Event ${seq} is not canonical JSON.`, "Restore the store from a backup.");
  return `{"hash":${JSON.stringify(hash)},"blob":${JSON.stringify(blob)},"event":${event}}`;
}
