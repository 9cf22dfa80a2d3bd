/** G13 across versions: a session is held to the prompt and the tools it began with, whatever version of belay goes on with it. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { APPROVAL_KEPT_MS } from "../../../src/engine/approve.ts";
import { answerDrafts } from "../../../src/engine/ask.ts";
import { forkSession } from "../../../src/engine/fork.ts";
import type { Host } from "../../../src/engine/host.ts";
import { appendPinned, loadTexts, namesOf, pinDraft } from "../../../src/engine/pinned.ts";
import { promptFrom, promptOf, toolHash } from "../../../src/engine/prompt.ts";
import { repinSession } from "../../../src/engine/repin.ts";
import { replaySession } from "../../../src/engine/replay/replay.ts";
import { requestAt } from "../../../src/engine/replay/look.ts";
import { claimSession, openForWriting, resumeSession } from "../../../src/engine/session.ts";
import { importSession } from "../../../src/engine/transfer/import.ts";
import { SYSTEM_PARTS, SYSTEM_PROMPT } from "../../../src/context/system-prompt.ts";
import { textPart } from "../../../src/kernel/content.ts";
import type { Event, EventOf } from "../../../src/kernel/events/index.ts";
import { hashOf } from "../../../src/kernel/envelope.ts";
import { LOCAL_TENANT, type SessionId } from "../../../src/kernel/ids.ts";
import { createAnthropicModel } from "../../../src/model/anthropic/adapter.ts";
import { startEmulator } from "../../../src/testing/emulator/emulator.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import { NO_RULES } from "../../../src/kernel/permissions.ts";
import type { ModelRequest } from "../../../src/model/model.ts";
import { loadSession } from "../../../src/store/journal.ts";
import { BLOB_GRACE_MS, type Store } from "../../../src/store/port.ts";
import { createMemoryStore } from "../../../src/store/memory/memory-store.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";
import {
  callTool,
  say,
  scriptedModel,
  type ScriptedModel,
  type ScriptedStep,
} from "../../../src/testing/scripted-model.ts";
import { exportedFile } from "../../support/exported.ts";
import { testHost } from "../../support/host.ts";
import { eventsOf, kinds, resultTexts, start, type TestPlace, testPlace } from "../../support/session.ts";

interface Given {
  readonly place: TestPlace;
  readonly model: ScriptedModel;
  readonly host: Host;
}

async function given(script: readonly ScriptedStep[], store?: Store): Promise<Given> {
  const place = testPlace();
  const model = scriptedModel(script);
  return { place, model, host: await testHost({ home: place.home, model, ...(store ? { store } : {}) }) };
}

/** Another version of belay: one tool is gone, one says something else, one is new. */
function later(host: Host): Host {
  const [read, write, ...rest] = host.tools;
  if (read === undefined || write === undefined) throw new Error("there are tools");
  const changed = { ...read, description: "Read a file, as a later version says it." };
  return { ...host, tools: [changed, ...rest, { ...write, name: "scribble" }], version: "9.9.9" };
}

function resumed(host: Host, session: SessionId, facts: { readonly repin?: boolean } = {}) {
  return resumeSession(host, { session, message: [textPart("more", { from: "user" })], change: null, ...facts });
}

function pinsIn(events: readonly Event[]): readonly EventOf<"PromptPinned">["data"][] {
  return events.flatMap((event) => (event.kind === "PromptPinned" ? [event.data] : []));
}

function prefixOf({ system, tools }: ModelRequest): string {
  return JSON.stringify([system, tools]);
}

