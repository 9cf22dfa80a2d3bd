import { describe, expect, it } from "vitest";
import type { ErrorKind } from "../../../src/kernel/error-kind.ts";
import { NO_USAGE, type Usage } from "../../../src/kernel/usage.ts";
import { levelAt } from "../../../src/model/admission/bucket.ts";
import { decode, encode, freshState, PARTY_CHARS_MAX } from "../../../src/model/admission/cell-state.ts";
import { judge } from "../../../src/model/admission/judge.ts";
import {
  admitted,
  enqueued,
  FRESH_LIMITER,
  inOrder,
  type LimiterState,
  type Ticket,
  TICKETS_MAX,
  TURNS_MAX,
  withoutDead,
} from "../../../src/model/admission/limiter.ts";
import { settled } from "../../../src/model/admission/settle.ts";
import { ADMISSION_TTL_MS, type CallEnd } from "../../../src/model/admission.ts";
import type { RateReport } from "../../../src/model/model.ts";
import { CELL_CHARS_MAX } from "../../../src/store/cells.ts";
import { fc } from "../../support/property.ts";

const NOW = 1_750_000_000_000;
const LIMITS = { requests: 60, input_tokens: 60_000, output_tokens: 6_000 };

const ticket = (id: string, change: Partial<Ticket> = {}): Ticket => ({
  ...{ id, party: `party ${id}`, at: NOW, seen: NOW, input_tokens: 1_000, output_tokens: 100, count: 0 },
  ...change,
});
const said = (left: Partial<typeof LIMITS> = {}, at = NOW): RateReport => ({
  ...{ at, tokens: null, ignored: [] },
  requests: { limit: LIMITS.requests, remaining: left.requests ?? LIMITS.requests, reset_at: null },
  input_tokens: { limit: LIMITS.input_tokens, remaining: left.input_tokens ?? LIMITS.input_tokens, reset_at: null },
  output_tokens: { limit: LIMITS.output_tokens, remaining: left.output_tokens ?? LIMITS.output_tokens, reset_at: null },
});
const usage = (input_tokens: number, output_tokens: number): Usage => ({ ...NO_USAGE, input_tokens, output_tokens });
const well = (change: Partial<CallEnd> = {}): CallEnd => ({
  ...{ sent: true, failure: null, usage: usage(1_000, 100), rate: null, duration_ms: 1_000 },
  ...change,
});
const refused = (
  retry_after_ms: number | null,
  rate: RateReport | null = null,
  kind: ErrorKind = "rate_limit",
): CallEnd => well({ failure: { kind, message: "too much", retry_after_ms }, usage: null, rate });
const settle = (state: LimiterState, turn: string, end: CallEnd, now = NOW, report_age_ms = 0): LimiterState =>
  settled(state, { provider: "anthropic", turn, end, report_age_ms, jitter: 0 }, now);
/** After one call that told the limits. */
const TOLD = settle(admitted(FRESH_LIMITER, ticket("first"), NOW), "first", well({ rate: said() }));

function fits(state: LimiterState, one: Ticket, now = NOW): boolean {
  return judge(state, one, now).fits;
}
/** How many of these get in at once. */
function fill(state: LimiterState, now = NOW, most = 1_000): { readonly state: LimiterState; readonly count: number } {
  let full = state;
  for (let count = 0; count < most; count++) {
    const next = ticket(`fill ${count}`);
    if (!fits(full, next, now)) return { state: full, count };
    full = admitted(full, next, now);
  }
  return { state: full, count: most };
}

describe("before the limits are known", () => {
  it("one call asks for them, and where it takes its time a second one, and then twice as many", () => {
    expect(fill(FRESH_LIMITER).count).toBe(1);
    const { state } = fill(FRESH_LIMITER);
    expect(fill(state, NOW + 1_999).count).toBe(0);
    expect(fill(state, NOW + 2_000).count).toBe(1);
    expect(fill(state, NOW + 4_000).count).toBe(3);
  });

  it("the next call asks when the first failed without a word about them", () => {
    const { state } = fill(FRESH_LIMITER);
    const failed = settle(state, "fill 0", refused(null, null, "network"));
    expect(failed.headers).toBe("unknown");
    expect(fill(failed).count).toBe(1);
  });
});

