/** Replays: of every journal that can occur, of real ones, and of those that somebody changed. */
import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import type { Host } from "../../../src/engine/host.ts";
import { rollbackSession } from "../../../src/engine/operations.ts";
import { type Replay, replaySession } from "../../../src/engine/replay/replay.ts";
import { resumeSession } from "../../../src/engine/session.ts";
import { decide } from "../../../src/kernel/decide.ts";
import type { Event } from "../../../src/kernel/events/index.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import type { SessionState } from "../../../src/kernel/state.ts";
import type { Step } from "../../../src/kernel/step.ts";
import { blobReferences } from "../../../src/store/blob-references.ts";
import { sealedRecord } from "../../../src/store/event-record.ts";
import { summaryOf } from "../../../src/store/journal.ts";
import { createMemoryStore } from "../../../src/store/memory/memory-store.ts";
import type { Store } from "../../../src/store/port.ts";
import {
  callTool,
  callTools,
  fail,
  hang,
  say,
  scriptedModel,
  type ScriptedStep,
} from "../../../src/testing/scripted-model.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";
import { testHost } from "../../support/host.ts";
import { start, testPlace } from "../../support/session.ts";
import {
  choicesFrom,
  simulate,
  type Simulated,
  SIMULATED_PRICES,
  SIMULATED_TOOLS,
} from "../../support/simulated-session.ts";
import { newSession } from "../../support/session-fixture.ts";

const numbers = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 120 });
const RUNS = 300;

/** The journal in a store, as if it had been driven there. */
async function stored(events: readonly Event[], { start: begin, state }: Simulated): Promise<Store> {
  const store = createMemoryStore({ clock: manualClock() });
  const { session, tenant, trace } = begin;
  await store.createSession({ ...newSession(session), trace, summary: summaryOf(state) });
  const owner = { token: "t", host: "h", pid: 1, start_time: null, boot_id: null };
  const lease = await store.claim({ tenant, session, owner, ttl_ms: 1_000 });
  const sealed = events.map(({ hash: _hash, ...event }) => sealedRecord(event));
  for (const { spill } of sealed) if (spill) await store.putBlob(tenant, spill);
  const records = sealed.map(({ record }) => record);
  const blobs = events.flatMap(({ data }) => blobReferences(data));
  await store.append({ lease, after_seq: 0, records, blobs, summary: summaryOf(state) });
  return store;
}

async function replayed(simulated: Simulated, events = simulated.events, otherwise?: typeof decide): Promise<Replay> {
  const store = await stored(events, simulated);
  const request = { session: simulated.start.session, ...(otherwise ? { decide: otherwise } : {}) };
  return replaySession({ store, tools: SIMULATED_TOOLS, prices: SIMULATED_PRICES, home: "/home/user" }, request);
}

/** Changes the data of one event and seals it and all after it anew, so that only what it says is wrong. */
function resealed(events: readonly Event[], index: number, data: unknown): readonly Event[] {
  let prev_hash = events[0]?.prev_hash ?? "";
  return events.map((event, i) => {
    const { hash: _hash, ...envelope } = event;
    const changed = { ...envelope, prev_hash, ...(i === index ? { data } : {}) };
    const { hash } = sealedRecord(changed).record;
    prev_hash = hash;
    return { ...changed, hash } as Event; // the kind is as it was; its data is what the test is about
  });
}