describe("a new session", () => {
  it("is held to its texts from the first event on: in blobs, with the hash of the whole and of every part", async () => {
    const { host, place } = await given([say("Done.")]);
    const live = await start(host, place);
    await live.done;
    const events = await eventsOf(host, live.session);
    expect(kinds(events).slice(0, 4)).toEqual(["SessionCreated", "SessionConfigured", "PromptPinned", "RunStarted"]);
    const prompt = promptOf(host.tools);
    const [pin] = pinsIn(events);
    expect(pin).toMatchObject({ ...namesOf(prompt), reason: "start" });
    expect(pin?.parts.slice(0, SYSTEM_PARTS.length)).toEqual(
      SYSTEM_PARTS.map(({ name, text }) => ({ kind: "system", name, hash: hashOf(text) })),
    );
    expect(pin?.parts.filter(({ kind }) => kind === "tool")).toEqual(
      prompt.tools.map((tool) => ({ kind: "tool", name: tool.name, hash: toolHash(tool) })),
    );
    expect(pin?.parts.filter(({ kind }) => kind === "rules")).toHaveLength(1);
    const kept = await loadTexts(host.store, LOCAL_TENANT, namesOf(prompt));
    expect(kept).toEqual(prompt);
    expect(kept.system).toBe(SYSTEM_PROMPT);
  });

  it("journals what its caller knows to shape behaviour besides: skills, rules, instructions", async () => {
    const { host, place } = await given([say("Done.")]);
    const skill = { kind: "skill", name: "release", hash: hashOf("how to release") };
    const live = await start(host, place);
    await live.done;
    const again = await resumeSession(later(host), {
      ...{ session: live.session, message: null, change: null },
      ...{ repin: true, parts: [skill] },
    });
    await again.done;
    expect(pinsIn(await eventsOf(host, live.session)).at(-1)?.parts).toContainEqual(skill);
  });

  it("costs no write of its own once a session before it had the same texts", async () => {
    const puts: string[] = [];
    const inner = createMemoryStore({ clock: manualClock() });
    const store: Store = {
      ...inner,
      putBlob: async (tenant, content) => {
        const hash = await inner.putBlob(tenant, content);
        puts.push(hash);
        return hash;
      },
    };
    const { host, place } = await given([say("One."), say("Two.")], store);
    await (
      await start(host, place)
    ).done;
    expect(puts).toEqual(Object.values(namesOf(promptOf(host.tools))));
    await (
      await start(host, place)
    ).done;
    expect(puts).toHaveLength(2);
  });
});

describe("a session that another version goes on with", () => {
  it("sends the prompt and tools it began with, to the byte, and says so in its configuration", async () => {
    const { host, place, model } = await given([callTool("glob", { pattern: "*" }), say("Done."), say("More.")]);
    const live = await start(host, place);
    await live.done;
    const again = await resumed(later(host), live.session);
    await again.done;
    const [first, , third] = model.calls;
    if (first === undefined || third === undefined) throw new Error("there were three calls");
    expect(prefixOf(third)).toBe(prefixOf(first));
    expect(third.messages.slice(0, first.messages.length)).toEqual(first.messages);
    const events = await eventsOf(host, live.session);
    expect(pinsIn(events)).toHaveLength(1);
    const started = events.flatMap((event) => (event.kind === "ModelCallStarted" ? [event.data] : []));
    expect(new Set(started.map(({ prompt, tools }) => `${prompt} ${tools}`)).size).toBe(1);
    // What is journaled as sent is what was sent, and the count of the prefix stands.
    expect(again.state().config?.versions).toMatchObject({ ...promptOf(host.tools).versions, belay: "9.9.9" });
    expect(again.state().config?.versions.prompt_bytes).toBe(promptOf(host.tools).bytes);
  });

  it("is read from the provider's cache up to where the last version left it; held to the new one, it is paid anew", async () => {
    const reads = await Promise.all(
      [false, true].map(async (repin) => {
        const place = testPlace();
        const emulator = await startEmulator({ scenario: { turns: [{ say: "Done." }, { say: "More." }] } });
        const model = createAnthropicModel({ apiKey: "test-key", baseUrl: emulator.url, clock: systemClock });
        const host = await testHost({ home: place.home, model });
        const live = await start(host, place);
        await live.done;
        await (
          await resumed(later(host), live.session, { repin })
        ).done;
        await emulator.close();
        const usages = (await eventsOf(host, live.session)).flatMap((event) =>
          event.kind === "ModelCallFinished" ? [event.data.usage] : [],
        );
        const [first, second] = usages;
        if (first === undefined || second === undefined) throw new Error("there were two calls");
        return { written: first.cache_write_5m_tokens, read: second.cache_read_tokens };
      }),
    );
    const [plain, repinned] = reads;
    expect(plain?.written).toBeGreaterThan(0);
    expect(plain?.read).toBe(plain?.written);
    expect(repinned?.read).toBe(0);
  });

  it("is told of a tool that this version has no more, and goes on; a replay says the same", async () => {
    const { host, place } = await given([
      say("Done."),
      callTool("write", { path: "a.txt", content: "a" }),
      callTool("scribble", { path: "a.txt", content: "a" }),
      say("I see."),
    ]);
    const live = await start(host, place);
    await live.done;
    const other = later(host);
    const again = await resumed(other, live.session);
    expect(await again.done).toMatchObject({ outcome: "completed" });
    expect(resultTexts(await eventsOf(host, live.session))[0]).toMatch(/^error: There is no tool "write"/);
    expect(await replaySession(other, { session: live.session })).toMatchObject({ findings: [], verdict: "equal" });
  });

  it("runs nothing of a call that was allowed and not begun when its tool went, and says so", async () => {
    const { host, place } = await given([callTool("bash", { command: "echo hi > hi.txt" }), say("I see.")]);
    const live = await start(host, place, {
      sandbox: { mode: "none", network: false },
      approval: "ask",
      permissions: { ...NO_RULES, on_ask: "wait" },
    });
    expect(await live.done).toMatchObject({ outcome: "needs_approval" });
    const [call] = live.state().batch;
    if (call === undefined) throw new Error("a call waits");
    const { row } = await loadSession(host.store, LOCAL_TENANT, live.session);
    const { journal } = await openForWriting(host, await claimSession(host, live.session), row.place);
    const yes = { answer: "once", by: "a person", reason: null, rule: null } as const;
    await journal.append(answerDrafts(call, yes, host.clock.now() + APPROVAL_KEPT_MS));
    await journal.close();
    const without = { ...host, tools: host.tools.filter(({ name }) => name !== "bash") };
    const again = await resumeSession(without, { session: live.session, message: null, change: null });
    expect(await again.done).toMatchObject({ outcome: "completed" });
    const events = await eventsOf(host, live.session);
    expect(kinds(events)).not.toContain("ToolStarted");
    expect(resultTexts(events)).toEqual(['error: Not run: this version of belay has no tool "bash".']);
    // That version would not have asked; what it did is what it would do again.
    const { findings } = await replaySession(without, { session: live.session });
    expect(findings.map(({ kind }) => kind)).toEqual(["judgement"]);
  });

  it("shows a request as it was sent, under any version", async () => {
    const { host, place, model } = await given([say("Done.")]);
    const live = await start(host, place);
    await live.done;
    const shown = await requestAt(later(host), live.session, { call: 1 });
    expect(shown).toMatchObject({ as_sent: true, prompt_as_sent: true });
    expect(shown.request.system).toBe(model.calls[0]?.system);
    expect(shown.request.tools).toEqual(model.calls[0]?.tools);
  });

  it("is held to a system prompt that no version of today has, where that is what it began with", async () => {
    const { host, place, model } = await given([say("Done."), say("More.")]);
    const live = await start(host, place);
    await live.done;
    const old = promptFrom("You are an agent of older days.", [], "[]");
    await heldTo(host, live.session, old);
    await (
      await resumed(host, live.session)
    ).done;
    expect(model.calls.at(-1)).toMatchObject({ system: "You are an agent of older days.", tools: [] });
  });
});