describe("limits that the provider tells", () => {
  it("let so much through at once as they leave, and then as they refill", () => {
    const { state, count } = fill(TOLD);
    // 60,000 tokens, of which the first call's 1,000 may not have been counted.
    expect(count).toBe(59);
    const next = judge(state, ticket("next"), NOW);
    expect(next).toMatchObject({ fits: false, until: "time" });
    expect(fits(state, ticket("next"), NOW + (next.fits ? 0 : next.wait_ms))).toBe(true);
  });

  it("are shown as the share of the scarcest one and how many use it", () => {
    const state = settle(
      admitted(TOLD, ticket("b"), NOW),
      "b",
      well({ rate: said({ input_tokens: 22_800 }) }),
      NOW + 1_000,
    );
    const large = judge(admitted(state, ticket("c"), NOW), ticket("d", { input_tokens: 50_000 }), NOW + 1_000);
    expect(large).toMatchObject({ reason: "62 % of input tokens/min used by 2 runs" });
  });

  it("are taken as the provider says they are, never as more, and less what it cannot have counted", () => {
    const under = admitted(admitted(TOLD, ticket("a"), NOW), ticket("b"), NOW + 2_000);
    const state = settle(under, "a", well({ rate: said({ input_tokens: 10_001 }, NOW + 1_000) }), NOW + 3_000, 2_000);
    const bucket = state.buckets.input_tokens;
    // What it said two seconds ago, what has come since, and the call that was sent since.
    expect(bucket && levelAt(bucket, NOW + 3_000)).toBe(10_001 + 2_000 - 1_000);
  });

  it("keep room for the output of calls under way, which is counted while it is written", () => {
    const under = ["a", "b", "c"].reduce((state, id) => admitted(state, ticket(id), NOW), TOLD);
    const state = settle(under, "a", well({ rate: said({ output_tokens: 3_000 }), usage: usage(1_000, 0) }));
    const bucket = state.buckets.output_tokens;
    expect(bucket && levelAt(bucket, NOW)).toBeLessThanOrEqual(3_000 - 200);
  });

  it("are rounded to the thousand, and then taken as what is surely left", () => {
    const state = settle(admitted(TOLD, ticket("a"), NOW), "a", well({ rate: said({ input_tokens: 7_000 }) }));
    // Less the first call's thousand: it was sent in the same instant.
    expect(state.buckets.input_tokens?.level).toBe(6_500 - 1_000);
  });

  it("keep room for a request that is on its way while they are said", () => {
    const under = admitted(admitted(TOLD, ticket("a"), NOW + 4_900), ticket("b"), NOW + 4_900);
    const state = settle(under, "a", well({ rate: said({ input_tokens: 10_001 }, NOW + 5_000) }), NOW + 5_000);
    expect(state.buckets.input_tokens?.level).toBe(10_001 - 1_000);
  });

  it("get back what a call did not use, and all of it from a call that was not sent", () => {
    const before = TOLD.buckets.input_tokens;
    const under = admitted(TOLD, ticket("a", { input_tokens: 10_000 }), NOW);
    const half = settle(under, "a", well({ usage: usage(4_000, 100) })).buckets.input_tokens;
    expect((before?.level ?? 0) - (half?.level ?? 0)).toBe(4_000);
    const none = settle(under, "a", well({ sent: false, usage: null })).buckets.input_tokens;
    expect(none?.level).toBe(before?.level);
  });

  it("of output are reserved by what calls usually write, not by max_tokens", () => {
    let state = TOLD;
    for (let i = 0; i < 40; i++) {
      state = settle(admitted(state, ticket(`s${i}`), NOW), `s${i}`, well({ usage: usage(10, 50 + i), rate: said() }));
    }
    const greedy = admitted(state, ticket("greedy", { output_tokens: 64_000 }), NOW).turns.at(-1);
    expect(greedy?.output_tokens).toBeGreaterThanOrEqual(80);
    expect(greedy?.output_tokens).toBeLessThan(90);
  });

  it("of a window longer than a minute refill as slowly as that", () => {
    const daily: RateReport = {
      ...{ at: NOW, tokens: null, input_tokens: null, output_tokens: null, ignored: [] },
      requests: { limit: 1_440, remaining: 1_430, reset_at: NOW + 600_000 },
    };
    const state = settle(admitted(FRESH_LIMITER, ticket("a"), NOW), "a", well({ rate: daily }));
    expect(state.buckets.requests?.window_ms).toBe(86_400_000);
  });

  it("of tokens in one are held for max_tokens, which that provider counts at once", () => {
    const tokens: RateReport = { ...said(), requests: null, input_tokens: null, output_tokens: null };
    const told = { ...tokens, tokens: { limit: 10_000, remaining: 10_000, reset_at: null } };
    const state = settle(
      admitted(FRESH_LIMITER, ticket("a", { input_tokens: 1 }), NOW),
      "a",
      well({ rate: told, usage: usage(1, 1) }),
    );
    const long = ticket("long", { input_tokens: 10, output_tokens: 4_000 });
    const level = (of: LimiterState): number => of.buckets.tokens?.level ?? 0;
    expect(level(state) - level(admitted(state, long, NOW))).toBe(4_000);
  });
});