describe("a replay of any journal that can occur", () => {
  it("derives everything anew and finds it equal, wherever a crash cut a run off", async () => {
    await fc.assert(
      fc.asyncProperty(numbers, async (choices) => {
        const simulated = simulate(choicesFrom(choices));
        const replay = await replayed(simulated);
        expect(replay.findings).toEqual([]);
        expect(replay).toMatchObject({ verdict: "equal", events: simulated.events.length, unknown: 0 });
        expect(replay.checked.decisions).toBeGreaterThan(0);
      }),
      { numRuns: RUNS },
    );
  });

  it("notices every decision that is taken otherwise", async () => {
    await fc.assert(
      fc.asyncProperty(numbers, fc.nat(), async (choices, which) => {
        const simulated = simulate(choicesFrom(choices));
        // The wrong one is taken wherever the loop is in the chosen state: one of those it really was in, and acted from.
        // A decision that a crash cut off before its first event (a wait that was under way) left nothing to compare.
        const acted = simulated.seqs.flatMap((seq, index) =>
          simulated.events[seq]?.kind === "RunStarted" ? [] : [{ seq, right: simulated.steps[index] }],
        );
        const { seq, right } = acted[which % acted.length] ?? { seq: 0, right: undefined };
        const wrong = (state: SessionState): Step => (state.seq === seq ? anotherThan(right) : decide(state));
        const replay = await replayed(simulated, simulated.events, wrong);
        expect(replay.verdict).toBe("changed");
        expect(replay.findings[0]?.seq).toBe(seq + (simulated.events[seq]?.kind === "RateWaited" ? 2 : 1));
      }),
      { numRuns: RUNS },
    );
  });

  it("notices a value that belay derived and somebody changed, also when all hashes were made anew", async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(numbers, fc.nat(), async (choices, which) => {
        const simulated = simulate(choicesFrom(choices));
        const derived = simulated.events.flatMap((event, index) => {
          const changed = otherwiseDerived(event);
          return changed === null ? [] : [{ index, changed, kind: event.kind }];
        });
        const one = derived[which % derived.length];
        if (one === undefined) return;
        const replay = await replayed(simulated, resealed(simulated.events, one.index, one.changed));
        expect(replay.verdict, one.kind).toBe("changed");
        expect(replay.findings[0]?.seq).toBe(one.index + 1);
        seen.add(one.kind);
      }),
      { numRuns: RUNS },
    );
    expect(seen.size).toBeGreaterThan(5);
  });

  it("is damaged when a byte of a record was changed", async () => {
    await fc.assert(
      fc.asyncProperty(numbers, fc.nat(), async (choices, which) => {
        const simulated = simulate(choicesFrom(choices));
        const store = await stored(simulated.events, simulated);
        const seq = (which % simulated.events.length) + 1;
        const changing: Store = {
          ...store,
          read: async (query) =>
            (await store.read(query)).map((record) =>
              record.seq === seq ? { ...record, body: record.body.replace(/"at":\d+/, '"at":1') } : record,
            ),
        };
        const host = { store: changing, tools: SIMULATED_TOOLS, prices: SIMULATED_PRICES, home: "/home/user" };
        const replay = await replaySession(host, { session: simulated.start.session });
        expect(replay).toMatchObject({ verdict: "damaged", events: seq - 1 });
      }),
      { numRuns: 50 },
    );
  });
});

/** The payload with something in it that belay would not have come to; null for what came from outside or was measured. */
function otherwiseDerived({ kind, data }: Event): object | null {
  switch (kind) {
    case "BudgetReserved":
      return { ...data, tokens: data.tokens + 1 };
    case "BudgetSettled":
      return { ...data, price: "another" };
    case "ModelCallStarted":
      return { ...data, request: "another" };
    case "ToolJudged":
      return { ...data, reason: "another" };
    case "ToolStarted":
      return { ...data, limit_ms: data.limit_ms + 1 };
    case "RetryScheduled":
      return { ...data, attempt: data.attempt + 1 };
    case "HistoryRepaired":
      return { ...data, repair: data.repair === "rebuild" ? "continue" : "rebuild" };
    case "CheckpointCreated":
      return { ...data, label: "another" };
    case "VerificationFinished":
      return { ...data, command: "another" };
    case "RecoveryFinished":
      return { ...data, processes: data.processes + 1 };
    case "LimitReached":
      return { ...data, value: data.value + 1 };
    case "RunEnded":
      return { ...data, verification: data.verification === "passed" ? "waived" : "passed" };
    case "ApprovalRequested":
      return { ...data, hash: "another" };
    default:
      return null;
  }
}