describe("a session that a person holds to this version's prompt", () => {
  it("sends the new texts from then on; the break is journaled, and the count of the prefix begins anew", async () => {
    const { host, place, model } = await given([say("Done."), say("More.")]);
    const live = await start(host, place);
    await live.done;
    const other = later(host);
    const again = await resumed(other, live.session, { repin: true });
    await again.done;
    const [first, second] = model.calls;
    if (first === undefined || second === undefined) throw new Error("there were two calls");
    expect(prefixOf(second)).not.toBe(prefixOf(first));
    const events = await eventsOf(host, live.session);
    expect(pinsIn(events).map(({ reason }) => reason)).toEqual(["start", "repin"]);
    const changed = events.findLast((event) => event.kind === "SettingsChanged");
    expect(changed?.data.config.versions).toMatchObject(promptOf(other.tools).versions);
    expect(await replaySession(other, { session: live.session })).toMatchObject({ verdict: "equal" });
  });

  it("is left as it is where nothing differs", async () => {
    const { host, place } = await given([say("Done."), say("More.")]);
    const live = await start(host, place);
    await live.done;
    await (
      await resumed(host, live.session, { repin: true })
    ).done;
    expect(pinsIn(await eventsOf(host, live.session))).toHaveLength(1);
    expect(await repinSession(host, live.session, null)).toMatchObject({ changed: false });
  });

  it("can be held to another session's texts, without a run", async () => {
    const { host, place, model } = await given([say("One."), say("Two."), say("More.")]);
    const one = await start(host, place);
    await one.done;
    const two = await start(later(host), place);
    await two.done;
    expect(await repinSession(host, one.session, two.session)).toMatchObject({ changed: true });
    const events = await eventsOf(host, one.session);
    expect(kinds(events).slice(-2)).toEqual(["PromptPinned", "SettingsChanged"]);
    expect(pinsIn(events).at(-1)?.parts).toEqual(pinsIn(await eventsOf(host, two.session))[0]?.parts);
    await (
      await resumed(host, one.session)
    ).done;
    const [, second, third] = model.calls;
    expect(third?.tools).toEqual(second?.tools);
  });
});

