/** A damaged record among good ones: what stands before it is read, and the damage is named where it is. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { readRecords } from "../../../src/store/journal.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import { newSession, records, SESSION, TENANT } from "../../../src/testing/store-contract/case.ts";

async function readUntilDamage(damage: string): Promise<readonly unknown[]> {
  const directory = mkdtempSync(join(tmpdir(), "belay-damage-"));
  const path = join(directory, "belay.db");
  const store = await openSqliteStore({ path, clock: systemClock });
  onTestFinished(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });
  await store.createSession(newSession(), { records: records(1, 40), blobs: [] });
  const file = new DatabaseSync(path);
  file.exec(damage);
  file.close();
  const row = await store.getSession(TENANT, SESSION);
  if (row === null) throw new TypeError("it was created");
  const read: unknown[] = [];
  try {
    for await (const { seq } of readRecords(store, row)) read.push(seq);
  } catch (error) {
    read.push(error);
  }
  return read;
}

describe("a record that does not match its checksum", () => {
  it.each([1, 32, 40])("is refused itself, after all that stand before it (%i)", async (seq) => {
    const read = await readUntilDamage(`UPDATE records SET body = '{}' WHERE seq = ${seq}`);
    expect(read.slice(0, -1)).toEqual(Array.from({ length: seq - 1 }, (_, i) => i + 1));
    expect(read.at(-1)).toMatchObject({
      kind: "store_corrupt",
      happened: `Event ${seq} of session ${SESSION} does not match its checksum.`,
    });
  });
});
