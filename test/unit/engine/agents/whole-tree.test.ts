/** A tree of sessions as a whole: what is left of it, however it ended, and that nothing in it passes what binds it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { answerApproval } from "../../../../src/engine/approve.ts";
import { waitingCalls } from "../../../../src/engine/ask.ts";
import type { Host } from "../../../../src/engine/host.ts";
import { deliverSession, pruneWorkspaces } from "../../../../src/engine/operations.ts";
import { resumeSession } from "../../../../src/engine/session.ts";
import type { SessionConfig } from "../../../../src/kernel/config.ts";
import { textPart } from "../../../../src/kernel/content.ts";
import type { EventKind } from "../../../../src/kernel/events/index.ts";
import { HarnessError } from "../../../../src/kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../../../../src/kernel/ids.ts";
import { NO_RULES } from "../../../../src/kernel/permissions.ts";
import type { Store } from "../../../../src/store/port.ts";
import { openSqliteStore } from "../../../../src/store/sqlite/sqlite-store.ts";
import { aroundStore, WRITES } from "../../../../src/testing/faulty-store.ts";
import { callTool, callTools, hang, say } from "../../../../src/testing/index.ts";
import { isAlive } from "../../../../src/workspace/process/identity.ts";
import { agentModel, type AgentScript } from "../../../support/agent-model.ts";
import { childrenOf, handOn, withAgents } from "../../../support/agents.ts";
import { filesBelow } from "../../../support/files-below.ts";
import { systemClock, testHost } from "../../../support/host.ts";
import { eventsOf, resultTexts, SANDBOX, start, testPlace, type TestPlace } from "../../../support/session.ts";

type Scripts = { readonly [mark: string]: AgentScript };

async function run(
  scripts: Scripts,
  facts: Partial<SessionConfig> = {},
  prepare: (place: TestPlace) => void = () => undefined,
) {
  const place = testPlace();
  prepare(place);
  const own = join(place.repository, ".git");
  const before = filesBelow(own);
  const host = await testHost({ home: place.home, model: agentModel(scripts) });
  const live = await start(host, place, { ...withAgents(), ...facts });
  const report = await live.done;
  // Neither HEAD, index, stash nor references, no worktree and no lock: whatever a test is about.
  expect(filesBelow(own)).toEqual(before);
  const events = await eventsOf(host, live.session);
  return { place, host, live, report, events, results: resultTexts(events) };
}

function merges(events: Awaited<ReturnType<typeof run>>["events"]): readonly string[] {
  return events.flatMap((event) => (event.kind === "AgentMerged" ? [event.data.status] : []));
}

/** Sessions with files of their own. */
function copies({ home }: TestPlace): readonly string[] {
  const sessions = join(home, "sessions");
  return readdirSync(sessions).filter((name) => existsSync(join(sessions, name, "tree")));
}

/** @param heard is called when an event of this kind is durable, in whichever session of the tree */
function heard(store: Store, kind: EventKind, heard: () => void): Store {
  return {
    ...store,
    append: async (command) => {
      const done = await store.append(command);
      if (command.records.some((record) => record.kind === kind)) heard();
      return done;
    },
  };
}

describe("a parent in the user's own files", () => {
  test("has its sub-agents' work there, beside what the user had not committed; what fails stays, and that is said", async () => {
    const { place, events, report, live } = await run(
      {
        parent: [callTools([handOn("a"), handOn("b"), handOn("bad")])],
        a: [callTool("read", { path: "mine.txt" }), callTool("write", { path: "a.txt", content: "a\n" })],
        b: [callTool("edit", { path: "mine.txt", old_string: "mine", new_string: "ours" })],
        bad: [callTool("write", { path: "bad.txt", content: "1\n" })],
      },
      { workspace: { mode: "in_place", base: null }, verify: "test ! -e bad.txt" },
      ({ repository }) => {
        writeFileSync(join(repository, "mine.txt"), "mine\n");
      },
    );
    expect([report.outcome, merges(events)]).toEqual(["verification_failed", ["merged", "merged", "merged"]]);
    const read = (path: string) => readFileSync(join(place.repository, path), "utf8");
    expect([read("a.txt"), read("mine.txt"), read("bad.txt")]).toEqual(["a\n", "ours\n", "1\n"]);
    expect(JSON.stringify(live.state().messages)).toContain("`test ! -e bad.txt` does not pass with them");
    expect(copies(place)).toEqual([]);
  });
});

