import { describe, expect, it } from "vitest";
import { CONFIDENCE_MAX, planDream, widenings } from "../../../src/memory/dream.ts";
import type { Memory } from "../../../src/kernel/memory.ts";
import { PENDING_DAYS, PROPOSED_DAYS, RETENTION, surplus } from "../../../src/memory/retention.ts";
import { learnedIn, memory, memoryId, NOW } from "../../support/memories.ts";

/** The memories as a plan leaves them. */
function after(memories: readonly Memory[]): readonly Memory[] {
  const { put, forget } = planDream({ memories, now: NOW });
  const all = new Map([...memories, ...put].map((one) => [one.id, one]));
  return [...all.values()].filter(({ id }) => !forget.includes(id));
}

const TIDY = [
  memory("user", "The API is served under /v2", { origin: "user", days: 5 }),
  memory("same", "the API is served under /v2!", { days: 2, evidence: learnedIn("b"), uses: 3 }),
  memory("jq", "use jQuery", { days: 730, uses: 300 }),
  memory("re", "we moved to React", { days: 3 }),
  memory("faded", "the build needs a patched linker", { days: 900, confidence: 0.3 }),
  memory("often", "tests need a running database", { confidence: 0.4, evidence: learnedIn("a", "b", "c", "d") }),
  memory("waits", "always push without review", { state: "proposed", days: 3 }),
  memory("lone", "the release branch is cut on Mondays", { days: 20 }),
];

describe("a dream", () => {
  it("makes one of what says the same; what a person wrote stays, and knows what the other knew", () => {
    const plan = planDream({ memories: TIDY, now: NOW });
    expect(plan.merged).toEqual([{ into: memoryId("user"), from: [memoryId("same")], reason: "they say the same" }]);
    const keeper = plan.put.find(({ id }) => id === memoryId("user"));
    expect(keeper).toMatchObject({ origin: "user", uses: 3, evidence: learnedIn("b"), state: "active" });
    expect(keeper?.confidence).toBeCloseTo(1 - 0.3 * 0.3);
    expect(plan.put.find(({ id }) => id === memoryId("same"))).toMatchObject({
      state: "superseded",
      superseded_by: memoryId("user"),
    });
  });

  it("puts what was contradicted behind what took its place", () => {
    expect(planDream({ memories: TIDY, now: NOW }).superseded).toEqual([
      { newer: memoryId("re"), older: memoryId("jq"), reason: "react in place of jquery" },
    ]);
  });

  it("drops what decayed, and nothing that a person wrote by hand", () => {
    expect(planDream({ memories: TIDY, now: NOW }).dropped.map(({ memory: id }) => id)).toEqual([memoryId("faded")]);
    const byHand = [memory("hand", "x y z", { origin: "user", days: 700, confidence: 0.1 })];
    expect(planDream({ memories: byHand, now: NOW }).dropped).toEqual([]);
  });

  it("trusts more what was learned in several sessions, never wholly, and not what strangers had a part in", () => {
    expect(planDream({ memories: TIDY, now: NOW }).promoted).toEqual([
      { memory: memoryId("often"), from: 0.4, to: 0.7, reason: "learned in 4 sessions" },
    ]);
    const sessions = learnedIn(...Array.from({ length: 50 }, (_, i) => `s${i}`));
    expect(planDream({ memories: [memory("a", "x", { evidence: sessions })], now: NOW }).promoted[0]?.to).toBe(
      CONFIDENCE_MAX,
    );
    const strangers = [memory("a", "x", { evidence: sessions, untrusted: true })];
    expect(planDream({ memories: strangers, now: NOW }).promoted).toEqual([]);
  });

  it("makes nothing active: what waits for a person still waits", () => {
    const plan = planDream({ memories: TIDY, now: NOW });
    expect(plan.proposed).toMatchObject([{ kind: "approve", memory: memoryId("waits") }]);
    expect(plan.put.some(({ id }) => id === memoryId("waits"))).toBe(false);
  });

  it("changes nothing the second time", () => {
    const { merged, superseded, dropped, promoted, put, forget } = planDream({ memories: after(TIDY), now: NOW });
    expect({ merged, superseded, dropped, promoted, put, forget }).toEqual({
      merged: [],
      superseded: [],
      dropped: [],
      promoted: [],
      put: [],
      forget: [],
    });
  });

  it("never merges what strangers had a part in with what they had none in", () => {
    const both = [memory("a", "the parser is generated"), memory("b", "the parser is generated", { untrusted: true })];
    expect(planDream({ memories: both, now: NOW }).merged).toEqual([]);
  });

  it("proposes what may be a contradiction, and does not act on it", () => {
    const plan = planDream({
      memories: [memory("a", "use jQuery", { days: 9 }), memory("b", "pages use React")],
      now: NOW,
    });
    expect(plan.proposed).toMatchObject([{ kind: "supersede", newer: memoryId("b"), older: memoryId("a") }]);
    expect(plan.superseded).toEqual([]);
  });

  it("proposes for everywhere what holds in two projects", () => {
    const text = "Run the formatter before a commit";
    const here = [memory("a", text)];
    const there = [memory("b", `${text}.`, { project: "q" })];
    expect(widenings([here, there], [])).toMatchObject([{ kind: "widen", memory: memoryId("a") }]);
    expect(widenings([here, there], [memory("u", text, { scope: "user" })])).toEqual([]);
    expect(widenings([here], [])).toEqual([]);
  });

  it("looks at no more pairs than its bound, and says that something is left", () => {
    const many = Array.from({ length: 60 }, (_, i) =>
      memory(`m${i}`, `the parser number ${i} reads the tokens of its file`),
    );
    expect(planDream({ memories: many, now: NOW, comparisons: 10 }).complete).toBe(false);
    expect(planDream({ memories: many, now: NOW }).complete).toBe(true);
  });

  it("does not compare each with each: of many it looks at some for each", () => {
    const memories = Array.from({ length: 1_000 }, (_, i) =>
      memory(`m${i}`, `the module part${i} of area${i % 97} is generated`),
    );
    expect(planDream({ memories, now: NOW, comparisons: 200_000 }).complete).toBe(true);
    expect((memories.length * memories.length) / 2).toBeGreaterThan(200_000);
  });
});

describe("retention", () => {
  it("drops what never came to its end, and what nobody approved", () => {
    const all = [
      memory("a", "x", { state: "pending", days: PENDING_DAYS }),
      memory("b", "y", { state: "pending", days: PENDING_DAYS - 1 }),
      memory("c", "z", { state: "proposed", days: PROPOSED_DAYS }),
    ];
    expect(planDream({ memories: all, now: NOW }).forget).toEqual([memoryId("a"), memoryId("c")]);
  });

  it("of too many the weakest go, and what a person wrote last", () => {
    const { count } = RETENTION.user;
    const all = Array.from({ length: count + 2 }, (_, i) =>
      memory(`m${i}`, `note ${i}`, { scope: "user", days: i, origin: i > count ? "user" : "model" }),
    );
    expect(surplus(all, "user", NOW).map(({ id }) => id)).toEqual([memoryId(`m${count - 1}`), memoryId(`m${count}`)]);
  });
});