describe("the texts of a session", () => {
  it("outlive a clean-up of the store, and go when no session is held to them", async () => {
    const clock = manualClock();
    const { host, place } = await given([say("Done.")], createMemoryStore({ clock }));
    const live = await start(host, place);
    await live.done;
    await clock.advance(2 * BLOB_GRACE_MS);
    await host.store.pruneBlobs(LOCAL_TENANT);
    const names = namesOf(promptOf(host.tools));
    expect((await loadTexts(host.store, LOCAL_TENANT, names)).system).toBe(SYSTEM_PROMPT);
    await host.store.deleteSession(LOCAL_TENANT, live.session);
    await host.store.pruneBlobs(LOCAL_TENANT);
    await expect(loadTexts(host.store, LOCAL_TENANT, names)).rejects.toMatchObject({ kind: "blob_missing" });
  });

  it("are put again where a clean-up took them just before the session that needs them", async () => {
    const clock = manualClock();
    const { host, place } = await given([say("One."), say("Two.")], createMemoryStore({ clock }));
    const live = await start(host, place);
    await live.done;
    await host.store.deleteSession(LOCAL_TENANT, live.session);
    await clock.advance(2 * BLOB_GRACE_MS);
    await host.store.pruneBlobs(LOCAL_TENANT);
    const next = await start(host, place);
    expect(await next.done).toMatchObject({ outcome: "completed" });
    expect(await loadTexts(host.store, LOCAL_TENANT, namesOf(promptOf(host.tools)))).toEqual(promptOf(host.tools));
  });

  it("are missed before anything is sent, with the way on, and the session is free for it", async () => {
    const { host, place, model } = await given([say("Done."), say("More.")]);
    const live = await start(host, place);
    await live.done;
    const gone: Host = { ...later(host), store: withoutBlobs(host.store) };
    await expect(resumed(gone, live.session)).rejects.toMatchObject({
      kind: "blob_missing",
      todo: expect.stringContaining(`belay resume ${live.session} --repin`) as string,
    });
    expect(model.calls).toHaveLength(1);
    const replay = await replaySession(gone, { session: live.session });
    expect(replay.findings.map(({ kind }) => kind)).toEqual(["prompt"]);
    await (
      await resumed(later(host), live.session, { repin: true })
    ).done;
    expect(model.calls).toHaveLength(2);
  });

  it("come along with a fork and in a session's file", async () => {
    const { host, place } = await given([say("Done.")]);
    const live = await start(host, place);
    await live.done;
    const old = promptFrom("You are an agent of older days.", [], "[]");
    await heldTo(host, live.session, old);
    const fork = await forkSession(host, { session: live.session, at: null });
    await host.store.deleteSession(LOCAL_TENANT, live.session);
    const file = await exportedFile(host, fork.session);
    const away = await given([say("More.")]);
    const { session } = await importSession(away.host, {
      file: one(file),
      cwd: away.place.repository,
      sessions: join(away.place.home, "sessions"),
      as_new: false,
      confinement: { sandbox: { mode: "none", network: false }, approval: "allow" },
    });
    await (
      await resumed(away.host, session)
    ).done;
    expect(away.model.calls[0]).toMatchObject({ system: "You are an agent of older days.", tools: [] });
  });
});

describe("a session of a version before texts were kept", () => {
  it("goes on under this version's, as it did then, and is held to them from now on", async () => {
    const { host, place, model } = await given([say("Done."), say("More.")]);
    const live = await start(host, place);
    await live.done;
    const unpinned = await withoutPin(host, live.session);
    const other = later(host);
    await (
      await resumed(other, unpinned)
    ).done;
    expect(model.calls.at(-1)?.tools).toEqual(promptOf(other.tools).tools);
    expect(pinsIn(await eventsOf(host, unpinned)).map(({ reason }) => reason)).toEqual(["resume"]);
  });
});

/** As a version would have left it that had these texts. */
async function heldTo(host: Host, session: SessionId, prompt: ReturnType<typeof promptOf>): Promise<void> {
  const { row, state } = await loadSession(host.store, LOCAL_TENANT, session);
  if (state.config === null) throw new Error("the session was configured");
  const { journal } = await openForWriting(host, await claimSession(host, session), row.place);
  await appendPinned(journal, host.store, prompt, [pinDraft({ prompt, config: state.config, reason: "start" })]);
  await journal.close();
}

/** A fork from before the pin, with the conversation said again. */
async function withoutPin(host: Host, session: SessionId): Promise<SessionId> {
  const events = await eventsOf(host, session);
  const pin = events.find((event) => event.kind === "PromptPinned");
  if (pin === undefined) throw new Error("the session is pinned");
  return (await forkSession(host, { session, at: pin.seq - 1 })).session;
}

function withoutBlobs(store: Store): Store {
  const empty = createMemoryStore({ clock: manualClock() });
  return new Proxy(store, {
    get: (target, name: keyof Store) => {
      if (name === "getBlob") return empty.getBlob.bind(empty);
      const member = target[name];
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

async function* one(file: Uint8Array): AsyncGenerator<Uint8Array> {
  yield file;
}