describe("work that is red", () => {
  test("is taken out again, deletions and modes included, and stays with the sub-agent", async () => {
    const { place, events, live, host, report } = await run(
      {
        parent: [
          callTool("bash", { command: "printf 'one\\n' > keep.sh; chmod 755 keep.sh; printf 'two\\n' > gone.txt" }),
          callTools([handOn("bad")]),
        ],
        bad: [
          callTool("bash", {
            command: "chmod 644 keep.sh; rm gone.txt; printf 'x' > red.txt; mkdir d; printf y > d/e",
          }),
        ],
      },
      {
        verify: "touch left-by-the-verification; test ! -e red.txt",
        ...(SANDBOX === "none" ? { approval: "allow" } : {}),
      },
    );
    expect(merges(events)).toEqual(["red"]);
    const root = report.workspace ?? "";
    const names = ["keep.sh", "gone.txt", "red.txt", "d", "left-by-the-verification"];
    expect(names.filter((path) => existsSync(join(root, path)))).toEqual(["keep.sh", "gone.txt"]);
    expect(statSync(join(root, "keep.sh")).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(root, "gone.txt"), "utf8")).toBe("two\n");
    const [child] = await childrenOf(host, live.session);
    expect(copies(place)).toEqual([live.session, child?.session].sort());
  });
});

describe("a sub-agent that waits for a person", () => {
  test("hands that back, and what it does after the yes is brought in by hand", async () => {
    const asks: Partial<SessionConfig> = {
      sandbox: { mode: "none", network: false },
      approval: "ask",
      permissions: { ...NO_RULES, on_ask: "wait" },
    };
    const { host, live, events, results, report } = await run(
      {
        parent: [callTools([handOn("a")]), say("it waits")],
        a: [callTool("bash", { command: "echo a > a.txt" }), say("a is there")],
      },
      asks,
    );
    const [child] = await childrenOf(host, live.session);
    if (child === undefined) expect.fail("there is no sub-agent");
    const { session } = child;
    const [waiting] = waitingCalls(child);
    expect([child.end?.outcome, merges(events), report.outcome]).toEqual(["needs_approval", [], "completed"]);
    expect(results[0]).toContain(`It waits for a person: \`belay approve ${waiting?.call ?? ""}\``);
    await answerApproval(host, {
      session,
      call: waiting?.call ?? ("none" as never), // then the answer is refused
      hash: waiting?.hash ?? "",
      answer: { answer: "once", by: "a person", reason: null, rule: null },
    });
    const again = await resumeSession(host, { session, message: null, change: null });
    expect((await again.done).outcome).toBe("completed");
    await deliverSession(host, session, "apply");
    expect(readFileSync(join(report.workspace ?? "", "a.txt"), "utf8")).toBe("a\n");
  });
});

describe("a parent that is canceled with three sub-agents at work", () => {
  test("ends after all of them; no process is left, each journal ends canceled, and their work is kept", async (context) => {
    if (SANDBOX === "none")
      context.skip("only a namespace ends a child that left its group: apt-get install bubblewrap");
    const place = testPlace();
    const before = filesBelow(place.repository);
    const all = Promise.withResolvers<null>();
    let at = 0;
    const stuck = (): void => void (++at === 3 && all.resolve(null));
    const first = (mark: string) => callTool("write", { path: `${mark}.txt`, content: `${mark}\n` });
    const model = agentModel({
      parent: [callTools([handOn("a"), handOn("b"), handOn("c")])],
      a: [first("a"), () => (stuck(), hang())],
      b: [first("b"), () => (stuck(), hang())],
      c: [first("c"), callTool("bash", { command: "trap '' TERM; (setsid sleep 60 &); echo ready; sleep 60" })],
    });
    const inner = await openSqliteStore({ path: join(place.home, "belay.db"), clock: systemClock });
    const open = aroundStore(inner, (_method, act) => act());
    const store = heard(open, "ToolProcessStarted", stuck);
    const host = await testHost({ home: place.home, model, store });
    const live = await start(host, place, withAgents());
    await all.promise;
    live.cancel("user", "stop it");
    expect((await live.done).outcome).toBe("canceled");
    const events = await eventsOf(host, live.session);
    const order = events.map(({ kind }) => kind).filter((kind) => kind === "SubAgentEnded" || kind === "RunEnded");
    expect(order).toEqual(["SubAgentEnded", "SubAgentEnded", "SubAgentEnded", "RunEnded"]);
    expect(resultTexts(events).map((text) => text.split(":")[0])).toEqual(["canceled", "canceled", "canceled"]);
    for (const { session, end } of await childrenOf(host, live.session)) {
      expect(end?.outcome).toBe("canceled");
      const own = await eventsOf(host, session);
      expect(own.at(-1)?.kind).toBe("RunEnded");
      const processes = own.flatMap((event) => (event.kind === "ToolProcessStarted" ? [event.data.process] : []));
      expect(processes.filter(isAlive)).toEqual([]);
      expect(readdirSync(join(place.home, "sessions", session, "tree")).some((name) => /^[abc]\.txt$/.test(name))).toBe(
        true,
      );
    }
    expect(filesBelow(place.repository)).toEqual(before);
  });
});