describe("a 429", () => {
  it("stops everybody for as long as the provider asked", () => {
    const state = settle(admitted(TOLD, ticket("a"), NOW), "a", refused(7_000, said({ input_tokens: 0 })));
    expect(judge(state, ticket("b"), NOW)).toMatchObject({ fits: false, wait_ms: 7_000, until: "blocked" });
    expect(fits(state, ticket("b"), NOW + 7_000)).toBe(true);
  });

  it("that says nothing stops everybody for longer each time, and one episode counts once", () => {
    const two = admitted(admitted(TOLD, ticket("a"), NOW), ticket("b"), NOW);
    const once = settle(settle(two, "a", refused(null)), "b", refused(null));
    expect(once.blocked_until).toBe(NOW + 500);
    const again = settle(admitted(once, ticket("c"), NOW + 500), "c", refused(null), NOW + 500);
    expect(again.blocked_until).toBe(NOW + 1_500);
  });

  it("of a subscription that is used up stops everybody until its reset", () => {
    const spent = { ...said(), input_tokens: null, output_tokens: null };
    const rate = { ...spent, requests: { limit: null, remaining: 0, reset_at: NOW + 3_600_000 } };
    expect(settle(admitted(FRESH_LIMITER, ticket("a"), NOW), "a", refused(null, rate)).blocked_until).toBe(
      NOW + 3_600_000,
    );
  });
});

describe("without any headers", () => {
  const silent = settle(admitted(FRESH_LIMITER, ticket("a"), NOW), "a", well());

  it("the window starts at four and doubles with each round, while it is filled", () => {
    let { state } = fill(silent);
    const sizes = [state.turns.length];
    for (let round = 0; round < 3; round++) {
      for (const { id } of state.turns) {
        state = settle(state, id, well());
        const next = ticket(`again ${round} ${id}`);
        if (fits(state, next)) state = admitted(state, next, NOW);
      }
      state = fill(state).state;
      sizes.push(state.turns.length);
    }
    expect(sizes).toEqual([4, 8, 16, 32]);
  });

  it("is halved once for each episode of 429s, never below one, and grows by one a round from then on", () => {
    const busy = fill({ ...silent, window: { size: 16, doubling: true, successes: 0, cut_at: 0 } }).state;
    const sizes = [0, 1, 2].map((i) => settle(busy, `fill ${i}`, refused(null))).map(({ window }) => window?.size);
    expect(sizes).toEqual([8, 8, 8]);
    const first = settle(busy, "fill 0", refused(null));
    expect(settle(first, "fill 1", refused(null)).window?.size).toBe(8);
    let late = first;
    for (let i = 1; i < 8; i++) {
      const at = NOW + i * 20_000;
      late = settle(admitted({ ...late, turns: [] }, ticket("x"), at), "x", refused(null), at);
    }
    expect(late.window).toMatchObject({ size: 1, doubling: false });
    const grown = settle(admitted({ ...late, turns: [] }, ticket("y"), NOW), "y", well());
    expect(grown.window?.size).toBe(2);
  });
});

