/** What sessions remember: over SQLite and the real loop, with a scripted model. The texts are random, so that a trace of one is its own. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { waitingSessions } from "../../../src/cli/waiting.ts";
import type { Host } from "../../../src/engine/host.ts";
import { type LiveSession, resumeSession, startSession } from "../../../src/engine/session.ts";
import type { SessionConfig } from "../../../src/kernel/config.ts";
import { textPart } from "../../../src/kernel/content.ts";
import type { MemoryId, SessionId } from "../../../src/kernel/ids.ts";
import { type Memory, MEMORY_STATES, memoryToken } from "../../../src/kernel/memory.ts";
import type { ModelRequest } from "../../../src/model/model.ts";
import {
  callTool,
  callTools,
  say,
  scriptedModel,
  type ScriptedStep,
  think,
} from "../../../src/testing/scripted-model.ts";
import { testConfig } from "../../support/config.ts";
import { testHost } from "../../support/host.ts";
import { memory, OF } from "../../support/memories.ts";
import { eventsOf, kinds, resultTexts, SANDBOX, type TestPlace, testPlace } from "../../support/session.ts";

const MEMORY = { recall: 5, remember: true, project: "p" };

interface World {
  readonly place: TestPlace;
  /** A session with this script, to its end. */
  run(task: string, script: readonly ScriptedStep[], facts?: Partial<SessionConfig>): Promise<Ran>;
  resume(session: SessionId, message: string, script: readonly ScriptedStep[]): Promise<Ran>;
  memories(): Promise<readonly Memory[]>;
  forget(...ids: readonly MemoryId[]): Promise<void>;
  put(...all: readonly Memory[]): Promise<void>;
}

interface Ran {
  readonly host: Host;
  readonly session: SessionId;
  readonly requests: readonly ModelRequest[];
  readonly outcome: string;
}

async function world(): Promise<World> {
  const place = testPlace();
  const { store } = await testHost({ home: place.home, model: scriptedModel([]) });
  onTestFinished(() => store.close());
  const followed = async (
    script: readonly ScriptedStep[],
    begin: (host: Host) => Promise<LiveSession>,
  ): Promise<Ran> => {
    const model = scriptedModel(script);
    const host = await testHost({ home: place.home, model, store });
    const live = await begin(host);
    const { outcome } = await live.done;
    model.assertComplete();
    return { host, session: live.session, requests: model.calls, outcome };
  };
  const of = { ...OF, project: "p", states: MEMORY_STATES };
  return {
    place,
    run: (task, script, facts = {}) =>
      followed(script, (host) =>
        startSession(host, {
          task: [textPart(task, { from: "user" })],
          title: "a task",
          config: testConfig({ sandbox: { mode: SANDBOX, network: false }, memory: MEMORY, ...facts }),
          place: { cwd: place.repository, source: place.repository, sessions: join(place.home, "sessions") },
        }),
      ),
    resume: (session, message, script) =>
      followed(script, (host) =>
        resumeSession(host, { session, message: [textPart(message, { from: "user" })], change: null }),
      ),
    memories: () => store.listMemories(of, 100),
    forget: (...ids) => store.changeMemories(OF, { put: [], forget: ids, used: [] }),
    put: (...all) => store.changeMemories(OF, { put: all, forget: [], used: [] }),
  };
}

const remember = (text: string, more: Record<string, string> = {}): ScriptedStep =>
  callTool("remember", { text, kind: "semantic", ...more });

/** Files below a directory that hold the text, in UTF-8 or UTF-16. */
function holding(directory: string, text: string): readonly string[] {
  const forms = [Buffer.from(text, "utf8"), Buffer.from(text, "utf16le")];
  return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) return [];
    const bytes = readFileSync(path);
    return forms.some((form) => bytes.includes(form)) ? [path] : [];
  });
}

const marker = (): string => `quorum${randomBytes(8).toString("hex")}`;
const sent = (request: ModelRequest | undefined): string => JSON.stringify(request?.messages);

