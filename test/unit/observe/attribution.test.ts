import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import type { ToolUsePart } from "../../../src/kernel/content.ts";
import type { Draft, Event, EventOf } from "../../../src/kernel/events/index.ts";
import { nanoDollars } from "../../../src/kernel/money.ts";
import { addUsage, NO_USAGE, totalTokens, type Usage } from "../../../src/kernel/usage.ts";
import { createPriceTable } from "../../../src/model/prices.ts";
import {
  attribution,
  type Charge,
  MODEL_PART,
  NO_PART,
  SYSTEM_PART,
  USER_PART,
} from "../../../src/observe/cost/attribution.ts";
import { classPrices, USUAL_RATIOS } from "../../../src/observe/cost/class-prices.ts";
import {
  counted,
  extended,
  joined,
  promptByPart,
  type Segments,
  SEGMENTS_MAX,
} from "../../../src/observe/cost/context-parts.ts";
import {
  addGroups,
  addSums,
  GROUPINGS,
  type Groups,
  groupsOf,
  LOST_PART,
  NO_SUMS,
  type Sums,
  sumsOf,
} from "../../../src/observe/cost/cost-sums.ts";
import { testConfig } from "../../support/config.ts";
import { choicesFrom, simulate } from "../../support/simulated-session.ts";
import { ids, sealed, toolFinished, toolUse } from "../cli/sealed-events.ts";

/** Dollars per million tokens that make amounts easy to reckon: 1, 10, 0.1 a token read, written, read from the cache. */
const prices = classPrices(
  createPriceTable({ overrides: { "p/m": { input: 1, output: 10, cache_read: 0.1, cache_write_5m: 1.25 } } }),
);

interface Counted {
  readonly charges: readonly Charge[];
  readonly groups: { readonly [By in (typeof GROUPINGS)[number]]: Groups };
}

async function attributed(events: readonly Event[]): Promise<Counted> {
  const { take } = attribution(prices);
  const charges: Charge[] = [];
  const nothing: Groups = new Map();
  const groups = { session: nothing, model: nothing, tool: nothing, skill: nothing, phase: nothing, day: nothing };
  for (const event of events)
    for (const finding of await take(event)) {
      if (finding.kind === "inherited") continue;
      if (finding.kind === "charge") charges.push(finding.charge);
      for (const by of GROUPINGS) groups[by] = addGroups(groups[by], groupsOf(finding, by));
    }
  return { charges, groups };
}

interface CallFacts {
  readonly usage: Partial<Usage>;
  readonly cost: number | null;
  readonly text?: string;
  readonly tools?: readonly ToolUsePart[];
  readonly lost?: number;
}

/** A call that answered, in the ledger of all sessions. */
function call({ usage, cost, text = "", tools = [], lost = 0 }: CallFacts): readonly Draft[] {
  const id = ids.modelCall();
  const used = { ...NO_USAGE, ...usage };
  const model = { provider: "p", model: "m" };
  const request = {
    attempt: 1,
    purpose: "turn" as const,
    max_tokens: 100,
    messages: 1,
    request: "",
    prompt: "",
    tools: "",
  };
  const parts = [
    ...(text === "" ? [] : [{ type: "text" as const, text, origin: { from: "model" as const } }]),
    ...tools,
  ];
  return [
    {
      kind: "BudgetReserved",
      turn: 1,
      data: { call: id, scopes: ["tenant"], tokens: 9, cost: null, max_tokens: null },
    },
    { kind: "ModelCallStarted", turn: 1, data: { call: id, ...model, ...request } },
    {
      kind: "ModelCallFinished",
      data: {
        call: id,
        parts,
        stop: "end_turn",
        usage: used,
        model: "m",
        request_id: null,
        duration_ms: 1,
        first_delta_ms: 1,
      },
    },
    {
      kind: "BudgetSettled",
      data: {
        call: id,
        usage: used,
        cost: cost === null ? null : nanoDollars(cost),
        price: "p/m",
        unknown_tokens: lost,
        unknown_cost: nanoDollars(lost * 1_000),
      },
    },
  ];
}

function begun(prompt_bytes: number, task: string): readonly Draft[] {
  const config = testConfig();
  return [
    { kind: "SessionConfigured", data: { config: { ...config, versions: { ...config.versions, prompt_bytes } } } },
    { kind: "UserMessageAdded", data: { parts: [{ type: "text", text: task, origin: { from: "user" } }] } },
  ];
}

function tokensOf({ groups }: Counted): Record<string, Partial<Usage>> {
  return Object.fromEntries(
    [...groups.tool].map(([part, { usage }]) => [
      part,
      Object.fromEntries(Object.entries(usage).filter(([, n]) => n > 0)),
    ]),
  );
}

function costsOf({ groups }: Counted): Record<string, number> {
  return Object.fromEntries([...groups.tool].map(([part, { cost }]) => [part, cost]));
}

