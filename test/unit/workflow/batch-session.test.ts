/** A batch is kept as a session is, but is none: what would drive, copy or bring back a session leaves it alone. */
import { join } from "node:path";
import { Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { forkSession } from "../../../src/engine/fork.ts";
import { deliverSession, diffSession, rollbackSession } from "../../../src/engine/operations.ts";
import { resumeSession } from "../../../src/engine/session.ts";
import { ARCHIVE_FORMAT, ARCHIVE_VERSION } from "../../../src/engine/transfer/archive.ts";
import { archiveWriter } from "../../../src/engine/transfer/archive-write.ts";
import { exportSession } from "../../../src/engine/transfer/export.ts";
import { importSession } from "../../../src/engine/transfer/import.ts";
import { textPart } from "../../../src/kernel/content.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { readRecords } from "../../../src/store/journal.ts";
import { type BatchWorld, batchWorld, prompts } from "./batch-world.ts";
import { fakeBatches } from "./fake-batches.ts";

const nowhere = (): Writable => new Writable({ write: (_piece, _encoding, done) => done() });

const REFUSED: { readonly [what: string]: (world: BatchWorld) => Promise<unknown> } = {
  resume: ({ host, session }) => resumeSession(host, { session, message: null, change: null }),
  "resume with a message": ({ host, session }) =>
    resumeSession(host, { session, message: [textPart("And now?", { from: "user" })], change: null }),
  diff: ({ host, session }) => diffSession(host, session),
  merge: ({ host, session }) => deliverSession(host, session, "merge"),
  apply: ({ host, session }) => deliverSession(host, session, "apply"),
  rollback: ({ host, session }) => rollbackSession(host, session, null, "no"),
  fork: ({ host, session }) => forkSession(host, { session, at: null }),
  "export into a file": ({ host, session }) => exportSession(host, session, nowhere()),
};

/** What an export would write, were it not refused. */
async function fileOf({ host, session }: BatchWorld): Promise<Buffer> {
  const row = await host.store.getSession(LOCAL_TENANT, session);
  if (row === null) throw new RangeError("no such batch");
  const { tenant, principal, root, trace } = row;
  const records: string[] = [];
  let hash = "";
  for await (const record of readRecords(host.store, row)) {
    const { seq, kind, body, blob } = record;
    records.push(`${JSON.stringify({ seq, kind, hash: record.hash, body, blob })}\n`);
    hash = record.hash;
  }
  const of = { format: ARCHIVE_FORMAT, version: ARCHIVE_VERSION, belay: host.version };
  const at = { tenant, principal, session, root, trace, seq: row.last_seq, hash };
  const writer = archiveWriter();
  const pieces: Uint8Array[] = [];
  const parts = [
    writer.part("session", JSON.stringify({ ...of, ...at, workspace: null, without_files: null })),
    writer.part("records", records.join("")),
    writer.end(),
  ];
  for (const part of parts) for await (const piece of part) pieces.push(piece);
  return gzipSync(Buffer.concat(pieces));
}

async function* whole(file: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(file);
}

describe("a batch is no session", () => {
  it.each(Object.entries(REFUSED))(
    "%s is refused, names the batch's own command, and writes nothing",
    async (_, act) => {
      const world = await batchWorld(prompts(3));
      const batches = fakeBatches({ polls: 2 });
      await world.drive(batches, { until: "idle" });
      const before = await world.state();
      await expect(act(world)).rejects.toMatchObject({
        kind: "usage",
        todo: expect.stringContaining(`belay batch resume ${world.session}`) as string,
      });
      expect(await world.state()).toEqual(before);
      expect((await world.host.store.listSessions({ tenant: LOCAL_TENANT, limit: 9 })).length).toBe(1);
      expect(await world.drive(batches)).toMatchObject({ ended: true, outcome: "completed" });
    },
  );

  it("a file that holds one is not imported", async () => {
    const world = await batchWorld(prompts(3));
    await world.drive(fakeBatches());
    const file = await fileOf(world);
    const elsewhere = await batchWorld(prompts(1));
    const asked = importSession(elsewhere.host, {
      file: whole(file),
      cwd: elsewhere.home,
      sessions: join(elsewhere.home, "sessions"),
      as_new: false,
      confinement: { sandbox: { mode: "none", network: false }, approval: "allow" },
    });
    await expect(asked).rejects.toMatchObject({
      kind: "archive_invalid",
      happened: expect.stringContaining("batch") as string,
    });
    expect(await elsewhere.host.store.getSession(LOCAL_TENANT, world.session)).toBeNull();
  });
});
