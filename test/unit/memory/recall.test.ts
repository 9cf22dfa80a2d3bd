import { describe, expect, it } from "vitest";
import { createMemoryMemories } from "../../../src/store/memory/memory-memories.ts";
import type { Memory } from "../../../src/kernel/memory.ts";
import { RECALLED_BYTES_MAX } from "../../../src/kernel/memory.ts";
import { recallFrom, type RecallFor } from "../../../src/engine/memory/recall.ts";
import { RECALL_TOKENS_MAX, type Recalled, recallQuery } from "../../../src/memory/recall.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";
import { DAY, memory, memoryId, NOW, OF } from "../../support/memories.ts";

async function recall(
  memories: readonly Memory[],
  task: string,
  facts: Partial<RecallFor> = {},
): Promise<readonly Recalled[]> {
  const store = createMemoryMemories(manualClock(), () => undefined);
  await store.changeMemories(OF, { put: memories, forget: [], used: [] });
  const view = { ...OF, project: "p" };
  return recallFrom(store, { view, task, known: new Set(), untrusted: false, limit: 5, now: NOW, ...facts });
}

const texts = (found: readonly Recalled[]): readonly string[] => found.map(({ memory: { text } }) => text);

describe("what a run begins with", () => {
  it("the newer of two that fit the same comes first, and what was used lately before what was not", async () => {
    const found = await recall(
      [
        memory("a", "the parser reads tokens lazily", { days: 300 }),
        memory("b", "the parser reads tokens eagerly", { days: 1 }),
        memory("c", "the parser reads tokens twice", { days: 300, used_at: NOW - DAY, uses: 20 }),
      ],
      "change how the parser reads tokens",
    );
    expect(texts(found)).toEqual([
      "the parser reads tokens twice",
      "the parser reads tokens eagerly",
      "the parser reads tokens lazily",
    ]);
  });

  it("is few and short: no more than asked for, and no more than the bound of tokens", async () => {
    const many = Array.from({ length: 30 }, (_, i) => memory(`m${i}`, `the parser ${"reads tokens ".repeat(20)} ${i}`));
    const found = await recall(many, "the parser", { limit: 20 });
    expect(found.length).toBeGreaterThan(1);
    expect(found.length).toBeLessThan(20);
    expect(found.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(RECALL_TOKENS_MAX);
    expect(found.reduce((sum, { memory: { text } }) => sum + Buffer.byteLength(text), 0)).toBeLessThanOrEqual(
      RECALLED_BYTES_MAX,
    );
    expect(await recall(many, "the parser", { limit: 2 })).toHaveLength(2);
  });

  it("nothing that is about something else, and nothing for a task without a word that says what it is about", async () => {
    const all = [memory("a", "deploys go through the staging cluster")];
    expect(await recall(all, "rename the parser")).toEqual([]);
    expect(await recall(all, "please do it again")).toEqual([]);
    expect(recallQuery("Please do it again")).toBe("");
  });

  it("what the conversation shows already is not shown again", async () => {
    const all = [memory("a", "the parser is generated")];
    expect(await recall(all, "fix the parser", { known: new Set([memoryId("a")]) })).toEqual([]);
  });

  it("only what is active: neither what waits for a person nor what its call did not finish", async () => {
    const all = [
      memory("a", "the parser is generated", { state: "proposed" }),
      memory("b", "the parser is generated twice", { state: "pending" }),
    ];
    expect(await recall(all, "fix the parser")).toEqual([]);
  });

  it("what strangers had a part in stays out of a session that has read nothing of theirs", async () => {
    const all = [memory("a", "the parser is generated", { untrusted: true })];
    expect(await recall(all, "fix the parser")).toEqual([]);
    expect(texts(await recall(all, "fix the parser", { untrusted: true }))).toEqual(["the parser is generated"]);
  });

  it("who looks for what was superseded finds what took its place, and what that was", async () => {
    const all = [
      memory("old", "use jQuery", { days: 730, state: "superseded", superseded_by: memoryId("new") }),
      memory("new", "we moved to React", { days: 10 }),
    ];
    for (const task of ["which jQuery plugin fits", "add a React component"]) {
      const [first, ...others] = await recall(all, task);
      expect(first?.memory.text).toBe("we moved to React");
      expect(others).toEqual([]);
    }
    const [first] = await recall(all, "which jQuery plugin fits");
    expect(first?.replaces.map(({ text }) => text)).toEqual(["use jQuery"]);
  });
});
