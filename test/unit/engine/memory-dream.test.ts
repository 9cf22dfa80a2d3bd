/** Dreams over a real store: one at a time, stopped between two steps, and never against who forgets. */
import { describe, expect, it, onTestFinished } from "vitest";
import { dream, type DreamRequest, type Dreamed } from "../../../src/engine/memory/dream.ts";
import { beginDream, DREAM_LEASE_MS, endDream } from "../../../src/engine/memory/dream-lease.ts";
import { dreamWhenDue } from "../../../src/engine/memory/auto-dream.ts";
import type { Host } from "../../../src/engine/host.ts";
import { recallFrom } from "../../../src/engine/memory/recall.ts";
import { type Memory, MEMORY_STATES } from "../../../src/kernel/memory.ts";
import type { Store } from "../../../src/store/port.ts";
import { manualClock, type ManualClock } from "../../../src/testing/manual-clock.ts";
import { say, scriptedModel } from "../../../src/testing/scripted-model.ts";
import { systemClock, testHost } from "../../support/host.ts";
import { DAY, learnedIn, memory, memoryId, NOW, OF } from "../../support/memories.ts";
import { start, testPlace } from "../../support/session.ts";
import { createMemoryStore } from "../../../src/store/memory/memory-store.ts";

interface World {
  readonly clock: ManualClock;
  readonly store: Store;
  readonly host: Pick<Host, "store" | "ids">;
  dream(facts?: Partial<DreamRequest>): Promise<Dreamed>;
  all(): Promise<readonly Memory[]>;
}

const ASKED = { of: OF, projects: ["p"], owner: "me", apply: true, applyProposals: false } as const;

async function world(...memories: readonly Memory[]): Promise<World> {
  const clock = manualClock(NOW);
  const store = createMemoryStore({ clock });
  await store.changeMemories(OF, { put: memories, forget: [], used: [] });
  let minted = 0;
  const host = { store, ids: { memory: () => memoryId(`new${minted++}`) } as Host["ids"] }; // a dream mints nothing else
  return {
    clock,
    store,
    host,
    dream: (facts = {}) => dream(host, { ...ASKED, signal: new AbortController().signal, ...facts }),
    all: () => store.listMemories({ ...OF, project: "p", states: MEMORY_STATES }, 100),
  };
}

const states = (all: readonly Memory[]): Record<string, string> =>
  Object.fromEntries(all.map(({ text, state }) => [text, state]));

const FADED = memory("faded", "the build needs a patched linker", { days: 900, confidence: 0.3 });

describe("a dream", () => {
  it("does what it says; with --dry-run it only says it", async () => {
    const { dream: sleep, all } = await world(
      memory("a", "use jQuery", { days: 700 }),
      memory("b", "we moved to React"),
      FADED,
    );
    const before = await all();
    const dry = await sleep({ apply: false });
    expect(await all()).toEqual(before);
    const done = await sleep();
    if (dry.status === "busy" || done.status === "busy") expect.fail("nobody else dreams");
    expect(dry.places).toEqual(done.places);
    expect(states(await all())).toEqual({ "we moved to React": "active", "use jQuery": "superseded" });
  });

  it("two at once: one runs, the other changes nothing and says until when it waits", async () => {
    const { dream: sleep, store, all } = await world(FADED);
    expect(await beginDream(store, OF.tenant, "another")).toBe(true);
    expect(await sleep()).toEqual({ status: "busy", until: NOW + DREAM_LEASE_MS });
    expect(await all()).toEqual([FADED]);
    await endDream(store, OF.tenant, "another", true);
    expect(await sleep()).toMatchObject({ status: "done" });
    expect(await all()).toEqual([]);
  });

  it("of many that begin in the same instant one runs", async () => {
    const { dream: sleep } = await world(FADED);
    const ended = await Promise.all(["a", "b", "c", "d"].map((owner) => sleep({ owner })));
    expect(ended.filter(({ status }) => status === "done").length).toBeGreaterThanOrEqual(1);
    const dropped = ended.flatMap((one) =>
      one.status === "busy" ? [] : one.places.flatMap(({ plan }) => plan.dropped),
    );
    expect(dropped).toHaveLength(1);
  });

  it("that died keeps nobody waiting for longer than its lease", async () => {
    const { dream: sleep, store, clock } = await world(FADED);
    await beginDream(store, OF.tenant, "dead");
    await clock.advance(DREAM_LEASE_MS);
    expect(await sleep()).toMatchObject({ status: "done" });
  });

  it("that was stopped changes nothing more, and is due again", async () => {
    const { dream: sleep, all } = await world(FADED);
    expect(await sleep({ signal: AbortSignal.abort("canceled") })).toMatchObject({ status: "canceled", places: [] });
    expect(await all()).toEqual([FADED]);
    expect(await sleep()).toMatchObject({ status: "done" });
  });

  it("applies what it proposed when a person says so, but for what strangers had a part in", async () => {
    const { dream: sleep, all } = await world(
      memory("a", "use jQuery", { days: 9 }),
      memory("b", "pages use React"),
      memory("c", "always run the formatter", { state: "proposed" }),
      memory("d", "never run the formatter", { state: "proposed", untrusted: true }),
    );
    await sleep();
    expect(states(await all())).toMatchObject({ "use jQuery": "active", "always run the formatter": "proposed" });
    await sleep({ applyProposals: true });
    expect(states(await all())).toEqual({
      "use jQuery": "superseded",
      "pages use React": "active",
      "always run the formatter": "active",
      "never run the formatter": "proposed",
    });
  });

  it("brings nothing back that was forgotten while it was at work", async () => {
    const of = await world(
      memory("a", "tests need a database", { confidence: 0.3, evidence: learnedIn("x", "y", "z") }),
    );
    const { store, all } = of;
    // Forgotten between what the dream read and what it writes.
    const racing: Store = Object.create(store, {
      changeMemories: {
        value: async (...of: Parameters<Store["changeMemories"]>) => {
          await store.changeMemories(OF, { put: [], forget: [memoryId("a")], used: [] });
          return store.changeMemories(...of);
        },
      },
    }) as Store; // the store itself, but for the one command
    await dream({ ...of.host, store: racing }, { ...ASKED, signal: new AbortController().signal });
    expect(await all()).toEqual([]);
  });
});

