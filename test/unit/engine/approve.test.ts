/** Questions that a run left behind, and their answers: over real git, SQLite and processes. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { answerApproval, APPROVAL_KEPT_MS, askedAt } from "../../../src/engine/approve.ts";
import { suggestionFor, waitingCalls } from "../../../src/engine/ask.ts";
import type { ApprovalAnswer, Host } from "../../../src/engine/host.ts";
import { rollbackSession } from "../../../src/engine/operations.ts";
import { claimSession, resumeSession } from "../../../src/engine/session.ts";
import type { SessionConfig } from "../../../src/kernel/config.ts";
import { LOCAL_TENANT, type SessionId } from "../../../src/kernel/ids.ts";
import { NO_RULES } from "../../../src/kernel/permissions.ts";
import { loadSession } from "../../../src/store/journal.ts";
import { callTools, say, scriptedModel, type ScriptedStep } from "../../../src/testing/scripted-model.ts";
import { systemClock, testHost } from "../../support/host.ts";
import { eventsOf, kinds, resultTexts, start, testPlace } from "../../support/session.ts";

/** Every command is asked about, and nobody is there. */
const ASKS: Partial<SessionConfig> = {
  sandbox: { mode: "none", network: false },
  approval: "ask",
  permissions: { ...NO_RULES, on_ask: "wait" },
};

const YES: ApprovalAnswer = { answer: "once", by: "a person", reason: null, rule: null };
const NO: ApprovalAnswer = { answer: "no", by: "a person", reason: "use the other file", rule: null };

interface Left {
  readonly host: Host;
  readonly session: SessionId;
  readonly waiting: ReturnType<typeof waitingCalls>;
  readonly root: string;
}

async function left(...commands: readonly string[]): Promise<Left> {
  const place = testPlace();
  const script: readonly ScriptedStep[] = [
    callTools(commands.map((command) => ({ name: "bash", input: { command } }))),
    say("Done."),
    say("Again."),
  ];
  const host = await testHost({ home: place.home, model: scriptedModel(script) });
  const live = await start(host, place, ASKS);
  const report = await live.done;
  expect(report).toMatchObject({ outcome: "needs_approval", exit_code: 4 });
  return { host, session: live.session, waiting: await waitingIn(host, live.session), root: report.workspace ?? "" };
}

async function waitingIn(host: Host, session: SessionId): Promise<ReturnType<typeof waitingCalls>> {
  return waitingCalls((await loadSession(host.store, LOCAL_TENANT, session)).state);
}

function firstOf({ waiting }: Left): (typeof waiting)[number] {
  return waiting[0] ?? expect.fail("no call waits");
}

async function goOn({ host, session }: Left): Promise<string> {
  return (await (await resumeSession(host, { session, message: null, change: null })).done).outcome;
}

describe("a question that nobody was there for", () => {
  it("ends the run, holds nothing, and says all that a person needs to know", async () => {
    const { host, session, waiting } = await left("touch one", "touch two");
    expect(waiting.map(({ part, reason, rule, sources }) => [part.input["command"], reason, rule, sources])).toEqual([
      ["touch one", "there is no sandbox", null, []],
      ["touch two", "there is no sandbox", null, []],
    ]);
    const { row, state } = await loadSession(host.store, LOCAL_TENANT, session);
    expect(row.owner).toBeNull();
    expect(row.summary.outcome).toBe("needs_approval");
    const [first] = waiting;
    expect(first === undefined ? null : await suggestionFor(first)).toBe("Bash(touch one)");
    const events = await eventsOf(host, session);
    const asked = events.find((event) => event.kind === "ApprovalRequested");
    expect(first === undefined ? null : await askedAt(host.store, state, first.call)).toBe(asked?.at);
  });

  it("is asked again by no resume, and nothing runs before it is answered", async () => {
    const of = await left("touch one");
    expect(await goOn(of)).toBe("needs_approval");
    expect(existsSync(join(of.root, "one"))).toBe(false);
    expect(kinds(await eventsOf(of.host, of.session)).filter((kind) => kind === "ApprovalRequested")).toHaveLength(1);
  });
});

