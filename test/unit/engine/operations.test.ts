/** What people do with sessions between runs, over real git and SQLite. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Host } from "../../../src/engine/host.ts";
import {
  deliverSession,
  diffSession,
  pruneWorkspaces,
  removeSession,
  rollbackSession,
} from "../../../src/engine/operations.ts";
import { resumeSession } from "../../../src/engine/session.ts";
import { LOCAL_TENANT, type SessionId } from "../../../src/kernel/ids.ts";
import { loadSession } from "../../../src/store/journal.ts";
import { callTool, say, scriptedModel } from "../../../src/testing/scripted-model.ts";
import { testHost } from "../../support/host.ts";
import { eventsOf, kinds, start, type TestPlace, testPlace } from "../../support/session.ts";

const DAY_MS = 24 * 3_600_000;

interface Worked {
  readonly host: Host;
  readonly place: TestPlace;
  readonly session: SessionId;
  readonly root: string;
}

/** A session that wrote a file. */
async function worked(): Promise<Worked> {
  const place = testPlace();
  const model = scriptedModel([
    callTool("write", { path: "work.txt", content: "work\n" }),
    say("Done."),
    say("Again."),
  ]);
  const host = await testHost({ home: place.home, model });
  const live = await start(host, place);
  const report = await live.done;
  expect(report.outcome).toBe("completed");
  return { host, place, session: live.session, root: report.workspace ?? "" };
}

const prune = (
  host: Host,
  more: { readonly force?: boolean; readonly dry_run?: boolean; readonly idle_ms?: number } = {},
): ReturnType<typeof pruneWorkspaces> =>
  pruneWorkspaces(host, { idle_ms: -DAY_MS, force: false, dry_run: false, ...more });

describe("rollback", () => {
  it("sets the files back, keeps what was there, and tells the model why", async () => {
    const { host, session, root } = await worked();
    writeFileSync(join(root, "by-hand.txt"), "also gone\n");
    // The newest checkpoint that differs from what is there: first the end of the work, then its start.
    const first = await rollbackSession(host, session, null, "only mine");
    expect(first).toMatchObject({ changed: ["by-hand.txt"], checkpoint: { label: "task done" } });
    // What was set back became a checkpoint: nothing is out of reach.
    const kept = (await loadSession(host.store, LOCAL_TENANT, session)).state.checkpoints.at(-1);
    expect(kept?.label).toBe("before rollback");
    await rollbackSession(host, session, kept?.id ?? null, "I want it back");
    expect(readFileSync(join(root, "by-hand.txt"), "utf8")).toBe("also gone\n");
    await rollbackSession(host, session, null, "no, away with it");
    const { from, changed, checkpoint } = await rollbackSession(host, session, null, "not like that");
    expect(changed).toEqual(["work.txt"]);
    expect(existsSync(join(root, "work.txt"))).toBe(false);
    expect(checkpoint.label).toBe("start");
    const events = await eventsOf(host, session);
    expect(events.at(-1)).toMatchObject({ kind: "RolledBack", actor: "user", data: { reason: "not like that", from } });
    const live = await resumeSession(host, { session, message: null, change: null });
    await live.done;
    expect(JSON.stringify(live.state().messages)).toContain("not like that");
  });

  it("refuses a checkpoint that the session does not have, and changes nothing", async () => {
    const { host, session, root } = await worked();
    const before = kinds(await eventsOf(host, session));
    await expect(rollbackSession(host, session, "chk_nothing" as never, "x")).rejects.toMatchObject({ kind: "usage" });
    expect(readFileSync(join(root, "work.txt"), "utf8")).toBe("work\n");
    expect(kinds(await eventsOf(host, session))).toEqual(before);
  });
});

describe("the difference", () => {
  it("of a session that used no tool is nothing, and no error", async () => {
    const place = testPlace();
    const host = await testHost({ home: place.home, model: scriptedModel([say("Nothing to do.")]) });
    const live = await start(host, place);
    await live.done;
    expect(await diffSession(host, live.session)).toEqual({ base: null, tree: null, changes: [], patch: "" });
  });
});

describe("clean-up", () => {
  it("keeps a workspace whose work was not brought back, removes it when it was, and keeps the journal", async () => {
    const { host, session, root, place } = await worked();
    expect(await prune(host)).toEqual([{ session, what: "kept" }]);
    expect(existsSync(root)).toBe(true);
    await deliverSession(host, session, "apply");
    expect(readFileSync(join(place.repository, "work.txt"), "utf8")).toBe("work\n");
    expect(await prune(host, { dry_run: true })).toEqual([{ session, what: "removed" }]);
    expect(existsSync(root)).toBe(true);
    expect(await prune(host)).toEqual([{ session, what: "removed" }]);
    expect(existsSync(root)).toBe(false);
    expect(kinds(await eventsOf(host, session)).at(-1)).toBe("WorkspaceRemoved");
    await expect(diffSession(host, session)).rejects.toMatchObject({ kind: "workspace_missing" });
  });

  it("leaves young sessions alone, and with --force removes also what was not brought back", async () => {
    const { host, session, root } = await worked();
    expect(await prune(host, { idle_ms: DAY_MS, force: true })).toEqual([]);
    expect(await prune(host, { force: true })).toEqual([{ session, what: "removed" }]);
    expect(existsSync(root)).toBe(false);
  });

  it("of one session removes everything it has: journal, workspace, secrets, blobs", async () => {
    const { host, session, root, place } = await worked();
    await removeSession(host, session);
    expect(await host.store.getSession(LOCAL_TENANT, session)).toBeNull();
    expect(existsSync(root)).toBe(false);
    expect(existsSync(join(place.home, "sessions", session))).toBe(false);
    expect(existsSync(join(place.repository, "log.txt"))).toBe(true);
  });
});