describe("the queue", () => {
  const DRY = fill(TOLD).state;

  it("lets a party with a single call in before the second call of one with many", () => {
    const many = Array.from({ length: 5 }, (_, i) => ticket(`m${i}`, { party: "many", at: NOW + i }));
    const queue = [...many, ticket("single", { party: "single", at: NOW + 10 })];
    const state = queue.reduce(enqueued, DRY);
    expect(inOrder(state).map(({ id }) => id)).toEqual(["m0", "single", "m1", "m2", "m3", "m4"]);
  });

  it("lets the party in first that was served longest ago", () => {
    const served = ["a", "b", "c"].reduce((state, id) => admitted(state, ticket(id), NOW), TOLD);
    const state = ["c", "a", "b"].map((id) => ticket(`${id}2`, { party: `party ${id}` })).reduce(enqueued, served);
    expect(inOrder(state).map(({ id }) => id)).toEqual(["a2", "b2", "c2"]);
  });

  it("is passed by nobody, a small call not by a large one's side", () => {
    const state = enqueued(DRY, ticket("large", { input_tokens: 30_000 }));
    expect(fits(state, ticket("small", { at: NOW + 1, input_tokens: 10 }), NOW + 20_000)).toBe(false);
    // Whoever sleeps is not waited for: there is enough for both.
    expect(fits(state, ticket("small", { at: NOW + 1, input_tokens: 10 }), NOW + 31_000)).toBe(true);
  });

  it("forgets tickets and turns that nobody says are alive", () => {
    const state = enqueued(admitted(TOLD, ticket("turn"), NOW), ticket("ticket"));
    expect(withoutDead(state, NOW + ADMISSION_TTL_MS - 1)).toBe(state);
    expect(withoutDead(state, NOW + ADMISSION_TTL_MS)).toMatchObject({ turns: [], queue: [] });
  });
});

describe("over any schedule", () => {
  /** What a provider would do that counts exactly, with the limits above. */
  it("no more is sent than the provider allows", () => {
    const step = fc.record({
      ...{ pass_ms: fc.integer({ min: 0, max: 3_000 }), input: fc.integer({ min: 1, max: 5_000 }) },
      ...{ output: fc.integer({ min: 0, max: 100 }), end: fc.boolean() },
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
        let now = NOW;
        let state = TOLD;
        let room = LIMITS.input_tokens - 1_000;
        const open: { id: string; input: number; output: number; rate: RateReport; at: number }[] = [];
        steps.forEach(({ pass_ms, input, output, end }, i) => {
          now += pass_ms;
          room = Math.min(LIMITS.input_tokens, room + (pass_ms * LIMITS.input_tokens) / 60_000);
          const one = ticket(`${i}`, { input_tokens: input, at: now, seen: now });
          state = withoutDead(state, now);
          if (fits(state, one, now)) {
            state = admitted(state, one, now);
            room -= input;
            expect(room).toBeGreaterThanOrEqual(-1e-6);
            open.push({ id: `${i}`, input, output, at: now, rate: said({ input_tokens: Math.floor(room) }, now) });
          }
          const done = end ? open.shift() : undefined;
          if (done === undefined) return;
          const ended = well({ usage: usage(done.input, done.output), rate: done.rate });
          state = settle(state, done.id, ended, now, now - done.at);
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe("the cell", () => {
  it("stays below what a cell holds with as many turns and tickets as there can be", () => {
    const id = "zzzzzz".padEnd(12, "z");
    const party = "p".repeat(PARTY_CHARS_MAX);
    const large = { input_tokens: 999_999, output_tokens: 128_000, party };
    let state = TOLD;
    for (let i = 0; i < TURNS_MAX; i++) {
      const each = ticket(`${id}${i}`, { ...large, party: `${i}`.padEnd(PARTY_CHARS_MAX, "p") });
      state = admitted(state, each, NOW + i * 500);
    }
    for (let i = 0; i < TICKETS_MAX; i++)
      state = enqueued(state, ticket(`${id}${i}`, { ...large, at: NOW + i * 1_000 }));
    const named = { provider: "anthropic", model: "m".repeat(100), account: "a".repeat(100) };
    const text = encode({ ...freshState(named), limiter: state }, NOW);
    expect(text.length).toBeLessThan(CELL_CHARS_MAX * 0.9);
    expect(decode(text, NOW)?.limiter).toEqual(state);
  });

  it("begins anew where it cannot be read", () => {
    // `encode` writes an object.
    const whole = JSON.parse(encode(freshState({ provider: "p", model: "m", account: "a" }), NOW)) as object;
    expect(decode(JSON.stringify(whole), NOW)).not.toBeNull();
    for (const text of ["{", "{}", "7", "null", '{"base":0}']) expect(decode(text, NOW)).toBeNull();
    for (const member of Object.keys(whole)) {
      expect(decode(JSON.stringify({ ...whole, [member]: undefined }), NOW), `without ${member}`).toBeNull();
      expect(decode(JSON.stringify({ ...whole, [member]: { of: "another version" } }), NOW), member).toBeNull();
    }
  });
});
