/** What fills a context, turn by turn: sums that are those of the provider, parts that are named, and what compactions cost. */
import { describe, expect, it } from "vitest";
import { renderContinuity } from "../../../src/context/continuity.ts";
import { type ContentPart, textPart, type ToolUsePart } from "../../../src/kernel/content.ts";
import { hashOf } from "../../../src/kernel/envelope.ts";
import type { Draft, Event, EventData } from "../../../src/kernel/events/index.ts";
import { emptyState } from "../../../src/kernel/fold.ts";
import { LOCAL_PRINCIPAL, LOCAL_TENANT, type ModelCallId } from "../../../src/kernel/ids.ts";
import { nanoDollars, NO_MONEY } from "../../../src/kernel/money.ts";
import type { SessionState } from "../../../src/kernel/state.ts";
import { DEFAULT_CONTEXT } from "../../../src/kernel/work-policy.ts";
import { NO_USAGE, promptTokens, type Usage } from "../../../src/kernel/usage.ts";
import { type ContextReport, contextReport } from "../../../src/observe/context/context-report.ts";
import { kindOf } from "../../../src/observe/context/part-kind.ts";
import { testConfig } from "../../support/config.ts";
import { fc } from "../../support/property.ts";
import { choicesFrom, simulate } from "../../support/simulated-session.ts";
import { ids, sealed, SESSION, toolFinished, toolStarted, toolUse } from "../cli/sealed-events.ts";

const START: SessionState = emptyState({
  tenant: LOCAL_TENANT,
  principal: LOCAL_PRINCIPAL,
  session: SESSION,
  root: SESSION,
  trace: ids.trace(),
});

function report(drafts: readonly Draft[], rates: readonly number[] = []): Promise<ContextReport> {
  return contextReport(sealed(...drafts), START, rates);
}

const begin = (window = 10_000): readonly Draft[] => [
  { kind: "SessionCreated", data: { title: "fix it" } },
  {
    kind: "SessionConfigured",
    data: { config: testConfig({ max_tokens: 1_000, context: { ...DEFAULT_CONTEXT, window } }) },
  },
  { kind: "RunStarted", data: { run: ids.run(), number: 1, reason: "start", pid: 1 } },
];

const user = (...parts: EventData<"UserMessageAdded">["parts"]): Draft => ({
  kind: "UserMessageAdded",
  data: { parts },
});
const task = user(textPart("fix the failing test", { from: "user" }));

interface Call {
  readonly turn: number;
  readonly usage?: Partial<Usage>;
  readonly tools?: readonly ToolUsePart[];
  readonly text?: string;
  readonly model?: string;
  readonly prompt?: string;
  readonly purpose?: "turn" | "summary";
}

function call({ turn, usage = {}, tools = [], text = "", model = "m", prompt = "p", purpose = "turn" }: Call): Draft[] {
  const id: ModelCallId = ids.modelCall();
  const whole = { ...NO_USAGE, ...usage };
  const said = text === "" ? [] : [textPart(text, { from: "model" })];
  const request = { attempt: 1, max_tokens: 100, messages: 1, request: "", tools: "" };
  return [
    { kind: "ModelCallStarted", turn, data: { call: id, provider: "p", model, purpose, prompt, ...request } },
    {
      kind: "ModelCallFinished",
      data: {
        call: id,
        parts: [...said, ...tools],
        stop: tools.length > 0 ? "tool_use" : "end_turn",
        usage: whole,
        model,
        request_id: null,
        duration_ms: 1,
        first_delta_ms: 1,
      },
    },
    {
      kind: "BudgetSettled",
      data: { call: id, usage: whole, cost: nanoDollars(7), price: "m", unknown_tokens: 0, unknown_cost: NO_MONEY },
    },
  ];
}

const compacted = (data: Partial<EventData<"ContextCompacted">>): Draft => ({
  kind: "ContextCompacted",
  data: {
    layer: "auto",
    reason: "over the threshold",
    before: 6_000,
    after: 2_000,
    same: 500,
    cache_lost: 1_500,
    cleared: [],
    head: [],
    kept: 0,
    summarized: false,
    ...data,
  },
});

