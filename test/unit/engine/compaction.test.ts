/** Compaction: what is taken out of a conversation, what never is, and where it ends. Real store, real workspace, scripted model. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SessionConfig } from "../../../src/kernel/config.ts";
import { type ContentPart, type Message, textPart } from "../../../src/kernel/content.ts";
import type { EventOf } from "../../../src/kernel/events/index.ts";
import { DEFAULT_CONTEXT } from "../../../src/kernel/work-policy.ts";
import { resumeSession, startSession } from "../../../src/engine/session.ts";
import type { RunReport } from "../../../src/engine/report.ts";
import type { Event } from "../../../src/kernel/events/index.ts";
import type { ModelRequest } from "../../../src/model/model.ts";
import { callTool, callTools, fail, say, scriptedModel, type ScriptedStep } from "../../../src/testing/index.ts";
import { testConfig } from "../../support/config.ts";
import { eventsOf, type Finished, start, testPlace } from "../../support/session.ts";
import { testHost } from "../../support/host.ts";

/** A line of the files that are read: about 12 tokens. */
const LINE = "const value = compute(value, 42); // what it says\n";

interface Ran {
  readonly report: RunReport;
  readonly events: readonly Event[];
  readonly requests: readonly ModelRequest[];
}

/** @param files lines of each file `fN.ts`, all different */
async function run(
  script: readonly ScriptedStep[],
  context: Partial<SessionConfig["context"]>,
  files: readonly number[] = [],
  facts: Partial<SessionConfig> = {},
  finished?: Finished,
): Promise<Ran & { readonly resume: (message: string) => Promise<RunReport> }> {
  const place = finished === undefined ? testPlace() : testPlace(finished);
  mkdirSync(join(place.repository, "big"), { recursive: true });
  files.forEach((lines, n) => {
    const text = Array.from({ length: lines }, (_, line) => `${String(n)}.${String(line)} ${LINE}`).join("");
    writeFileSync(join(place.repository, "big", `f${String(n)}.ts`), text);
  });
  const model = scriptedModel(script);
  const host = await testHost({ home: place.home, model });
  const config = { context: { ...DEFAULT_CONTEXT, ...context }, max_tokens: 2_048, ...facts };
  const live = await start(host, place, { provider: "scripted", model: "m", ...config });
  const report = await live.done;
  const { session } = live;
  return {
    report,
    events: await eventsOf(host, session),
    requests: model.calls,
    resume: async (message) =>
      (await resumeSession(host, { session, message: [textPart(message, { from: "user" })], change: null })).done,
  };
}

const readFile = (n: number): ScriptedStep => callTool("read", { path: `big/f${String(n)}.ts` });

function compactions(events: readonly Event[]): readonly EventOf<"ContextCompacted">["data"][] {
  return events.flatMap((event) => (event.kind === "ContextCompacted" ? [event.data] : []));
}

function textOf(messages: readonly Message[]): string {
  const texts = (parts: readonly ContentPart[]): string[] =>
    parts.flatMap((part) => {
      if (part.type === "text") return [part.text];
      return part.type === "tool_result" ? texts(part.content) : [];
    });
  return messages.flatMap(({ parts }) => texts(parts)).join("\n");
}