describe("a crash", () => {
  /** From the first event of this kind on nothing more is written: the process is gone. */
  async function diesAfter(kind: EventKind, scripts: Scripts, place: TestPlace): Promise<SessionId> {
    const inner = await openSqliteStore({ path: join(place.home, "belay.db"), clock: systemClock });
    let dead = false;
    const dying = aroundStore(inner, async (method, act) => {
      if (dead && WRITES.has(method)) throw new HarnessError("store_io", "The process died on purpose.", "Resume.");
      return act();
    });
    const store = heard(dying, kind, () => (dead = true));
    const host = await testHost({ home: place.home, model: agentModel(scripts), store });
    const live = await start(host, place, withAgents());
    await live.done;
    await inner.close();
    return live.session;
  }

  async function afterwards(place: TestPlace, scripts: Scripts): Promise<Host> {
    return {
      ...(await testHost({ home: place.home, model: agentModel(scripts) })),
      ownerAlive: () => Promise.resolve(false),
    };
  }

  const ONE: Scripts = {
    parent: [callTools([handOn("w")]), say("all done")],
    w: [callTool("write", { path: "w.txt", content: "w\n" })],
  };

  test("between the name of a sub-agent and its session: that name is begun, and no other", async () => {
    const place = testPlace();
    const session = await diesAfter("SubAgentStarted", ONE, place);
    const host = await afterwards(place, ONE);
    expect(await host.store.listSessions({ tenant: LOCAL_TENANT, root: session, limit: 9 })).toHaveLength(1);
    const live = await resumeSession(host, { session, message: null, change: null });
    expect((await live.done).outcome).toBe("completed");
    const events = await eventsOf(host, session);
    const started = events.flatMap((event) => (event.kind === "SubAgentStarted" ? [event.data.session] : []));
    const rows = await host.store.listSessions({ tenant: LOCAL_TENANT, root: session, limit: 9 });
    expect(rows.map((row) => row.session).sort()).toEqual([session, ...started].sort());
    expect([started.length, merges(events)]).toEqual([1, ["merged"]]);
  });

  test("between a merge and the removal of the copy leaves a copy that is cleaned up, also when nobody resumes", async () => {
    const place = testPlace();
    const session = await diesAfter("AgentMerged", ONE, place);
    expect(copies(place)).toHaveLength(2);
    const host = await afterwards(place, ONE);
    const [child] = await childrenOf(host, session);
    const pruned = await pruneWorkspaces(host, { idle_ms: -86_400_000, force: false, dry_run: false });
    const removed = { session: child?.session, what: "removed" };
    expect(pruned).toContainEqual(removed);
    expect(copies(place)).toEqual([session]);
    // A removal that was cut off in the middle.
    mkdirSync(join(place.home, "sessions", child?.session ?? "", "tree", "left"), { recursive: true });
    expect(await pruneWorkspaces(host, { idle_ms: -86_400_000, force: false, dry_run: false })).toContainEqual(removed);
    expect(copies(place)).toEqual([session]);
  });
});

describe("the number of all sub-agents of a tree", () => {
  const explore = (...marks: readonly string[]) => callTools(marks.map((mark) => handOn(mark, "explore")));

  test("is not passed by sub-agents of sub-agents that are asked for at the same time", async () => {
    const all = Promise.withResolvers<null>();
    let at = 0;
    const fan = (mark: string): AgentScript => [
      async () => (
        ++at === 3 && all.resolve(null),
        await all.promise,
        explore(`${mark}1`, `${mark}2`, `${mark}3`, `${mark}4`)
      ),
    ];
    const { host, live } = await run(
      { parent: [explore("a", "b", "c")], a: fan("a"), b: fan("b"), c: fan("c") },
      withAgents({ total: 7, width: 5 }),
    );
    const rows = await host.store.listSessions({ tenant: LOCAL_TENANT, root: live.session, limit: 100 });
    expect(rows.filter(({ summary }) => summary.agent !== undefined)).toHaveLength(7);
    const children = await childrenOf(host, live.session);
    const texts = (await Promise.all(children.map(({ session }) => eventsOf(host, session)))).flatMap(resultTexts);
    expect(texts.filter((text) => text.startsWith("ok"))).toHaveLength(4);
    expect(texts.filter((text) => text.includes("has had all its 7 sub-agents"))).toHaveLength(8);
  });

  test("is not passed by a resume, and is what the resume says", async () => {
    const scripts: Scripts = {
      parent: [explore("a", "b"), say("once"), explore("c"), say("twice"), explore("d"), say("thrice")],
    };
    const { host, live } = await run(scripts, withAgents({ total: 2 }));
    const more = [textPart("more", { from: "user" })];
    const again = await resumeSession(host, { session: live.session, message: more, change: null });
    await again.done;
    const results = resultTexts(await eventsOf(host, live.session));
    expect(results.map((text) => text.split(/[\n ]/)[0])).toEqual(["ok:", "ok:", "error:"]);
    expect(results[2]).toContain("has had all its 2 sub-agents");
    const raised = await resumeSession(host, {
      session: live.session,
      message: more,
      change: (config) => ({ ...config, agents: { ...config.agents, total: 3 } }),
    });
    await raised.done;
    expect(resultTexts(await eventsOf(host, live.session)).at(-1)).toMatch(/^ok: done/);
  });
});