describe("what a tool costs", () => {
  const grep = toolUse("grep", { pattern: "x" });
  const asked = Buffer.byteLength(`grep${JSON.stringify(grep.input)}`);

  it("is its calls as they are written, and its calls and results as they are read, again with every call that reads them", async () => {
    const result = "r".repeat(1_000 - asked);
    const counts = await attributed(
      sealed(
        ...begun(900, "t".repeat(100)),
        // 1,000 bytes are 500 tokens; all that is answered is the call of the tool
        ...call({ usage: { cache_write_5m_tokens: 500, output_tokens: 20 }, cost: 825_000, tools: [grep] }),
        toolFinished(grep, { text: result }),
        // what was written is read from the cache, and the 400 tokens on top are the tool's
        ...call({
          usage: { cache_read_tokens: 500, input_tokens: 400, output_tokens: 10 },
          cost: 550_000,
          text: "done",
        }),
        // the next call reads all of that again, and what the model had said
        ...call({ usage: { cache_read_tokens: 900, input_tokens: 4 }, cost: 94_000 }),
      ),
    );
    expect(tokensOf(counts)).toEqual({
      [SYSTEM_PART]: { cache_write_5m_tokens: 450, cache_read_tokens: 900 },
      [USER_PART]: { cache_write_5m_tokens: 50, cache_read_tokens: 100 },
      grep: { output_tokens: 20, input_tokens: 400, cache_read_tokens: 400 },
      [MODEL_PART]: { output_tokens: 10, input_tokens: 4 },
    });
    expect(costsOf(counts)).toEqual({
      [SYSTEM_PART]: 450 * 1_250 + 900 * 100,
      [USER_PART]: 50 * 1_250 + 100 * 100,
      grep: 20 * 10_000 + 400 * 1_000 + 400 * 100,
      [MODEL_PART]: 10 * 10_000 + 4 * 1_000,
    });
    expect(counts.groups.tool.get("grep")?.calls).toBe(1);
  });

  it("keeps what lost answers may have cost apart from every tool", async () => {
    const counts = await attributed(sealed(...begun(9, "t"), ...call({ usage: {}, cost: 0, lost: 70 })));
    expect(counts.groups.tool.get(LOST_PART)).toEqual({
      ...NO_SUMS,
      unknown_tokens: 70,
      unknown_cost: nanoDollars(70_000),
    });
  });

  it("is not known for a call whose context stands in no journal: a job of a batch", async () => {
    const [settled] = call({ usage: { input_tokens: 5, output_tokens: 5 }, cost: 55 }).slice(-1);
    const { charges } = await attributed(sealed(...(settled ? [settled] : [])));
    expect(charges[0]?.parts.map(({ part, cost }) => [part, cost])).toEqual([[NO_PART, 55]]);
    expect(charges[0]).toMatchObject({ model: "p/m", in_ledger: false });
  });

  it("knows of several reservations that are open at once which of them the ledger has: the parts of a batch", async () => {
    const parts = [1, 2].map(() => call({ usage: { input_tokens: 5 }, cost: 5 }));
    const drafts = [...parts.flatMap((one) => one.slice(0, 1)), ...parts.flatMap((one) => one.slice(-1))];
    expect((await attributed(sealed(...drafts))).charges.map(({ in_ledger }) => in_ledger)).toEqual([true, true]);
  });

  it("is unknown money, with its tokens, where the price is not known", async () => {
    const { charges, groups } = await attributed(
      sealed(...begun(9, "t"), ...call({ usage: { input_tokens: 12 }, cost: null, text: "x" })),
    );
    expect(charges[0]?.parts.every(({ cost }) => cost === null)).toBe(true);
    expect(groups.model.get("p/m")).toMatchObject({ cost: 0, unpriced: 1, usage: { input_tokens: 12 } });
  });

  it("follows a prompt that became shorter: another model counts otherwise", async () => {
    const { charges } = await attributed(
      sealed(
        ...begun(100, "t".repeat(100)),
        ...call({ usage: { input_tokens: 200 }, cost: 200_000, text: "a".repeat(60) }),
        ...call({ usage: { input_tokens: 110 }, cost: 110_000 }),
      ),
    );
    expect(charges[1]?.parts.map(({ part, usage }) => [part, usage.input_tokens])).toEqual([
      [SYSTEM_PART, 50],
      [USER_PART, 50],
      [MODEL_PART, 10],
    ]);
  });
});

