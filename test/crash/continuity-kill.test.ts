/** What becomes of `.belay/CONTINUITY.md` when belay is killed: the next run makes it that of the journal again. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { renderContinuity } from "../../src/context/continuity.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { loadSession } from "../../src/store/journal.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { NOTE_MARK } from "../../src/workspace/own-note.ts";
import { systemClock } from "../support/host.ts";
import { startSessionChild } from "../support/session-child.ts";
import { SANDBOX, testPlace } from "../support/session.ts";

it("killed in the middle of a command, with the file torn as well: the resumed session has it right, and takes it for no change", async () => {
  const place = testPlace();
  const turns = [
    { call: [{ tool: "write", input: { path: "a.txt", content: "a\n" } }] },
    { call: [{ tool: "bash", input: { command: "sleep 0.3; echo b > b.txt" } }] },
    { say: "Done." },
  ];
  const emulator = await startEmulator({ scenario: { turns } });
  onTestFinished(() => emulator.close());
  const order = { ...place, task: "work", url: emulator.url, sandbox: SANDBOX };
  const first = startSessionChild(order);
  await first.until("point released");
  first.child.kill("SIGKILL");
  await first.ended;

  const store = await openSqliteStore({ path: join(place.home, "belay.db"), clock: systemClock });
  onTestFinished(() => store.close());
  const [row] = await store.listSessions({ tenant: LOCAL_TENANT, limit: 1 });
  if (row === undefined) throw new Error("there is no session");
  const note = join(row.place.directory, "tree/.belay/CONTINUITY.md");
  expect(readFileSync(note, "utf8")).toContain("a.txt (turn 1)");
  writeFileSync(note, NOTE_MARK);

  const { report, stderr } = await startSessionChild(order).ended;
  expect(stderr).toBe("");
  expect(report?.outcome).toBe("completed");
  const { state } = await loadSession(store, LOCAL_TENANT, row.session);
  expect(readFileSync(note, "utf8")).toBe(`${NOTE_MARK}\n${renderContinuity(state)}`);
  // A confined command was undone and ran again: nothing of belay's own stood against that.
  const results = JSON.stringify(state.messages);
  if (SANDBOX === "bwrap") expect(results).not.toContain("outcome unknown");
});