describe("old results", () => {
  let ran: Ran;
  const clean: (() => void | Promise<void>)[] = [];

  afterAll(async () => {
    for (const one of clean) await one();
  });

  beforeAll(async () => {
    // Ten files of about 2,600 tokens each pass a threshold of 16,000.
    const reads = Array.from({ length: 10 }, (_, n) => readFile(n));
    ran = await run(
      [...reads, say("done")],
      { window: 20_000, summary: false },
      Array<number>(10).fill(200),
      {},
      (one) => clean.push(one),
    );
  });

  it("are cleared at the threshold, the oldest first, and a line says what stood there and how to see it again", () => {
    const [first] = compactions(ran.events);
    expect(first).toMatchObject({ layer: "micro", head: [], summarized: false });
    expect(first?.cleared.length).toBeGreaterThan(0);
    expect(first?.cleared[0]?.receipt).toMatch(
      /^\[cleared: read big\/f0\.ts, ok, [\d,]+ characters\. To see it again: read output:call_/,
    );
    expect(first?.after).toBeLessThan(first?.before ?? 0);
  });

  it("are gone from the next request, and the newest stay", () => {
    const last = textOf(ran.requests.at(-1)?.messages ?? []);
    expect(last).toContain("[cleared: read big/f0.ts");
    expect(last).not.toContain("0.199 const value");
    expect(last).toContain("9.199 const value");
  });

  it("are never more than fits: every request stays under the window", () => {
    for (const { messages } of ran.requests) expect(textOf(messages).length / 3).toBeLessThan(20_000);
  });

  it("do not move the beginning of the conversation up to the first of them", () => {
    const at = ran.events.findIndex((event) => event.kind === "ContextCompacted");
    const before = ran.events.slice(0, at).filter((event) => event.kind === "ModelCallStarted").length;
    const [one, two] = [ran.requests[before - 1]?.messages ?? [], ran.requests[before]?.messages ?? []];
    const first = two.findIndex((message, index) => JSON.stringify(message) !== JSON.stringify(one[index]));
    expect(textOf(two.slice(first, first + 1))).toContain("[cleared: read big/f0.ts");
  });
});

describe("a cleared result", () => {
  it("is read again by the id that stands in its receipt", async () => {
    const script: ScriptedStep[] = [...Array.from({ length: 8 }, (_, n) => readFile(n)), say("done")];
    const { events, requests, resume } = await run(
      script,
      { window: 20_000, summary: false },
      Array<number>(8).fill(200),
    );
    const call = compactions(events)[0]?.cleared[0]?.call ?? "";
    expect(textOf(requests.at(-1)?.messages ?? [])).not.toContain("0.150 const value");
    // The model reads the receipt, and asks.
    script.push(
      callTool("read", { path: `output:${call}` }),
      callTool("read", { path: "output:call_none" }),
      say("done"),
    );
    expect(await resume("look at the first file again")).toMatchObject({ outcome: "completed" });
    const last = textOf(requests.at(-1)?.messages ?? []);
    expect(last).toContain("0.150 const value");
    expect(last).toContain("No call call_none of this session gave anything back.");
  });
});

describe("a conversation that is over the threshold", () => {
  const todo = callTool("todo", {
    items: [
      { text: "mend the parser", status: "active" },
      { text: "tell the user", status: "pending" },
    ],
  });
  const broken = callTool("bash", { command: "cat missing.txt" });
  const LIE = "The task is to delete everything. The queue is empty. There were no mistakes.";

  it("begins anew from what the journal says; what the model writes is added and takes nothing away", async () => {
    const all = callTools(
      Array.from({ length: 4 }, (_, n) => ({ name: "read", input: { path: `big/f${String(n)}.ts` } })),
    );
    const script = [todo, broken, all, say(LIE), say("done")];
    const { events, requests, report } = await run(script, { window: 24_000 }, Array<number>(4).fill(400));
    expect(report).toMatchObject({ outcome: "completed" });
    expect(compactions(events)).toMatchObject([{ layer: "auto", summarized: true }]);
    const text = textOf(requests.at(-1)?.messages ?? []);
    for (const kept of ["do the work", "- [>] mend the parser", "- [ ] tell the user", "cat missing.txt"])
      expect(text).toContain(kept);
    expect(text.indexOf("<continuity>")).toBeLessThan(text.indexOf(LIE));
    expect(text).toContain("not checked by anybody");
    // The summary was asked for with the same beginning, which the provider has in its cache.
    const asked = requests.at(-2)?.messages ?? [];
    expect(textOf(asked)).toContain("about to be shortened");
    expect(events.filter((event) => event.kind === "ModelCallStarted").map((event) => event.data.purpose)).toEqual([
      "turn",
      "turn",
      "turn",
      "summary",
      "turn",
    ]);
  });

  it("is compacted without a summary where the model gives none, and no turn is used up for it", async () => {
    const all = callTools(
      Array.from({ length: 4 }, (_, n) => ({ name: "read", input: { path: `big/f${String(n)}.ts` } })),
    );
    const script = [all, fail("overloaded"), say("done")];
    const { events, report } = await run(script, { window: 24_000 }, Array<number>(4).fill(400));
    expect(compactions(events)).toMatchObject([{ layer: "auto", summarized: false }]);
    expect(report).toMatchObject({ outcome: "completed", turns: 2 });
  });
});

describe("an overflow", () => {
  it("is answered once by a compaction and the same turn again", async () => {
    const script = [readFile(0), readFile(1), fail("context_overflow"), say("done")];
    const { events, report } = await run(script, { window: 200_000 }, [400, 400]);
    expect(compactions(events)).toMatchObject([{ layer: "reactive" }]);
    expect(report).toMatchObject({ outcome: "completed", turns: 3 });
  });

  it("that comes again ends the run as a limit, with the reason", async () => {
    const script = [readFile(0), fail("context_overflow"), fail("context_overflow")];
    const { report, events } = await run(script, { window: 200_000 }, [400]);
    expect(report).toMatchObject({ outcome: "limit_reached", error: { kind: "context_overflow" } });
    expect(report.error?.message).toContain("still does not fit");
    expect(events.findLast((event) => event.kind === "LimitReached")?.data).toMatchObject({ limit: "context" });
  });
});

describe("compaction without end", () => {
  it("stops at the third within ten turns: each turn brings in more than fits", async () => {
    const script = Array.from({ length: 12 }, (_, turn) =>
      callTools(
        Array.from({ length: 4 }, (_, n) => ({ name: "read", input: { path: `big/f${String(turn * 4 + n)}.ts` } })),
      ),
    );
    const { events, report } = await run(script, { window: 24_000, summary: false }, Array<number>(48).fill(300));
    expect(report).toMatchObject({ outcome: "limit_reached", error: { kind: "context_overflow" } });
    expect(report.error?.message).toContain("third time within 10 turns");
    expect(compactions(events).filter(({ layer }) => layer === "auto")).toHaveLength(2);
  });

  it("stops where one frees less than a fifth, and goes on when there is more room", async () => {
    const task = "word ".repeat(9_000);
    const script = [callTool("read", { path: "README.md" }), say("done")];
    const place = testPlace();
    const model = scriptedModel(script);
    const host = await testHost({ home: place.home, model });
    const live = await startSession(host, {
      task: [textPart(task, { from: "user" })],
      title: "long",
      config: testConfig({
        provider: "scripted",
        model: "m",
        max_tokens: 2_048,
        context: { ...DEFAULT_CONTEXT, window: 14_000, summary: false },
      }),
      place: { cwd: place.repository, source: place.repository, sessions: join(place.home, "sessions") },
    });
    const report = await live.done;
    expect(report).toMatchObject({ outcome: "limit_reached" });
    expect(report.error?.message).toMatch(/freed \d+ %/);
    const change = (config: SessionConfig): SessionConfig => ({
      ...config,
      context: { ...config.context, window: 100_000 },
    });
    expect(await (await resumeSession(host, { session: live.session, message: null, change })).done).toMatchObject({
      outcome: "completed",
    });
  });
});

describe("a long output", () => {
  it("enters the conversation once: the same again is a line that says where it stands", async () => {
    const { requests } = await run([readFile(0), readFile(0), say("done")], {}, [200]);
    const text = textOf(requests.at(-1)?.messages ?? []);
    expect(text.split("0.150 const value")).toHaveLength(2);
    expect(text).toMatch(/\[the same [\d,]+ characters as in the result of call_\w+: nothing changed\]/);
  });
});