describe("the row of segments", () => {
  it("lays the classes over the context in its order: cached first, fresh last", () => {
    const row = counted(extended(extended(extended([], "a", 10), "b", 10), "c", 10), 30);
    const usage = { ...NO_USAGE, cache_read_tokens: 12, cache_write_5m_tokens: 13, input_tokens: 5 };
    expect([...promptByPart(row, usage)]).toEqual([
      ["a", { ...NO_USAGE, cache_read_tokens: 10 }],
      ["b", { ...NO_USAGE, cache_read_tokens: 2, cache_write_5m_tokens: 8 }],
      ["c", { ...NO_USAGE, cache_write_5m_tokens: 5, input_tokens: 5 }],
    ]);
  });

  it("stays bounded however long a session is, and its tokens stay those of the prompt", () => {
    let row: Segments = [];
    let prompt = 0;
    for (let turn = 0; turn < 3 * SEGMENTS_MAX; turn++) {
      row = joined(row, extended(extended([], `tool ${turn % 7}`, 30), MODEL_PART, 10));
      prompt += 13;
      row = counted(row, prompt);
    }
    expect(row.length).toBeLessThanOrEqual(SEGMENTS_MAX);
    expect(row.reduce((sum, { tokens }) => sum + (tokens ?? 0), 0)).toBe(prompt);
  });
});

describe("the prices of the classes", () => {
  it("are those of the table, and the usual ratios where it has none", async () => {
    const known = await prices("p", "m");
    expect(known.output_tokens / known.cache_read_tokens).toBe(100);
    expect(await prices("nobody", "nothing")).toEqual(USUAL_RATIOS);
  });
});

const count = fc.nat({ max: 2_000_000 });
const anyUsage: fc.Arbitrary<Usage> = fc.record({
  input_tokens: count,
  cache_read_tokens: count,
  cache_write_5m_tokens: count,
  cache_write_1h_tokens: count,
  output_tokens: count,
});
const anySettlement = fc.record({
  usage: fc.oneof(anyUsage, fc.constant(NO_USAGE)),
  cost: fc.option(fc.nat({ max: 9_000_000_000 }), { freq: 9 }),
  unknown_tokens: fc.oneof(fc.constant(0), count),
  unknown_cost: fc.option(fc.nat({ max: 9_000_000_000 })),
});

/** The same journal, but every settlement says something else. */
function withSettlements(
  events: readonly Event[],
  said: readonly (typeof anySettlement extends fc.Arbitrary<infer S> ? S : never)[],
): readonly Event[] {
  let i = 0;
  return events.map((event): Event => {
    const next = said[i % said.length];
    if (event.kind !== "BudgetSettled" || next === undefined) return event;
    i += 1;
    const { cost, unknown_cost } = next;
    return {
      ...event,
      data: {
        ...event.data,
        ...next,
        cost: cost === null ? null : nanoDollars(cost),
        unknown_cost: unknown_cost === null ? null : nanoDollars(unknown_cost),
      },
    };
  });
}

function settlements(events: readonly Event[]): readonly EventOf<"BudgetSettled">["data"][] {
  return events.flatMap((event) => (event.kind === "BudgetSettled" ? [event.data] : []));
}

describe("for every journal that can occur", () => {
  const numbers = fc.array(fc.nat({ max: 60 }), { maxLength: 120 });

  it("the parts of each call add up to its tokens in every class and to its cost to the last nano-dollar", async () => {
    await fc.assert(
      fc.asyncProperty(numbers, fc.array(anySettlement, { minLength: 1, maxLength: 12 }), async (choices, said) => {
        const { charges } = await attributed(withSettlements(simulate(choicesFrom(choices)).events, said));
        for (const { parts, usage, cost } of charges) {
          expect(parts.map((part) => part.usage).reduce(addUsage, NO_USAGE)).toEqual(usage);
          if (cost !== null) expect(parts.reduce((sum, part) => sum + (part.cost ?? 0), 0)).toBe(cost);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("the groups add up to what the journal's settlements say, however they are grouped", async () => {
    await fc.assert(
      fc.asyncProperty(numbers, fc.array(anySettlement, { minLength: 1, maxLength: 12 }), async (choices, said) => {
        const events = withSettlements(simulate(choicesFrom(choices)).events, said);
        const { groups, charges } = await attributed(events);
        const settled = settlements(events);
        const wanted = {
          usage: settled.map(({ usage }) => usage).reduce(addUsage, NO_USAGE),
          cost: settled.reduce((sum, { cost }) => sum + (cost ?? 0), 0),
          unknown_tokens: settled.reduce((sum, one) => sum + one.unknown_tokens, 0),
          unknown_cost: settled.reduce((sum, { unknown_cost }) => sum + (unknown_cost ?? 0), 0),
        };
        expect(charges.map(sumsOf).reduce(addSums, NO_SUMS)).toMatchObject(wanted);
        for (const by of GROUPINGS)
          expect([...groups[by].values()].reduce<Sums>(addSums, NO_SUMS)).toMatchObject(wanted);
      }),
      { numRuns: 100 },
    );
  });

  it("whatever is spent is somebody's: nothing of a driven session is left without a part", async () => {
    await fc.assert(
      fc.asyncProperty(numbers, async (choices) => {
        const { charges } = await attributed(simulate(choicesFrom(choices)).events);
        const parts = charges.flatMap((charge) => charge.parts);
        return parts.every(({ part, usage }) => part !== NO_PART || totalTokens(usage) === 0);
      }),
      { numRuns: 50 },
    );
  });
});
