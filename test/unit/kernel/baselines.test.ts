/** Golden journals of every version: read, folded and replayed by this one. `npm run baselines` writes those of the present. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EVENTS } from "../../../src/kernel/events/index.ts";
import { FOLD_VERSION } from "../../../src/kernel/state.ts";
import { createPriceTable } from "../../../src/model/prices.ts";
import { summaryOf } from "../../../src/store/journal.ts";
import { createMemoryStore } from "../../../src/store/memory/memory-store.ts";
import {
  type Baseline,
  baselineText,
  factsOf,
  foldBaseline,
  parseBaseline,
  replayBaseline,
} from "../../../src/testing/baseline.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";
import { builtInTools } from "../../../src/tool/registry.ts";
import { SIMULATED_PRICES } from "../../support/simulated-session.ts";

const ROOT = join(import.meta.dirname, "../../journal-baselines");
const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".jsonl"));
const baselines: readonly (readonly [string, Baseline])[] = files.map((name) => [
  name,
  parseBaseline(readFileSync(join(ROOT, name), "utf8")),
]);

/** Tools that came with a version of the shapes: older journals know nothing of them. */
const CAME_WITH: readonly (readonly [version: number, tools: readonly string[]])[] = [
  [3, ["web_fetch"]],
  [4, ["todo", "remember", "task", "skill"]],
];

describe("golden journals", () => {
  it.each(baselines)("%s folds to the recorded facts", async (_name, baseline) => {
    const { state } = await foldBaseline(baseline);
    const { facts } = baseline;
    const now = factsOf(facts.about, facts.belay, state);
    // Another version of the fold comes to another state; what can be read from it is the same.
    const comparable = facts.fold === FOLD_VERSION ? facts : { ...facts, fold: now.fold, state: now.state };
    expect(now).toEqual(comparable);
  });

  it.each(baselines)("%s is replayed: no damage, and no decision that nobody knows of", async (name, baseline) => {
    const { state } = await foldBaseline(baseline);
    const store = createMemoryStore({ clock: manualClock() });
    const prices = name.includes("crashed") ? SIMULATED_PRICES : createPriceTable();
    // The answer to a call of a tool that there is not names those that there are: of that time.
    const version = Number(/^v(\d+)/.exec(name)?.[1]);
    const later = CAME_WITH.filter(([from]) => from > version).flatMap(([, tools]) => tools);
    const tools = builtInTools().filter(({ name: tool }) => !later.includes(tool));
    const replay = await replayBaseline(baseline, store, { tools, prices, home: "/home/user" }, summaryOf(state));
    // A later version may have other prompts, tools and prices; what it decides and judges is the same.
    expect(replay.findings.filter(({ kind }) => kind !== "prompt" && kind !== "price")).toEqual([]);
    expect(replay.events).toBe(baseline.facts.events);
  });

  it("have every kind of event between them", async () => {
    const seen = new Set<string>();
    for (const [, baseline] of baselines) for (const kind of (await foldBaseline(baseline)).kinds) seen.add(kind);
    expect(Object.keys(EVENTS).filter((kind) => !seen.has(kind))).toEqual([]);
  });

  it.each(baselines)("%s is noticed when a character of it is changed", async (_name, baseline) => {
    const text = baselineText(baseline);
    const at = text.indexOf('\\"kind\\":\\"RunStarted\\"');
    const changed = `${text.slice(0, at)}${text.slice(at).replace("RunStarted", "RunStartee")}`;
    await expect(foldBaseline(parseBaseline(changed))).rejects.toMatchObject({ kind: "store_corrupt" });
  });
});