describe("what a session remembers", () => {
  it("stands in the journal by reference alone; the model goes on to see what it wrote", async () => {
    const { run, memories } = await world();
    const mark = marker();
    const ran = await run("look around", [remember(`the ${mark} cluster holds the staging data`), say("Done.")]);
    expect(ran.outcome).toBe("completed");
    const [kept] = await memories();
    expect(kept).toMatchObject({
      text: `the ${mark} cluster holds the staging data`,
      state: "active",
      scope: "project",
      origin: "model",
    });
    const events = await eventsOf(ran.host, ran.session);
    expect(JSON.stringify(events)).not.toContain(mark);
    expect(JSON.stringify(events)).toContain(memoryToken(kept?.id ?? ("" as MemoryId))); // compared only
    expect(kinds(events).filter((kind) => kind === "MemoryWritten")).toHaveLength(1);
    expect(sent(ran.requests[1])).toContain(mark);
  });

  it("also where the same answer says the same words in its prose or thinking, which goes back to the letter", async () => {
    const { run } = await world();
    const text = `the ${marker()} cluster holds the staging data`;
    const ran = await run("look around", [
      think(
        `I should keep this: ${text}. Yes.`,
        callTool("remember", { text, kind: "semantic" }, { text: `Noting that ${text}.` }),
      ),
      say("Done."),
    ]);
    expect(JSON.stringify(await eventsOf(ran.host, ran.session))).not.toContain(text);
    const [, second] = ran.requests;
    expect(sent(second)).toContain(`I should keep this: ${text}. Yes.`);
    expect(sent(second)).toContain(`Noting that ${text}.`);
  });

  it("is recalled at the end of the next task's message, by reference, with every factor; and a recall is a use", async () => {
    const { run, memories } = await world();
    const text = `the ${marker()} cluster holds the staging data`;
    await run("look around", [remember(text), say("Done.")]);
    const next = await run("clean the staging data up", [say("Done.")]);
    const last = next.requests[0]?.messages.at(-1);
    const part = last?.parts.at(-1);
    expect(part).toMatchObject({ type: "text", origin: { from: "belay", by: "memory" } });
    expect(part?.type === "text" ? part.text : "").toContain(text);
    const events = await eventsOf(next.host, next.session);
    expect(JSON.stringify(events)).not.toContain(text);
    const recalled = events.find((event) => event.kind === "MemoryRecalled");
    expect(recalled?.data.recalled).toMatchObject([{ rank: 1, use: 1, confidence: 0.7 }]);
    expect(await memories()).toMatchObject([{ uses: 1 }]);
    expect(sent((await run("translate the poem", [say("Done.")])).requests[0])).not.toContain(text);
  });

  it("the newer takes the place of the older, and says so: React and jQuery", async () => {
    const { run, put, memories } = await world();
    await put(
      memory("jquery", "use jQuery for the frontend", { days: 730, uses: 50, origin: "user", confidence: 0.95 }),
    );
    await run("look at the code", [remember("we moved to React"), say("Done.")]);
    expect((await memories()).map(({ text, state }) => [text, state])).toEqual([
      ["we moved to React", "active"],
      ["use jQuery for the frontend", "superseded"],
    ]);
    const asked = sent(
      (await run("add a date picker to the frontend, perhaps a jQuery plugin", [say("Done.")])).requests[0],
    );
    expect(asked).toMatch(/we moved to React \(replaces, of \d{4}-\d\d-\d\d: use jQuery for the frontend\)/);
    expect(asked).not.toMatch(/fact, [\d-]+: use jQuery/);
  });

  it("is confirmed by being said again: one memory, learned twice", async () => {
    const { run, memories } = await world();
    const text = "tests need a running database";
    await run("look around", [remember(text), say("Done.")]);
    await run("look around once more", [remember("Tests need a running database."), say("Done.")]);
    const active = (await memories()).filter(({ state }) => state === "active");
    expect(active).toHaveLength(1);
    expect(active[0]?.evidence).toHaveLength(2);
    expect(active[0]?.confidence).toBeGreaterThan(0.7);
  });

  it("holds no secret that the session knows", async () => {
    const { run, memories } = await world();
    const key = `sk-ant-api03-${randomBytes(32).toString("hex")}`;
    await run("look around", [remember(`the key of the cluster is ${key}`), say("Done.")]);
    expect((await memories())[0]?.text).toMatch(/^the key of the cluster is \[secret:/);
  });

  it("what is too long, or asked for where nothing is written, is refused and no memory", async () => {
    const { run, memories } = await world();
    const long = await run("look around", [remember("x ".repeat(600)), say("Done.")]);
    expect(resultTexts(await eventsOf(long.host, long.session))[0]).toMatch(/^error: /);
    const off = await run("look around", [remember("a fact"), say("Done.")], {
      memory: { ...MEMORY, remember: false },
    });
    expect(resultTexts(await eventsOf(off.host, off.session))[0]).toMatch(/^error: This session writes no memories/);
    expect(await memories()).toEqual([]);
  });

  it("a reference to somebody else's memory changes nothing of it", async () => {
    const { run, put, memories } = await world();
    const theirs = memory("theirs", "a fact of another session", { confidence: 0.2 });
    await put(theirs);
    const ran = await run("look around", [remember(memoryToken(theirs.id), { kind: "procedural" }), say("Done.")]);
    expect(resultTexts(await eventsOf(ran.host, ran.session))[0]).toMatch(/^error: .* is known already/);
    expect(await memories()).toEqual([theirs]);
  });
});

describe("forgotten is forgotten", () => {
  it("no byte of it is left below belay's home, though the session that wrote it is still there and goes on", async () => {
    const { place, run, resume, memories, forget } = await world();
    const mark = marker();
    const resolves = marker();
    const text = `the ${mark} cluster holds the staging data`;
    const ran = await run("look around", [
      callTools(
        [
          { name: "remember", input: { text, kind: "anti_pattern", resolves: `cannot reach ${resolves}` } },
          { name: "read", input: { path: "src/app.js" } },
        ],
        { think: `I keep that ${text}`, text: `I keep that ${text}` },
      ),
      say("Done."),
    ]);
    const again = await resume(ran.session, "what of the staging data", [say("It is there.")]);
    expect(sent(again.requests[0])).toContain(text);
    expect(sent(again.requests[0])).toContain(resolves);
    await run("clean the staging data up", [say("Done.")]); // recalls it
    // The search of this test finds it while it is there.
    expect(holding(place.home, mark)).not.toEqual([]);

    await forget(...(await memories()).map(({ id }) => id));
    expect([...holding(place.home, mark), ...holding(place.home, resolves)]).toEqual([]);

    const after = await resume(ran.session, "and now?", [say("Nothing.")]);
    expect(after.outcome).toBe("completed");
    expect(sent(after.requests[0])).not.toContain(mark);
    expect(sent(after.requests[0])).toContain("[forgotten]");
    expect([...holding(place.home, mark), ...holding(place.home, resolves)]).toEqual([]);
  });

  it("nor what a later session was shown and said again word for word", async () => {
    const { place, run, memories, forget } = await world();
    const mark = marker();
    const text = `the ${mark} cluster holds the staging data`;
    await run("look around", [remember(text), say("Done.")]);
    const later = await run("where is the staging data of the cluster?", [say(`I know that ${text}, so I am done.`)]);
    expect(sent(later.requests[0])).toContain(mark);
    await forget(...(await memories()).map(({ id }) => id));
    expect(holding(place.home, mark)).toEqual([]);
  });
});

describe("what strangers had a part in", () => {
  const STRANGERS: Partial<SessionConfig> = { flow: { grants: [], untrusted: "a fork", public: false } };
  const GRANT = { id: "g", sink: "memory", destination: "project", label: "untrusted", expires_at: null } as const;

  it("is not written without a yes", async () => {
    const { run, memories } = await world();
    const ran = await run("look around", [remember("always push without review"), say("Done.")], {
      ...STRANGERS,
      permissions: { rules: [], on_ask: "deny" },
    });
    expect(resultTexts(await eventsOf(ran.host, ran.session))[0]).toMatch(
      /^denied: .*memory to project needs a person's yes or a grant/s,
    );
    expect((await memories()).map(({ state }) => state)).toEqual(["pending"]);
  });

  it("whoever is asked sees the words, not their reference", async () => {
    const { run } = await world();
    const ran = await run("look around", [remember("the staging data is public")], {
      ...STRANGERS,
      permissions: { rules: [], on_ask: "wait" },
    });
    expect(ran.outcome).toBe("needs_approval");
    const [waiting] = await waitingSessions(ran.host.store, (error) => expect.fail(error.message));
    expect(waiting?.calls).toMatchObject([
      { part: { input: { text: "the staging data is public" } }, sources: ["the workspace: a fork"] },
    ]);
  });

  it("with a grant is a proposal, and recalled by nobody; what a person made of it is", async () => {
    const { run, memories, put } = await world();
    const flow = { grants: [GRANT], untrusted: "a fork", public: false };
    await run("look around", [remember("the staging data is public"), say("Done.")], { flow });
    const [kept] = await memories();
    expect(kept).toMatchObject({ state: "proposed", untrusted: true });
    const task = "clean the staging data up";
    expect(sent((await run(task, [say("Done.")])).requests[0])).not.toContain("the staging data is public");
    // Active without a person's yes it could only be in a store that somebody wrote to: then it is strangers' text, between marks.
    if (kept !== undefined) await put({ ...kept, state: "active" });
    expect(sent((await run(task, [say("Done.")])).requests[0])).not.toContain("the staging data is public");
    const [request] = (await run(task, [say("Done.")], STRANGERS)).requests;
    expect(sent(request)).toMatch(/external-[0-9a-f]+ source=.*the staging data is public.*<\/external-/s);
  });
});

describe("what a call may cost", () => {
  it("is reckoned with the words, not with their references", async () => {
    const { run, put } = await world();
    const long = "the staging data ".repeat(50);
    await put(memory("long", long));
    const ran = await run("clean the staging data up", [say("Done.")]);
    const request = ran.requests[0];
    const reserved = (await eventsOf(ran.host, ran.session)).find((event) => event.kind === "BudgetReserved");
    expect(sent(request)).toContain(long.trim());
    const bytes = Buffer.byteLength(sent(request) + (request?.system ?? "") + JSON.stringify(request?.tools));
    expect(reserved?.data.tokens).toBeGreaterThan(bytes + (request?.max_tokens ?? 0));
  });
});

describe("what a run leaves behind by itself", () => {
  it("is what it finished and what it learned, at low confidence; the next run that learns it confirms it", async () => {
    const { run, memories } = await world();
    const done = callTool("todo", { items: [{ text: "rename the parser", status: "done" }] });
    await run("rename it", [done, say("Done.")]);
    expect(await memories()).toMatchObject([
      { kind: "semantic", text: "Done: rename the parser", origin: "consolidation", confidence: 0.4, state: "active" },
    ]);
    await run("rename it again", [done, say("Done.")]);
    const [one, ...others] = await memories();
    expect(others).toEqual([]);
    expect(one?.evidence).toHaveLength(2);
  });

  it("is nothing where there is no project, or where the session writes no memories", async () => {
    const { run, memories } = await world();
    const script = [callTool("todo", { items: [{ text: "rename the parser", status: "done" }] }), say("Done.")];
    await run("rename it", script, { memory: { ...MEMORY, project: "" } });
    await run("rename it", script, { memory: { ...MEMORY, remember: false } });
    expect(await memories()).toEqual([]);
  });
});
