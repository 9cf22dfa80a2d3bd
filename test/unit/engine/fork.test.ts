/** Forks of sessions, over real git, SQLite and files; only the model is scripted. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { forkSession } from "../../../src/engine/fork.ts";
import type { Host } from "../../../src/engine/host.ts";
import { deliverSession, diffSession, removeSession, rollbackSession } from "../../../src/engine/operations.ts";
import { replaySession } from "../../../src/engine/replay/replay.ts";
import { resumeSession } from "../../../src/engine/session.ts";
import { textPart } from "../../../src/kernel/content.ts";
import type { EventKind } from "../../../src/kernel/events/index.ts";
import { LOCAL_TENANT, type SessionId } from "../../../src/kernel/ids.ts";
import { loadSession } from "../../../src/store/journal.ts";
import {
  callTool,
  callTools,
  hang,
  say,
  scriptedModel,
  type ScriptedStep,
} from "../../../src/testing/scripted-model.ts";
import { faultyStore } from "../../../src/testing/faulty-store.ts";
import { manifestOf, userGit } from "../workspace/given.ts";
import { testHost } from "../../support/host.ts";
import { eventsOf, kinds, start, type TestPlace, testPlace } from "../../support/session.ts";

interface Worked {
  readonly host: Host;
  readonly place: TestPlace;
  readonly session: SessionId;
}

async function worked(script: readonly ScriptedStep[]): Promise<Worked> {
  const place = testPlace();
  const host = await testHost({ home: place.home, model: scriptedModel(script) });
  const live = await start(host, place);
  await live.done;
  return { host, place, session: live.session };
}

const twoFiles = [
  callTool("write", { path: "one.txt", content: "one\n" }),
  callTool("write", { path: "two.txt", content: "two\n" }),
  say("Done."),
];

async function seqOf({ host, session }: Worked, kind: EventKind, nth: number): Promise<number> {
  const found = (await eventsOf(host, session)).filter((event) => event.kind === kind)[nth];
  if (found === undefined) throw new Error(`the session has no ${kind} number ${nth}`);
  return found.seq;
}

const go = (host: Host, session: SessionId, message: string | null): ReturnType<typeof resumeSession> =>
  resumeSession(host, {
    session,
    message: message === null ? null : [textPart(message, { from: "user" })],
    change: null,
  });

describe("a fork", () => {
  it("has the parent's events up to one of them under its own name, with a chain of its own and the same state", async () => {
    const given = await worked(twoFiles);
    const { host, session } = given;
    const at = await seqOf(given, "ToolFinished", 0);
    const fork = await forkSession(host, { session, at });
    const parent = await eventsOf(host, session);
    const events = await eventsOf(host, fork.session);
    expect(events.map(({ kind, data, at: time, turn, run }) => ({ kind, data, time, turn, run })).slice(0, at)).toEqual(
      parent.slice(0, at).map(({ kind, data, at: time, turn, run }) => ({ kind, data, time, turn, run })),
    );
    expect(events.at(-1)).toMatchObject({
      kind: "SessionForked",
      session: fork.session,
      root: session,
      parent: { session, call: null },
      data: { from: session, seq: at, hash: parent[at - 1]?.hash },
    });
    expect(events).toHaveLength(at + 1);
    const { state } = await loadSession(host.store, LOCAL_TENANT, fork.session);
    expect(state).toMatchObject({ run: null, turn: 1, processes: [], reserved: null, root: session });
    expect(state.usage.output_tokens).toBeGreaterThan(0);
    expect(await replaySession(host, { session: fork.session })).toMatchObject({ verdict: "equal" });
  });

  it("starts from the files that the parent had at that event, and leaves the parent and the repository alone", async () => {
    const given = await worked(twoFiles);
    const { host, session, place } = given;
    const parentDirectory = join(place.home, "sessions", session);
    const before = { repository: manifestOf(place.repository), parent: manifestOf(parentDirectory) };
    const first = await forkSession(host, { session, at: await seqOf(given, "ToolFinished", 0) });
    const whole = await forkSession(host, { session, at: null });
    expect({ repository: manifestOf(place.repository), parent: manifestOf(parentDirectory) }).toEqual(before);
    expect(first.exact).toBe(true);
    expect(readFileSync(join(first.workspace ?? "", "one.txt"), "utf8")).toBe("one\n");
    expect(existsSync(join(first.workspace ?? "", "two.txt"))).toBe(false);
    expect(readFileSync(join(whole.workspace ?? "", "two.txt"), "utf8")).toBe("two\n");
    expect(userGit(whole.workspace ?? "", "status", "--porcelain")).toBe("");
    expect(userGit(whole.workspace ?? "", "branch", "--show-current").trim()).toBe(`belay/${whole.session}`);
  });

  it("goes on without its parent: resumed, looked at, rolled back, merged", async () => {
    const given = await worked([
      ...twoFiles,
      callTool("write", { path: "three.txt", content: "three\n" }),
      say("Done again."),
    ]);
    const { host, session, place } = given;
    const fork = await forkSession(host, { session, at: await seqOf(given, "ToolFinished", 0) });
    await removeSession(host, session);
    const live = await go(host, fork.session, "another way");
    expect(await live.done).toMatchObject({ outcome: "completed" });
    expect((await eventsOf(host, fork.session)).at(-1)).toMatchObject({ parent: { session }, root: session });
    expect((await diffSession(host, fork.session)).changes.map(({ path }) => path)).toEqual(["one.txt", "three.txt"]);
    const checkpoints = live.state().checkpoints;
    const first = checkpoints[0];
    const back = await rollbackSession(host, fork.session, first?.id ?? null, "look");
    expect(back.changed).toEqual(["one.txt", "three.txt"]);
    await rollbackSession(host, fork.session, checkpoints.at(-1)?.id ?? null, "and back");
    await deliverSession(host, fork.session, "merge");
    expect(readFileSync(join(place.repository, "three.txt"), "utf8")).toBe("three\n");
    expect(await replaySession(host, { session: fork.session })).toMatchObject({ verdict: "equal" });
  });

  it("is refused past the end, before the configuration and where the parent's workspace was removed, with a way on", async () => {
    const given = await worked(twoFiles);
    const { host, session, place } = given;
    const sessions = await host.store.listSessions({ tenant: LOCAL_TENANT, limit: 99 });
    await expect(forkSession(host, { session, at: 9_999 })).rejects.toMatchObject({ kind: "usage" });
    await expect(forkSession(host, { session, at: 1 })).rejects.toMatchObject({ kind: "usage" });
    const { state, row } = await loadSession(host.store, LOCAL_TENANT, session);
    const workspace = await host.workspaces.open({
      mode: "clone",
      source: row.place.source,
      directory: row.place.directory,
      branch: state.workspace?.branch ?? "",
    });
    await workspace.remove();
    await expect(forkSession(host, { session, at: null })).rejects.toMatchObject({ kind: "workspace_missing" });
    const early = await forkSession(host, { session, at: await seqOf(given, "BudgetSettled", 0) });
    expect(early.workspace).toBeNull();
    expect(existsSync(join(place.home, "sessions", early.session))).toBe(true);
    expect((await host.store.listSessions({ tenant: LOCAL_TENANT, limit: 99 })).length).toBe(sessions.length + 1);
  });

  it("from before the parent's task is not driven without one, and nothing is sent", async () => {
    const given = await worked([...twoFiles, say("Hello.")]);
    const { host, session } = given;
    const fork = await forkSession(host, { session, at: 2 });
    await expect(go(host, fork.session, null)).rejects.toMatchObject({ kind: "usage" });
    expect(kinds(await eventsOf(host, fork.session)).at(-1)).toBe("SessionForked");
    expect(await (await go(host, fork.session, "say hello")).done).toMatchObject({ outcome: "completed" });
  });

  it("is there whole or not at all, whichever call of the store fails on the way", async () => {
    const given = await worked(twoFiles);
    const { host, session } = given;
    const all = async (): Promise<readonly number[]> =>
      (await host.store.listSessions({ tenant: LOCAL_TENANT, limit: 99 })).map((row) => row.last_seq);
    let before = await all();
    for (let failAt = 1; ; failAt++) {
      for (const when of ["before", "after"] as const) {
        const store = faultyStore(host.store, { failAt, when });
        const forked = await forkSession({ ...host, store }, { session, at: null }).catch((error: unknown) => {
          expect(error).toMatchObject({ kind: "store_io" });
          return null;
        });
        const now = await all();
        expect(now).not.toContain(0);
        expect(now.length - before.length).toBeLessThanOrEqual(1);
        if (forked !== null) expect(existsSync(forked.workspace ?? "")).toBe(true);
        if (forked === null && when === "before") expect(now).toEqual(before);
        before = now;
        if (!store.struck) return;
      }
    }
  });

  it("of a session that is driven takes nothing of the run along: what was under way is said not to be carried over", async () => {
    const place = testPlace();
    const script = [
      callTools([
        { name: "bash", input: { command: "echo begun > begun.txt; sleep 30" } },
        { name: "write", input: { path: "after.txt", content: "after\n" } },
      ]),
      say("I see."),
      hang(),
    ];
    const host = await testHost({ home: place.home, model: scriptedModel(script) });
    const live = await start(host, place);
    await new Promise<void>((resolve) => {
      live.onEvents((events) => {
        if (events.some((event) => event.kind === "ToolProcessStarted")) resolve();
      });
    });
    const fork = await forkSession(host, { session: live.session, at: null });
    const { state } = await loadSession(host.store, LOCAL_TENANT, fork.session);
    expect(state).toMatchObject({ run: null, processes: [] });
    expect(state.batch.map((call) => [call.status, call.processes.length])).toEqual([
      ["finished", 0],
      ["allowed", 0],
    ]);
    const resumed = await go(host, fork.session, null);
    await resumed.done;
    expect(kinds(await eventsOf(host, fork.session))).not.toContain("RecoveryFinished");
    const root = fork.workspace ?? "";
    expect(existsSync(join(root, "begun.txt"))).toBe(false);
    expect(readFileSync(join(root, "after.txt"), "utf8")).toBe("after\n");
    expect(JSON.stringify(resumed.state().messages)).toContain("not carried over");
    live.cancel("user", "enough");
    await live.done;
  });

  it("keeps the parent's secrets as tokens that still stand for them", async () => {
    const secret = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789";
    const given = await worked([
      callTool("bash", { command: `echo "key=${secret}" > key.env; cat key.env` }),
      say("Done."),
      callTool("bash", { command: "cat key.env" }),
      say("Again."),
    ]);
    const { host, session, place } = given;
    const fork = await forkSession(host, { session, at: null });
    const tokens =
      JSON.stringify(await eventsOf(host, fork.session)).match(/\[secret:[A-Za-z0-9_-]+:[0-9a-f]{8}\]/g) ?? [];
    expect(tokens.length).toBeGreaterThan(0);
    const redactor = await host.redactor(join(place.home, "sessions", fork.session));
    expect(redactor.restore(tokens[0] ?? "")).toBe(secret);
  });
});