const sizes = ({ parts }: { readonly parts: ContextReport["now"] }): Record<string, number> =>
  Object.fromEntries(parts.parts.map(({ kind, name, tokens }) => [name === "" ? kind : `${kind} ${name}`, tokens]));

describe("what fills the context", () => {
  it("parts of a counted prompt add up to what the provider counted; what was there keeps its tokens, what is new has the rest", async () => {
    const grep = toolUse("grep", { pattern: "x" });
    const { turns, now } = await report([
      ...begin(),
      task,
      ...call({ turn: 1, usage: { input_tokens: 3_000, output_tokens: 50 }, tools: [grep], text: "Looking." }),
      toolStarted(grep),
      toolFinished(grep, { text: "found ".repeat(300) }),
      ...call({ turn: 2, usage: { input_tokens: 100, cache_read_tokens: 4_000 }, text: "Done." }),
    ]);
    expect(turns.map(({ turn, tokens, parts }) => [turn, tokens, parts.tokens, parts.estimated])).toEqual([
      [1, 3_000, 3_000, 0],
      [2, 4_100, 4_100, 0],
    ]);
    const [first, second] = turns.map(sizes);
    expect(Object.keys(first ?? {})).toEqual(["system with tool schemas", "task"]);
    expect(Object.keys(second ?? {})).toEqual([
      "system with tool schemas",
      "task",
      "answer",
      "call grep",
      "result grep",
    ]);
    expect(second?.["task"]).toBe(first?.["task"]);
    const added = (second?.["answer"] ?? 0) + (second?.["call grep"] ?? 0) + (second?.["result grep"] ?? 0);
    expect(added).toBe(1_100);
    expect(second?.["result grep"]).toBeGreaterThan(900);
    // What the last answer said comes on top, and nobody has counted it as a prompt yet.
    expect(now.tokens).toBe(4_100 + now.estimated);
    expect(now.estimated).toBeGreaterThan(0);
  });

  it("parts have the names under which a run was assembled, and belay's own parts say what they are", async () => {
    const rules = textPart("Be brief.", { from: "workspace", by: "AGENTS.md" });
    const memory = textPart("[memory:mem_1]", { from: "belay", by: "memory" });
    const row = (kind: "system" | "tools" | "instructions", name: string, text: string, tokens: number) => ({
      name,
      kind,
      tokens,
      bytes: tokens * 3,
      hash: hashOf(text),
      origin: "belay",
    });
    const { turns } = await report([
      ...begin(),
      {
        kind: "ContextAssembled",
        data: {
          parts: [
            row("system", "system prompt", "S", 400),
            row("tools", "tool read", "T", 300),
            row("tools", "tool bash", "U", 500),
            row("instructions", "AGENTS.md", rules.text, 10),
          ],
          findings: [],
        },
      },
      user(
        textPart("<environment>\nLinux\n</environment>", { from: "belay" }),
        rules,
        textPart("export {}", { from: "workspace", by: "src/a.ts" }),
        textPart("fix it", { from: "user" }),
      ),
      { kind: "MemoryRecalled", data: { recalled: [], parts: [memory] } },
      ...call({ turn: 1, usage: { input_tokens: 2_000 } }),
    ]);
    const [first] = turns.map(sizes);
    expect(Object.keys(first ?? {})).toEqual([
      "system",
      "tools",
      "environment",
      "instructions AGENTS.md",
      "file src/a.ts",
      "task",
      "memory",
    ]);
    expect((first?.["tools"] ?? 0) / (first?.["system"] ?? 1)).toBeCloseTo(2, 1);
  });

  it("a receipt, a summary and CONTINUITY are told apart from the results and answers that they stand in for", () => {
    const result = (text: string, by?: string): ContentPart => ({
      type: "tool_result",
      call: ids.toolCall(),
      provider_id: "p",
      is_error: false,
      content: [textPart(text, by === undefined ? { from: "tool", by: "bash" } : { from: "belay", by })],
      origin: { from: "tool", by: "bash" },
    });
    const kinds = (
      [
        [result("[cleared: bash]", "receipt"), "user"],
        [result("ok"), "user"],
        [textPart(`<continuity>\n${renderContinuity(START)}`, { from: "belay", by: "continuity" }), "user"],
        [textPart("<summary>\nnotes", { from: "model", by: "summary" }), "user"],
        [textPart('<phase name="plan">', { from: "belay", by: "phase" }), "user"],
        [textPart("said", { from: "model" }), "assistant"],
        [{ type: "thinking", text: "hm", signature: "s", origin: { from: "model" } }, "assistant"],
      ] as const
    ).map(([part, role]) => kindOf(part, role, new Map()).kind);
    expect(kinds).toEqual(["receipt", "result", "continuity", "summary", "note", "answer", "thinking"]);
  });

  it("where no provider counts, the sum is that of the estimates and says so", async () => {
    const { turns, now } = await report([...begin(), task, ...call({ turn: 1, text: "Done." })]);
    expect(turns[0]?.tokens).toBeNull();
    expect(turns[0]?.parts.estimated).toBe(turns[0]?.parts.tokens);
    expect(turns[0]?.parts.tokens).toBeGreaterThan(0);
    expect(now.tokens).toBeGreaterThan(turns[0]?.parts.tokens ?? Infinity);
  });

  it("a prompt that became smaller is shared out anew, to the token", async () => {
    const { turns } = await report([
      ...begin(),
      task,
      ...call({ turn: 1, usage: { input_tokens: 5_000 }, text: "Hm." }),
      user(textPart("go on", { from: "user" })),
      ...call({ turn: 2, usage: { input_tokens: 3_001 }, model: "other" }),
    ]);
    expect(turns.map(({ parts }) => parts.tokens)).toEqual([5_000, 3_001]);
    expect(turns[1]?.broke).toBe("model_switch");
  });

  it("W1 holds in every session that can occur: each counted prompt is the sum of its parts", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 1_000 }), { maxLength: 400 }), async (choices) => {
        const { events, start } = simulate(choicesFrom(choices));
        const { turns, compactions, numbers } = await contextReport(events, start, []);
        for (const { tokens, parts } of turns) {
          expect(parts.parts.reduce((sum, part) => sum + part.tokens, 0)).toBe(parts.tokens);
          if (tokens !== null) expect([parts.tokens, parts.estimated]).toEqual([tokens, 0]);
          expect(parts.parts.every((part) => part.tokens >= 0)).toBe(true);
        }
        const answered = events.filter(isAnswerOfTurn(events));
        expect(turns).toHaveLength(answered.length);
        const done = events.filter(({ kind }) => kind === "ContextCompacted");
        expect(compactions).toHaveLength(done.length);
        expect(Object.values(numbers.compactions).reduce((sum, count) => sum + count, 0)).toBe(done.length);
      }),
      { numRuns: 60 },
    );
  });
});

