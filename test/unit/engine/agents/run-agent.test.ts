/** Sub-agents as their parent sees them: what comes back, what becomes of their files, what binds them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { removeSession } from "../../../../src/engine/operations.ts";
import { LOCAL_TENANT } from "../../../../src/kernel/ids.ts";
import { nanoFromDollars } from "../../../../src/kernel/money.ts";
import { callTool, callTools, hang, say } from "../../../../src/testing/index.ts";
import { agentModel, type AgentScript } from "../../../support/agent-model.ts";
import { childrenOf, handOn, withAgents } from "../../../support/agents.ts";
import { testHost } from "../../../support/host.ts";
import { eventsOf, kinds, resultTexts, start, testPlace } from "../../../support/session.ts";
import type { SessionConfig } from "../../../../src/kernel/config.ts";

const CHOICE = {
  type: "object",
  properties: { safe: { type: "boolean" }, kind: { enum: ["bug", "feature"] } },
  required: ["safe", "kind"],
};

async function run(scripts: { readonly [mark: string]: AgentScript }, facts: Partial<SessionConfig> = {}) {
  const place = testPlace();
  const model = agentModel(scripts);
  const host = await testHost({ home: place.home, model });
  const live = await start(host, place, { ...withAgents(), ...facts });
  const report = await live.done;
  const events = await eventsOf(host, live.session);
  return { place, host, model, live, report, events, results: resultTexts(events) };
}

function merges(events: Awaited<ReturnType<typeof run>>["events"]): readonly string[] {
  return events.flatMap((event) => (event.kind === "AgentMerged" ? [event.data.status] : []));
}

describe("a sub-agent that writes", () => {
  test("works in its own files, which its parent has when the calls are done", async () => {
    const { report, events, results, host, live, place } = await run({
      parent: [callTool("write", { path: "plan.txt", content: "the plan\n" }), callTools([handOn("a")])],
      a: [
        callTool("read", { path: "plan.txt" }),
        callTool("write", { path: "a.txt", content: "from a\n" }),
        say("a is there"),
      ],
    });
    expect([report.outcome, report.error]).toEqual(["completed", null]);
    expect(kinds(events).filter((kind) => kind.includes("Agent"))).toEqual([
      "SubAgentStarted",
      "SubAgentEnded",
      "AgentMergeStarted",
      "AgentMerged",
    ]);
    expect(results[1]).toContain("a is there");
    expect(results[1]).toContain('"files":["a.txt"],"outcome":"completed"');
    expect(readFileSync(join(report.workspace ?? "", "a.txt"), "utf8")).toBe("from a\n");
    expect(existsSync(join(place.repository, "a.txt"))).toBe(false);
    const [child] = await childrenOf(host, live.session);
    const { root, trace, parent, config } = child ?? {};
    expect({ root, trace, parent }).toEqual({
      root: live.session,
      trace: live.state().trace,
      parent: { session: live.session, call: live.state().agents[0]?.call },
    });
    // The parent's uncommitted work was in its copy.
    expect(resultTexts(await eventsOf(host, child?.session ?? live.session))[0]).toContain("the plan");
    expect([config?.agents.kind, config?.agents.level]).toEqual(["general", 1]);
    expect(existsSync(join(place.home, "sessions", child?.session ?? "", "tree"))).toBe(false);
  });

  test("and one beside it that changed the same lines: the second is data, and nothing of it comes in", async () => {
    const { report, events, host, live, place, model } = await run({
      parent: [callTools([handOn("a"), handOn("b")])],
      a: [
        callTool("write", { path: "same.txt", content: "a\n" }),
        callTool("write", { path: "a.txt", content: "a\n" }),
      ],
      b: [
        callTool("write", { path: "same.txt", content: "b\n" }),
        callTool("write", { path: "b.txt", content: "b\n" }),
      ],
    });
    expect(merges(events)).toEqual(["merged", "conflict"]);
    const [, second] = events.flatMap((event) => (event.kind === "AgentMerged" ? [event.data] : []));
    expect(second?.conflicts).toEqual(["same.txt"]);
    const has = (path: string) => existsSync(join(report.workspace ?? "", path));
    expect([has("a.txt"), has("b.txt")]).toEqual([true, false]);
    const [, kept] = await childrenOf(host, live.session);
    expect(existsSync(join(place.home, "sessions", kept?.session ?? "", "tree", "b.txt"))).toBe(true);
    expect(JSON.stringify(model.asked.get("parent")?.at(-1))).toContain("same.txt changed on both sides");
  });

  test("whose changes fail the verification has them taken out again", async () => {
    const { report, events } = await run(
      {
        parent: [callTools([handOn("good"), handOn("bad")])],
        good: [callTool("write", { path: "good.txt", content: "1\n" })],
        bad: [callTool("write", { path: "bad.txt", content: "1\n" })],
      },
      { verify: "echo left > trace.txt; test ! -e bad.txt" },
    );
    expect(merges(events)).toEqual(["merged", "red"]);
    expect(report.outcome).toBe("completed");
    const has = (path: string) => existsSync(join(report.workspace ?? "", path));
    expect([has("good.txt"), has("bad.txt"), has("trace.txt")]).toEqual([true, false, false]);
  });

  test("is stopped with its parent, at once, and what it did is kept", async () => {
    const place = testPlace();
    const begun = Promise.withResolvers<null>();
    const model = agentModel({
      parent: [callTools([handOn("a")])],
      a: [
        callTool("write", { path: "a.txt", content: "half\n" }, { text: "I wrote half." }),
        () => (begun.resolve(null), hang()),
      ],
    });
    const host = await testHost({ home: place.home, model });
    const live = await start(host, place, withAgents());
    await begun.promise;
    live.cancel("user", "stop it");
    expect((await live.done).outcome).toBe("canceled");
    const [child] = await childrenOf(host, live.session);
    expect([child?.end?.outcome, child?.workspace?.tree === child?.workspace?.base]).toEqual(["canceled", false]);
    const [result] = resultTexts(await eventsOf(host, live.session));
    expect(result).toMatch(/^canceled: I wrote half\./);
    expect(live.state().agents[0]).toMatchObject({ outcome: "canceled", changed: true, merged: null });
    expect(readFileSync(join(place.home, "sessions", child?.session ?? "", "tree", "a.txt"), "utf8")).toBe("half\n");
  });
});

describe("a sub-agent that changes nothing", () => {
  test("looks at its parent's files as they are, and no tool of it can write them", async () => {
    const { report, results, host, live, events } = await run({
      parent: [callTool("write", { path: "new.txt", content: "just now\n" }), callTools([handOn("x", "explore")])],
      x: [
        callTool("read", { path: "new.txt" }),
        callTool("write", { path: "new.txt", content: "mine" }),
        callTool("bash", { command: "echo mine > new.txt" }),
        say("it says: just now"),
      ],
    });
    expect(results[1]).toContain("it says: just now");
    const [child] = await childrenOf(host, live.session);
    const own = resultTexts(await eventsOf(host, child?.session ?? live.session));
    expect(own.map((text) => text.split(":")[0])).toEqual(["ok", "denied", "denied"]);
    expect(readFileSync(join(report.workspace ?? "", "new.txt"), "utf8")).toBe("just now\n");
    expect(kinds(events)).not.toContain("AgentMergeStarted");
  });

  test("has no sub-agents that change something", async () => {
    const { host, live } = await run({
      parent: [callTools([handOn("x", "plan")])],
      x: [callTools([handOn("y", "general")]), say("done")],
    });
    const [child] = await childrenOf(host, live.session);
    const [said] = resultTexts(await eventsOf(host, child?.session ?? live.session));
    expect(said).toBe('error: There is no kind "general". The kinds are: explore, plan, review, reader.');
  });
});

describe("an answer", () => {
  test("is data where a schema was given, and is asked for once more when it does not fit", async () => {
    const { results, model } = await run({
      parent: [callTools([handOn("a", "explore", CHOICE)])],
      a: [say("It is safe."), say('```json\n{"kind":"bug","safe":true}\n```')],
    });
    expect(results[0]).toContain('ok: {"kind":"bug","safe":true}');
    expect(JSON.stringify(model.asked.get("a")?.at(-1))).toContain("it is no JSON object");
  });

  test("that fits neither time is an error with its text", async () => {
    const { results, model } = await run({
      parent: [callTools([handOn("a", "explore", CHOICE)])],
      a: [say("no"), say('{"kind":"none"}'), say("never asked")],
    });
    expect(results[0]).toMatch(/^error: \{"kind":"none"\}\nIts answer does not fit the schema: "safe" is missing/);
    expect(model.asked.get("a")).toHaveLength(2);
  });

  test("is shown to 8,000 characters, and all of it is kept", async () => {
    const { events } = await run({
      parent: [callTools([handOn("a", "explore")])],
      a: [say("line of text\n".repeat(2_000))],
    });
    const [finished] = events.flatMap((event) => (event.kind === "ToolFinished" ? [event.data] : []));
    expect(finished?.output).toMatch(/^sha256:/);
    expect(JSON.stringify(finished?.content).length).toBeLessThan(10_000);
  });

  test("and all else of one that reached a limit comes back with its outcome", async () => {
    const { results, report } = await run(
      {
        parent: [callTools([handOn("a")]), say("I go on")],
        a: [
          callTool("write", { path: "one.txt", content: "1" }, { text: "one" }),
          callTool("write", { path: "two.txt", content: "2" }, { text: "two" }),
          callTool("write", { path: "three.txt", content: "3" }, { text: "three" }),
        ],
      },
      { limits: { turns: 5, active_ms: 3_600_000, tokens: 5_000_000 } },
    );
    expect(results[0]).toMatch(/^error: two\nIt did not finish: limit reached\. .* Its files were not brought in/);
    expect(results[0]).toContain('"files":["one.txt","two.txt"],"outcome":"limit_reached"');
    expect(report.outcome).toBe("completed");
  });
});

describe("how many there are", () => {
  test("is bounded over the whole tree, however many are asked for at the same time", async () => {
    const marks = ["a", "b", "c", "d", "e", "f"];
    const { results, host, live } = await run(
      { parent: [callTools(marks.map((mark) => handOn(mark, "explore")))] },
      withAgents({ total: 3, width: 6 }),
    );
    expect(results.filter((text) => text.startsWith("ok"))).toHaveLength(3);
    expect(results.filter((text) => text.includes("has had all its 3 sub-agents"))).toHaveLength(3);
    const rows = await host.store.listSessions({ tenant: LOCAL_TENANT, root: live.session, limit: 100 });
    expect(rows.filter(({ summary }) => summary.agent === "explore")).toHaveLength(3);
  });

  test("at work at a time is bounded, and the others wait in line", async () => {
    const marks = ["a", "b", "c", "d"];
    const two = Promise.withResolvers<null>();
    let begun = 0;
    // The first two end only when both are at work.
    const together: AgentScript = [async () => (++begun === 2 && two.resolve(null), await two.promise, say("done"))];
    const { events, results } = await run(
      {
        parent: [callTools(marks.map((mark) => handOn(mark, "explore")))],
        ...Object.fromEntries(marks.map((mark) => [mark, together])),
      },
      withAgents({ width: 2 }),
    );
    let open = 0;
    const counts = events.map(
      ({ kind }) => (open += kind === "SubAgentStarted" ? 1 : kind === "SubAgentEnded" ? -1 : 0),
    );
    expect(Math.max(...counts)).toBe(2);
    expect(results.filter((text) => text.startsWith("ok"))).toHaveLength(4);
  });

  test("below one another is bounded by the depth", async () => {
    const { host, live } = await run(
      {
        parent: [callTools([handOn("a")])],
        a: [callTools([handOn("b")])],
        b: [callTools([handOn("c")])],
        c: [say("never asked")],
      },
      withAgents({ depth: 2 }),
    );
    const [a] = await childrenOf(host, live.session);
    const [b] = await childrenOf(host, a?.session ?? live.session);
    const below = await childrenOf(host, b?.session ?? live.session);
    expect([a?.config?.agents.level, b?.config?.agents.level, below.length]).toEqual([1, 2, 0]);
    expect(b?.root).toBe(live.session);
    const [said] = resultTexts(await eventsOf(host, b?.session ?? live.session));
    expect(said).toBe("error: Sub-agents of sub-agents end at level 2: do it yourself.");
  });
});

describe("money", () => {
  test("of a tree is one cap: what its sub-agents spend is spent, and one of them has its own share", async () => {
    const cost = nanoFromDollars(0.5);
    const cap = { scope: "session", cost, strict: false, tokens: null, turns: null, active_ms: null };
    const { host, live, results } = await run(
      { parent: [callTools([handOn("a", "explore"), handOn("b", "explore")])], a: [say("a")], b: [say("b")] },
      { budget: { caps: [cap], alert_at: null, turn_alert: null } },
    );
    expect(results.map((text) => text.slice(0, 3))).toEqual(["ok:", "ok:"]);
    const [tree] = await host.store.listScopes(LOCAL_TENANT, `tree:${live.session}`, 1);
    const children = await childrenOf(host, live.session);
    const spent = [live.state(), ...children].reduce((sum, state) => sum + (state.cost ?? 0), 0);
    expect(tree?.cost).toBe(spent);
    expect(tree?.reserved_cost).toBe(0);
    const own = children.map(({ config }) => config?.budget.caps.find(({ scope }) => scope === "session")?.cost ?? 0);
    for (const share of own) expect(share).toBeLessThanOrEqual(cost / 2);
    const above = children.map(({ config }) => config?.budget.caps.map(({ scope }) => scope));
    expect(above[0]).toEqual([`above:tree:${live.session}`, "session"]);
  });

  test("of a tree that is nearly used up stops its sub-agents, and is never passed", async () => {
    const cost = nanoFromDollars(0.25);
    const cap = { scope: "session", cost, strict: false, tokens: null, turns: null, active_ms: null };
    const marks = ["a", "b", "c", "d"];
    const long: AgentScript = Array.from({ length: 8 }, () => callTool("read", { path: "README.md" }));
    const { host, live, results } = await run(
      {
        parent: [callTools(marks.map((mark) => handOn(mark, "explore")))],
        ...Object.fromEntries(marks.map((mark) => [mark, long])),
      },
      { budget: { caps: [cap], alert_at: null, turn_alert: null }, ...withAgents({ width: 2 }) },
    );
    expect(results).toHaveLength(4);
    expect(results.some((text) => text.includes('"outcome":"budget_exhausted"'))).toBe(true);
    const [tree] = await host.store.listScopes(LOCAL_TENANT, `tree:${live.session}`, 1);
    expect((tree?.cost ?? 0) + (tree?.unknown_cost ?? 0)).toBeLessThanOrEqual(cost);
    expect(tree?.cost).toBeGreaterThan(0);
  });

  test("and what else binds a turn of its parent binds it too", async () => {
    const cap = { strict: false, tokens: null, turns: null, active_ms: null };
    const caps = [
      { ...cap, scope: "turn", cost: nanoFromDollars(2) },
      { ...cap, scope: "group:team", cost: nanoFromDollars(9) },
    ];
    const { host, live } = await run(
      { parent: [callTools([handOn("a", "explore")])], a: [say("a")] },
      { budget: { caps, alert_at: null, turn_alert: null } },
    );
    const [child] = await childrenOf(host, live.session);
    expect(child?.config?.budget.caps.map(({ scope, cost }) => [scope, cost])).toEqual([
      ["group:team", nanoFromDollars(9)],
      [`above:tree:${live.session}`, null],
      [`above:turn:${live.session}/1`, nanoFromDollars(2)],
      ["session", expect.any(Number)],
    ]);
    const [turn] = await host.store.listScopes(LOCAL_TENANT, `turn:${live.session}/1`, 1);
    const [first] = (await eventsOf(host, live.session)).flatMap((event) =>
      event.kind === "BudgetSettled" ? [event.data.cost ?? 0] : [],
    );
    expect(turn?.cost).toBe((first ?? 0) + (child?.cost ?? 0));
  });
});

describe("removing a session", () => {
  test("removes its sub-agents with it", async () => {
    const { host, live, place } = await run({
      parent: [callTools([handOn("a"), handOn("b")])],
      a: [callTool("write", { path: "same.txt", content: "a" })],
      b: [callTool("write", { path: "same.txt", content: "b" })],
    });
    await removeSession(host, live.session);
    expect(await host.store.listSessions({ tenant: LOCAL_TENANT, limit: 10 })).toEqual([]);
    expect(readdirSync(join(place.home, "sessions"))).toEqual([]);
  });
});