describe("between sessions", () => {
  it("belay dreams by itself when five sessions were and a day is over, and not before", async () => {
    const place = testPlace();
    const model = scriptedModel(Array.from({ length: 6 }, () => say("Done.")));
    const host = await testHost({ home: place.home, model });
    onTestFinished(() => host.store.close());
    const facts = { memory: { recall: 0, remember: true, project: "p" } };
    const faded = { ...FADED, created_at: 0, used_at: 0 };
    await host.store.changeMemories(OF, { put: [faded], forget: [], used: [] });
    const there = async (): Promise<number> => (await host.store.getMemories(OF, [faded.id])).length;
    for (let i = 0; i < 4; i++) await (await start(host, place, facts)).done;
    expect(await there()).toBe(1);
    const fifth = await start(host, place, facts);
    await fifth.done;
    expect(await there()).toBe(0);
    expect(await dreamWhenDue(host, fifth.state(), new AbortController().signal)).toBeNull();
  });
});

describe("five thousand memories", () => {
  it("a recall costs a small multiple of what reading one of them costs", async () => {
    const place = testPlace();
    const { store } = await testHost({ home: place.home, model: scriptedModel([]) });
    onTestFinished(() => store.close());
    const words = ["parser", "cluster", "login", "report", "queue", "schema", "cache", "worker", "invoice", "theme"];
    const put = Array.from({ length: 5_000 }, (_, i) =>
      memory(`m${i}`, `the ${words[i % 10]} of module${i % 331} is written by team${i % 17} in step ${i}`, {
        days: i % 400,
      }),
    );
    await store.changeMemories(OF, { put, forget: [], used: [] });
    const timed = async (work: () => Promise<unknown>): Promise<number> => {
      const started = systemClock.monotonic();
      await work();
      return systemClock.monotonic() - started;
    };
    const bare: number[] = [];
    const recalls: number[] = [];
    for (let i = 0; i < 40; i++) {
      bare.push(await timed(() => store.getMemories(OF, [memoryId(`m${i * 7}`)])));
      const task = `fix how the ${words[i % 10]} of module${(i * 13) % 331} treats an empty ${words[(i + 3) % 10]}`;
      const wanted = {
        view: { ...OF, project: "p" },
        task,
        known: new Set<never>(),
        untrusted: false,
        limit: 5,
        now: NOW + DAY,
      };
      recalls.push(await timed(async () => expect(await recallFrom(store, wanted)).not.toEqual([])));
    }
    const p95 = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.95)] ?? 0;
    if (process.env["BELAY_SHOW_TIMES"] === "1") console.log({ bare: p95(bare), recall: p95(recalls) });
    expect(p95(recalls)).toBeLessThan(400 * Math.max(p95(bare), 0.1));
  });
});
