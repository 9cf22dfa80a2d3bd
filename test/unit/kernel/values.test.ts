import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { worstCaseTokens } from "../../../src/kernel/bound.ts";
import type { ModelPart, PlainPart } from "../../../src/kernel/content.ts";
import { sealEvent } from "../../../src/kernel/envelope.ts";
import { ERROR_TABLE, isRetryable } from "../../../src/kernel/error-kind.ts";
import { upcastPayload } from "../../../src/kernel/events/definition.ts";
import { parseEvent } from "../../../src/kernel/fold.ts";
import { HarnessError } from "../../../src/kernel/harness-error.ts";
import { type BlobHash, createIds, parseSessionId, type ToolCallId } from "../../../src/kernel/ids.ts";
import { canonicalJson, type JsonObject } from "../../../src/kernel/json.ts";
import { addMoney, dollarsOf, formatMoney, nanoDollars, nanoFromDollars } from "../../../src/kernel/money.ts";
import { EXIT_TABLE, exitCodeOf, exitCodeOfError } from "../../../src/kernel/outcome.ts";
import { NOTHING_SPENT, spend, spentIn } from "../../../src/kernel/scope.ts";
import { NO_USAGE } from "../../../src/kernel/usage.ts";
import { testConfig } from "../../support/config.ts";
import { choicesFrom, simulate } from "../../support/simulated-session.ts";

describe("money", () => {
  it("is exact: the sum of many parts is the whole", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1_000_000_000 })), (parts) => {
        const sum = parts.map(nanoDollars).reduce(addMoney, nanoDollars(0));
        expect(sum).toBe(parts.reduce((a, b) => a + b, 0));
      }),
    );
  });

  it("rounds a price up to the nano-dollar, and a sum of decimals not above it", () => {
    expect(nanoFromDollars(0.000_000_3)).toBe(300);
    expect(nanoFromDollars(0.1 + 0.2)).toBe(300_000_000);
    expect(nanoFromDollars(1.000_000_000_4)).toBe(1_000_000_001);
  });

  it("refuses fractions and amounts that a number cannot hold exactly", () => {
    expect(() => nanoDollars(0.5)).toThrow(RangeError);
    expect(() => nanoDollars(2 ** 53)).toThrow(RangeError);
  });

  it("is shown with the digits that say something, and unknown money is never zero", () => {
    expect(formatMoney(nanoFromDollars(0.00042))).toBe("$0.00042");
    expect(formatMoney(nanoFromDollars(12.5))).toBe("$12.50");
    expect(formatMoney(null)).toBe("$ unknown");
    expect(dollarsOf(nanoFromDollars(2))).toBe(2);
  });
});

describe("canonical JSON", () => {
  it("reads back as the same value, and does not depend on the order of keys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(canonicalJson({ b: 1, a: [true, null], c: undefined })).toBe('{"a":[true,null],"b":1}');
  });

  it("keeps NUL and lone surrogates as escapes, so that the bytes are valid UTF-8", () => {
    const text = canonicalJson({ nul: "\u0000", lone: "\ud800" });
    expect(text).toBe('{"lone":"\\ud800","nul":"\\u0000"}');
    expect(Buffer.from(text, "utf8").toString("utf8")).toBe(text);
  });

  it("refuses what JSON cannot say", () => {
    expect(() => canonicalJson(Number.NaN)).toThrow(TypeError);
    expect(() => canonicalJson(() => 1)).toThrow(TypeError);
  });
});