function isAnswerOfTurn(events: readonly Event[]): (event: Event) => boolean {
  const turns = new Set(
    events.flatMap((event) =>
      event.kind === "ModelCallStarted" && event.data.purpose === "turn" ? [event.data.call] : [],
    ),
  );
  return (event) => event.kind === "ModelCallFinished" && turns.has(event.data.call);
}

describe("compactions and the cache", () => {
  const cached = (read: number, written: number): Partial<Usage> => ({
    cache_read_tokens: read,
    cache_write_5m_tokens: written,
  });

  it("a compaction is listed with what it freed, what its summary cost, and what the next call had to read again", async () => {
    const { compactions, turns, numbers } = await report([
      ...begin(),
      task,
      ...call({ turn: 1, usage: cached(0, 4_000), text: "One." }),
      user(textPart("go on", { from: "user" })),
      ...call({ turn: 2, usage: cached(4_000, 2_000), text: "Two." }),
      ...call({ turn: 2, usage: { ...cached(6_000, 0), output_tokens: 300 }, purpose: "summary", text: "notes" }),
      compacted({ head: [textPart("anew", { from: "belay", by: "continuity" })] }),
      ...call({ turn: 3, usage: cached(500, 1_700), text: "Three." }),
    ]);
    expect(compactions).toMatchObject([
      {
        layer: "auto",
        turn: 2,
        before: 6_000,
        after: 2_000,
        freed: 4_000,
        cache_lost: 1_500,
        cache_lost_measured: 1_700,
        summary: { cost: 7, usage: { output_tokens: 300 } },
      },
    ]);
    // A summary is no turn.
    expect(turns.map(({ turn, compactions: layers, broke }) => [turn, layers, broke])).toEqual([
      [1, [], null],
      [2, [], null],
      [3, ["auto"], "compaction"],
    ]);
    expect(numbers.cache_lost).toMatchObject({ compaction: 1_700, model_switch: 0, expired: 0 });
    expect(numbers.cache_read_share).toBeCloseTo(10_500 / 18_200, 5);
  });

  it.each([
    ["another model", [], { model: "other" }, "model_switch"],
    ["a repin", [pinned("repin")], {}, "repin"],
    ["another prompt", [], { prompt: "changed" }, "prompt_changed"],
    ["a cache that was forgotten", [], {}, "expired"],
  ] as const)("what was lost for %s is charged to that", async (_name, between, how, broke) => {
    const { turns, numbers } = await report([
      ...begin(),
      task,
      ...call({ turn: 1, usage: cached(0, 4_000), text: "One." }),
      user(textPart("go on", { from: "user" })),
      ...between,
      ...call({ turn: 2, usage: cached(0, 4_100), ...how }),
    ]);
    expect(turns[1]).toMatchObject({ broke, cache_lost: 4_000 });
    expect(numbers.cache_lost[broke]).toBe(4_000);
  });

  it("a prompt that goes on where the last one ended has lost nothing, though the provider caches in pieces", async () => {
    const { turns } = await report([
      ...begin(),
      task,
      ...call({ turn: 1, usage: cached(0, 4_000), text: "One." }),
      user(textPart("go on", { from: "user" })),
      ...call({ turn: 2, usage: cached(3_900, 300) }),
    ]);
    expect(turns[1]).toMatchObject({ broke: null, cache_lost: 0 });
  });

  it("what a fork took over is shown, and counts in none of its numbers", async () => {
    const from = { from: ids.session(), seq: 5, hash: "0".repeat(64), workspace: null };
    const { turns, numbers } = await report([
      ...begin(),
      task,
      ...call({ turn: 1, usage: { input_tokens: 9_000 }, text: "One." }),
      compacted({ layer: "micro" }),
      { kind: "SessionForked", data: from },
      user(textPart("go on", { from: "user" })),
      ...call({ turn: 2, usage: { input_tokens: 2_000 } }),
    ]);
    expect(turns).toHaveLength(2);
    expect(numbers).toMatchObject({ turns: 1, peak_tokens: 2_000, freed: 0, compactions: { micro: 0 } });
  });

  it("the share of the window and the threshold are those of the session's configuration", async () => {
    const { window, threshold, turns, numbers } = await report([
      ...begin(20_000),
      task,
      ...call({ turn: 1, usage: { input_tokens: 5_000 } }),
    ]);
    expect([window, threshold, turns[0]?.window]).toEqual([20_000, 16_000, 20_000]);
    expect(numbers.peak_share).toBe(promptTokens({ ...NO_USAGE, input_tokens: 5_000 }) / 20_000);
  });
});

function pinned(reason: "repin"): Draft {
  const blob = `sha256:${"a".repeat(64)}` as EventData<"PromptPinned">["system"];
  return { kind: "PromptPinned", data: { system: blob, tools: blob, parts: [], reason } };
}