describe("an answer from elsewhere", () => {
  it("that is a yes is journaled, and the next run does exactly that", async () => {
    const of = await left("touch one");
    const { call, hash } = firstOf(of);
    const before = await of.host.store.now();
    expect(await answerApproval(of.host, { session: of.session, call, hash, answer: YES })).toBe(0);
    const given = (await eventsOf(of.host, of.session)).at(-1);
    expect(given).toMatchObject({
      kind: "ApprovalGiven",
      actor: "user",
      data: { call, approved: true, by: "a person", hash, reason: null, remember: "once" },
    });
    const { expiry = 0 } = (given?.data ?? {}) as { readonly expiry?: number };
    expect(expiry).toBeGreaterThanOrEqual(before + APPROVAL_KEPT_MS);
    expect(existsSync(join(of.root, "one"))).toBe(false);
    expect(await goOn(of)).toBe("completed");
    expect(existsSync(join(of.root, "one"))).toBe(true);
  });

  it("that is a no gives the call its result, with the reason, in the same append", async () => {
    const of = await left("touch one");
    const { call, hash } = firstOf(of);
    await answerApproval(of.host, { session: of.session, call, hash, answer: NO });
    expect(kinds(await eventsOf(of.host, of.session)).slice(-2)).toEqual(["ApprovalGiven", "ToolFinished"]);
    expect(await goOn(of)).toBe("completed");
    expect(existsSync(join(of.root, "one"))).toBe(false);
    expect(resultTexts(await eventsOf(of.host, of.session))[0]).toContain("use the other file");
  });

  it("that remembers a rule adds it to the session", async () => {
    const of = await left("touch one");
    const { call, hash } = firstOf(of);
    const answer: ApprovalAnswer = { ...YES, answer: "session", rule: "Bash(touch one)" };
    await answerApproval(of.host, { session: of.session, call, hash, answer });
    const { state } = await loadSession(of.host.store, LOCAL_TENANT, of.session);
    expect(state.config?.permissions.rules).toEqual([
      { behavior: "allow", rule: "Bash(touch one)", source: "session" },
    ]);
  });

  it("to one of two leaves the other waiting, and no run goes past it", async () => {
    const of = await left("touch one", "touch two");
    const { call, hash } = firstOf(of);
    const other = of.waiting[1];
    expect(await answerApproval(of.host, { session: of.session, call, hash, answer: YES })).toBe(1);
    expect(await goOn(of)).toBe("needs_approval");
    expect((await waitingIn(of.host, of.session)).map((one) => one.call)).toEqual([other?.call]);
  });

  it("counts once: the second is told what became of the first", async () => {
    const of = await left("touch one", "touch two");
    const { call, hash } = firstOf(of);
    await answerApproval(of.host, { session: of.session, call, hash, answer: YES });
    await expect(answerApproval(of.host, { session: of.session, call, hash, answer: NO })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining(`Call ${call} does not wait for an answer: it was approved already.`) as unknown,
    });
  });

  it("given twice at the same time is taken once, and the other is told", async () => {
    const of = await left("touch one");
    const { call, hash } = firstOf(of);
    const answers = [YES, NO].map((answer) => answerApproval(of.host, { session: of.session, call, hash, answer }));
    const ends = await Promise.allSettled(answers);
    expect(ends.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const refused = ends.find((end) => end.status === "rejected");
    expect(refused?.reason).toMatchObject({ message: expect.stringContaining(`Call ${call}`) as unknown });
    expect(kinds(await eventsOf(of.host, of.session)).filter((kind) => kind === "ApprovalGiven")).toHaveLength(1);
  });

  it("is refused while somebody else is at work on the session", async () => {
    const of = await left("touch one");
    const { call, hash } = firstOf(of);
    const lease = await claimSession(of.host, of.session);
    await expect(answerApproval(of.host, { session: of.session, call, hash, answer: YES })).rejects.toMatchObject({
      kind: "lease_held",
      message: expect.stringContaining(`Call ${call} was not answered`) as unknown,
    });
    await of.host.store.release(lease);
    expect(await answerApproval(of.host, { session: of.session, call, hash, answer: YES })).toBe(0);
  });

  it("is refused for anything but the call that was shown", async () => {
    const of = await left("touch one", "touch two");
    const { call } = firstOf(of);
    const other = of.waiting[1];
    const hash = other?.hash ?? "";
    await expect(answerApproval(of.host, { session: of.session, call, hash, answer: YES })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("has changed since it was asked about") as unknown,
    });
    expect(await waitingIn(of.host, of.session)).toHaveLength(2);
  });

  it("is refused once the session went on without the call", async () => {
    const of = await left("touch one");
    const { call, hash } = firstOf(of);
    await rollbackSession(of.host, of.session, null, "not that").catch(() => undefined); // nothing differs; the calls are closed
    await expect(answerApproval(of.host, { session: of.session, call, hash, answer: YES })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("the run went on without it") as unknown,
    });
  });

  it("that is older than it counts is asked for again, and nothing ran", async () => {
    const of = await left("touch one");
    const { call, hash } = firstOf(of);
    await answerApproval(of.host, { session: of.session, call, hash, answer: YES });
    const late = { ...of.host, clock: { ...systemClock, now: () => systemClock.now() + 2 * APPROVAL_KEPT_MS } };
    const store = new Proxy(of.host.store, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (key === "now") return async () => (await target.now()) + 2 * APPROVAL_KEPT_MS;
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const live = await resumeSession({ ...late, store }, { session: of.session, message: null, change: null });
    expect((await live.done).outcome).toBe("needs_approval");
    expect(existsSync(join(of.root, "one"))).toBe(false);
  });
});