describe("the error table", () => {
  it("gives every kind that is sent or tried again a bound", () => {
    const unbounded = Object.entries(ERROR_TABLE)
      .filter(([, row]) => ["retry", "wait", "repair", "compact"].includes(row.handling) && row.limit === undefined)
      .map(([kind]) => kind);
    expect(unbounded).toEqual([]);
  });

  it("retries neither spend limits nor refused credentials, and runs no hook after an error about tokens", () => {
    expect([
      isRetryable("quota_exhausted"),
      isRetryable("billing"),
      isRetryable("auth"),
      isRetryable("unknown"),
    ]).toEqual([false, false, false, false]);
    expect([isRetryable("rate_limit"), isRetryable("overloaded"), isRetryable("stream_cut")]).toEqual([
      true,
      true,
      true,
    ]);
    const skipping = [
      "context_overflow",
      "request_too_large",
      "max_tokens_overflow",
      "truncated",
      "truncated_tool_call",
      "silent_truncation",
    ] as const;
    expect(skipping.map((kind) => ERROR_TABLE[kind].hooks)).toEqual(skipping.map(() => "skip"));
  });
});

describe("exit codes", () => {
  it("tell a scheduler whether a retry can help", () => {
    expect(exitCodeOf("completed")).toBe(0);
    expect(exitCodeOf("failed", "overloaded")).toBe(75);
    expect(exitCodeOf("failed", "auth")).toBe(1);
    expect(exitCodeOf("canceled")).toBe(130);
    expect(exitCodeOf("canceled", "terminated")).toBe(143);
    expect(exitCodeOfError("lease_held")).toBe(75);
    expect(exitCodeOfError("usage")).toBe(2);
  });

  it("are different for every outcome", () => {
    const codes = Object.values(EXIT_TABLE).map((exit) => exit.code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe("ids", () => {
  it("sort by age and do not repeat", () => {
    let now = 1_000;
    let seed = 0;
    const ids = createIds(
      () => now++,
      (n) => Uint8Array.from({ length: n }, (_, i) => Math.floor(++seed / 3 ** i) % 256),
    );
    const made = Array.from({ length: 200 }, () => ids.session());
    expect([...made].sort()).toEqual(made);
    expect(new Set(made).size).toBe(200);
  });

  it("from outside are checked before they reach a path", () => {
    for (const bad of ["../../etc", "a", "", "ses_1/..", "x".repeat(80), "a\u0000bcd", "-".repeat(3)]) {
      expect(() => parseSessionId(bad), bad).toThrow(HarnessError);
    }
    expect(parseSessionId("ses_0123456789abcdefghjkmnpqrs")).toBe("ses_0123456789abcdefghjkmnpqrs");
  });
});

describe("scopes", () => {
  it("count what is spent in every scope above it", () => {
    const session = { kind: "session", id: "s" } as const;
    const run = { kind: "run", id: "r" } as const;
    const amount = { usage: { ...NO_USAGE, output_tokens: 5 }, cost: nanoDollars(2), calls: 1 };
    const tally = spend(spend({}, [session, run], amount), [session], amount);
    expect(spentIn(tally, session)).toEqual({ usage: { ...NO_USAGE, output_tokens: 10 }, cost: 4, calls: 2 });
    expect(spentIn(tally, run).calls).toBe(1);
    expect(spentIn(tally, { kind: "turn", id: "7" })).toEqual(NOTHING_SPENT);
  });

  it("do not know a sum with an unknown part", () => {
    const scope = { kind: "session", id: "s" } as const;
    const tally = spend({}, [scope], { usage: NO_USAGE, cost: null, calls: 1 });
    expect(spentIn(spend(tally, [scope], { usage: NO_USAGE, cost: nanoDollars(1), calls: 1 }), scope).cost).toBeNull();
  });
});

describe("the worst case of a call", () => {
  it("is never below what the messages can have in tokens, and counts only the new suffix by bytes", () => {
    const { events, start } = simulate(choicesFrom([]));
    const state = {
      ...start,
      messages: [
        {
          role: "user" as const,
          parts: [{ type: "text" as const, text: "é".repeat(500), origin: { from: "user" as const } }],
        },
      ],
    };
    expect(worstCaseTokens(state)).toBeGreaterThanOrEqual(1_000 + state.max_tokens);
    const counted = { ...state, counted: { messages: 1, tokens: 300 } };
    expect(worstCaseTokens(counted)).toBe(300 + state.max_tokens);
    expect(events.length).toBeGreaterThan(0);
  });

  it("knows of what a provider wants back with a part, of the names of tools, and of images of any size", () => {
    const { start } = simulate(choicesFrom([]));
    const origin = { from: "model", by: "m" } as const;
    const bound = (parts: readonly (ModelPart | PlainPart)[], provider = "anthropic"): number => {
      // A message holds parts of one side only; the bound asks for none of that.
      const message = { role: "assistant", parts: parts as readonly ModelPart[] } as const;
      return worstCaseTokens({ ...start, config: testConfig({ provider }), counted: null, messages: [message] });
    };
    const opaque = { provider: "openai", data: { encrypted: "x".repeat(3_000) } };
    const thinking = { type: "thinking", text: "", signature: "", origin } as const;
    expect(bound([{ ...thinking, opaque }]) - bound([thinking])).toBeGreaterThanOrEqual(3_000);
    const call = {
      type: "tool_use",
      call: "call_1" as ToolCallId,
      provider_id: "c",
      name: "t",
      input: {},
      origin,
    } as const;
    expect(bound([{ ...call, name: "t".repeat(200) }]) - bound([call])).toBe(199);
    const image = { type: "image", media_type: "image/png", blob: "b" as BlobHash, origin } as const;
    // What the documentation of the providers says an image counts at most: gpt-4o-mini's of eight tiles, Claude's of 2,576 pixels.
    expect(bound([image], "openai") - bound([], "openai")).toBeGreaterThanOrEqual(2_833 + 8 * 5_667);
    expect(bound([image]) - bound([])).toBeGreaterThanOrEqual(4_784);
    expect(bound([image]) - bound([])).toBeLessThan(10_000);
  });
});

describe("an event of an older version", () => {
  const definition = {
    version: 4,
    upcast: (data: JsonObject, version: number): JsonObject => ({ ...data, [`added_in_${version + 1}`]: version }),
  };

  it("is read in today's shape, step by step, from whichever version it was written with", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.dictionary(fc.string(), fc.integer()), (version, data) => {
        const today = upcastPayload(definition, data, version);
        const added = Object.keys(today).filter((key) => !(key in data));
        expect(added.length).toBe([2, 3, 4].filter((step) => step > version && !(`added_in_${step}` in data)).length);
        // Reading in two halves is reading at once.
        const halfway = upcastPayload({ ...definition, version: Math.max(version, 2) }, data, version);
        expect(upcastPayload(definition, halfway, Math.max(version, 2))).toEqual(today);
      }),
    );
  });

  it("without a way to read it is a defect, said loudly; of a newer version it is unknown", () => {
    expect(() => upcastPayload({ version: 2 }, {}, 1)).toThrow(/invariant F3/);
    const [event] = simulate(choicesFrom([])).events;
    if (event === undefined) throw new Error("the simulation wrote nothing");
    const { hash, ...sealed } = event;
    expect(parseEvent({ ...sealed, version: 99 }, hash)).toMatchObject({ unknown: true });
    expect(parseEvent({ ...sealed, kind: "FromTheFuture" }, hash)).toMatchObject({ unknown: true });
    expect(() => parseEvent({ ...sealed, data: { title: 7 } }, hash)).toThrow(/does not fit its schema/);
  });
});

describe("the chain of events", () => {
  it("changes its hash with any byte of an event", () => {
    const { events } = simulate(choicesFrom([3, 1, 4, 1, 5]));
    const [event] = events;
    if (event === undefined) throw new Error("the simulation wrote nothing");
    const { hash, ...sealed } = event;
    expect(sealEvent(sealed).hash).toBe(hash);
    expect(sealEvent({ ...sealed, at: sealed.at + 1 }).hash).not.toBe(hash);
    events.slice(1).forEach((next, i) => expect(next.prev_hash).toBe(events[i]?.hash));
  });
});