function anotherThan(step: Step | undefined): Step {
  return step?.kind === "verify" ? { kind: "checkpoint", label: "no" } : { kind: "verify", command: "something else" };
}

const SCRIPT: readonly ScriptedStep[] = [
  callTools([
    { name: "glob", input: { pattern: "*" } },
    { name: "read", input: { path: "log.txt" } },
    { name: "launch_missiles", input: {} },
  ]),
  fail("overloaded"),
  callTool("write", { path: "a.txt", content: "a\n" }),
  callTool("bash", { command: "seq 1 30000; echo b > b.txt" }),
  say("Done."),
  say("Again."),
];

async function driven(
  facts: Parameters<typeof start>[2] = {},
  script = SCRIPT,
): Promise<{ host: Host; live: Awaited<ReturnType<typeof start>> }> {
  const place = testPlace();
  const host = { ...(await testHost({ home: place.home, model: scriptedModel(script) })), random: () => 0.01 };
  return { host, live: await start(host, place, facts) };
}

describe("a replay of a real session", () => {
  it("is equal to the byte: with retries, a failed verification, a resume with other settings, and a rollback", async () => {
    const { host, live } = await driven({ verify: "test -e never" });
    await live.done;
    const { session } = live;
    await rollbackSession(host, session, null, "not that");
    const again = await resumeSession(host, {
      session,
      message: null,
      change: (config) => ({ ...config, verify: "true", limits: { ...config.limits, turns: 50 } }),
    });
    await again.done;
    const replay = await replaySession(host, { session });
    expect(replay.findings).toEqual([]);
    expect(replay).toMatchObject({ verdict: "equal", unknown: 0, found: 0 });
    expect(replay.checked).toMatchObject({ requests: 6 });
  });

  it("is equal where a person canceled in the middle of a call and went on", async () => {
    const { host, live } = await driven({}, [callTool("bash", { command: "sleep 30" }), say("Done."), hang()]);
    live.onEvents((events) => {
      if (events.some((event) => event.kind === "ToolProcessStarted")) live.cancel("sigterm", "stop");
    });
    expect(await live.done).toMatchObject({ outcome: "canceled", exit_code: 143 });
    const again = await resumeSession(host, { session: live.session, message: null, change: null });
    await again.done;
    expect(await replaySession(host, { session: live.session })).toMatchObject({ verdict: "equal", findings: [] });
  });

  it("names what the policy or the prices of another version would change, and still has the same state", async () => {
    const { host, live } = await driven();
    await live.done;
    const { session } = live;
    const [first, ...rest] = host.tools;
    if (first === undefined) throw new Error("there are tools");
    const other = {
      ...host,
      tools: [{ ...first, description: "another" }, ...rest.map((tool) => ({ ...tool, limit_max_ms: 1 }))],
    };
    const changed = await replaySession(other, { session });
    expect(changed.verdict).toBe("changed");
    expect(new Set(changed.findings.map(({ kind }) => kind))).toEqual(new Set(["judgement"])); // it is held to its prompt
    expect(changed.state).toBe((await replaySession(host, { session })).state);
    const dearer = { ...host, prices: { ...host.prices, costOf: async () => null } };
    const priced = await replaySession(dearer, { session });
    expect(new Set(priced.findings.map(({ kind }) => kind))).toEqual(new Set(["price"]));
  });

  it("sees a snapshot or a summary that its events do not come to", async () => {
    const { host, live } = await driven();
    await live.done;
    const { session } = live;
    const kept = await host.store.getSnapshot(LOCAL_TENANT, session);
    if (kept === null) throw new Error("a closed journal keeps a snapshot");
    await host.store.putSnapshot({ ...kept, state: kept.state.replace('"turn":', '"turn":1') });
    const replay = await replaySession(host, { session });
    expect(replay.findings.map(({ kind, seq }) => ({ kind, seq }))).toEqual([{ kind: "state", seq: kept.seq }]);
  });
});
