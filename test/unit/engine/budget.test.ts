/** Caps of money, tokens, turns and phases in real sessions: refused before a call is sent, settled after, resumable when raised. */
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { Host, Prompter } from "../../../src/engine/host.ts";
import { replaySession } from "../../../src/engine/replay/replay.ts";
import { type LiveSession, resumeSession } from "../../../src/engine/session.ts";
import { type Cap, DEFAULT_BUDGET, NO_CAP, OUTPUT_TOKENS_MIN } from "../../../src/kernel/budget.ts";
import type { SessionConfig } from "../../../src/kernel/config.ts";
import { textPart } from "../../../src/kernel/content.ts";
import type { Event } from "../../../src/kernel/events/index.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { NO_FALLBACK } from "../../../src/kernel/model-policy.ts";
import { addMoney, type NanoDollars, NO_MONEY, nanoFromDollars } from "../../../src/kernel/money.ts";
import { NO_USAGE } from "../../../src/kernel/usage.ts";
import { RecordingPrompter } from "../../../src/testing/recording-prompter.ts";
import { callTool, fail, say, scriptedModel, type ScriptedStep } from "../../../src/testing/scripted-model.ts";
import { testHost } from "../../support/host.ts";
import { eventsOf, kinds, start, testPlace } from "../../support/session.ts";

/** 3,000 tokens written to the cache and 100 said: $0.01275 with claude-sonnet-4-5. */
const USAGE = { ...NO_USAGE, cache_write_5m_tokens: 3_000, output_tokens: 100 };
const USAGE_COST = nanoFromDollars((3_000 * 3.75 + 100 * 15) / 1_000_000);

function cap(scope: string, facts: Partial<Cap>): Cap {
  return { ...NO_CAP, scope, ...facts };
}

function dollars(amount: number): NanoDollars {
  return nanoFromDollars(amount);
}

function budgetOf(...caps: readonly Cap[]): Partial<SessionConfig> {
  return { budget: { ...DEFAULT_BUDGET, caps: [...caps], alert_at: null } };
}

interface Driven {
  readonly host: Host;
  readonly live: LiveSession;
  readonly model: ReturnType<typeof scriptedModel>;
  readonly events: () => Promise<readonly Event[]>;
}

async function driven(
  facts: Partial<SessionConfig>,
  script: readonly ScriptedStep[],
  over: Partial<Host> = {},
): Promise<Driven> {
  const place = testPlace();
  const model = scriptedModel(script);
  const host = { ...(await testHost({ home: place.home, model })), random: () => 0.01, ...over };
  const live = await start(host, place, facts);
  return { host, live, model, events: () => eventsOf(host, live.session) };
}

function only<K extends Event["kind"]>(events: readonly Event[], kind: K): readonly Extract<Event, { kind: K }>[] {
  return events.filter((event): event is Extract<Event, { kind: K }> => event.kind === kind);
}

async function standing({ host, live }: Driven) {
  const [found] = await host.store.listScopes(LOCAL_TENANT, `session:${live.session}`, 1);
  if (found === undefined) throw new Error("the session has a scope");
  return found;
}

describe("a cap of money", () => {
  it("refuses a call whose worst case is more, before it is sent, and ends the run as budget_exhausted", async () => {
    const run = await driven(budgetOf(cap("session", { cost: dollars(0.02) })), [say("never")]);
    expect(await run.live.done).toMatchObject({
      outcome: "budget_exhausted",
      exit_code: 6,
      error: { kind: "budget_exceeded" },
    });
    expect(run.model.calls).toEqual([]);
    const [refused] = only(await run.events(), "ModelCallRefused");
    expect(refused?.data).toMatchObject({
      kind: "budget_exceeded",
      refused_by: { scope: `session:${run.live.session}`, unit: "cost", cap: dollars(0.02), spent: 0, reserved: 0 },
    });
    expect(await standing(run).catch(() => null)).toBeNull();
  });

  it("lowers max_tokens to what is left when that still makes sense, and a replay comes to the same", async () => {
    const run = await driven(budgetOf(cap("session", { cost: dollars(0.1) })), [say("short", { usage: USAGE })]);
    expect(await run.live.done).toMatchObject({ outcome: "completed" });
    const [reserved] = only(await run.events(), "BudgetReserved");
    const lowered = reserved?.data.max_tokens ?? 0;
    expect(lowered).toBeGreaterThanOrEqual(OUTPUT_TOKENS_MIN);
    expect(lowered).toBeLessThan(8_192);
    expect(run.model.calls[0]?.max_tokens).toBe(lowered);
    expect(reserved?.data.cost).toBeLessThanOrEqual(dollars(0.1));
    // All that is left is used: one more token would be over it.
    expect(reserved?.data.cost).toBeGreaterThan(dollars(0.1) - dollars(0.000_03));
    expect(await replaySession(run.host, { session: run.live.session })).toMatchObject({
      verdict: "equal",
      findings: [],
    });
  });

  it("that was raised lets a resume go on where the run stopped", async () => {
    const run = await driven(budgetOf(cap("session", { cost: dollars(0.02) })), [say("Done.")]);
    await run.live.done;
    const again = await resumeSession(run.host, {
      session: run.live.session,
      message: null,
      change: (config) => ({ ...config, ...budgetOf(cap("session", { cost: dollars(1) })) }),
    });
    expect(await again.done).toMatchObject({ outcome: "completed", turns: 1 });
    expect(await replaySession(run.host, { session: run.live.session })).toMatchObject({ verdict: "equal" });
  });

  it("that was asked for refuses a model without a known price, and says how to price it", async () => {
    const facts = { model: "nobody-knows-it" };
    const strict = await driven({ ...facts, ...budgetOf(cap("session", { cost: dollars(1), strict: true })) }, [
      say("no"),
    ]);
    expect(await strict.live.done).toMatchObject({ outcome: "failed", error: { kind: "price_unknown" } });
    expect(strict.model.calls).toEqual([]);
    const byDefault = await driven(facts, [say("yes", { usage: USAGE })]);
    expect(await byDefault.live.done).toMatchObject({ outcome: "completed", cost_usd: null });
    expect(await standing(byDefault)).toMatchObject({ cost: 0, unpriced: 1, tokens: 3_100 });
  });

  it("holds for a turn and for a run alone", async () => {
    for (const scope of ["turn", "run"]) {
      const run = await driven(budgetOf(cap(scope, { cost: dollars(0.01) })), [say("never")]);
      expect(await run.live.done).toMatchObject({ outcome: "budget_exhausted" });
      expect(only(await run.events(), "ModelCallRefused")[0]?.data.refused_by?.scope).toContain(`${scope}:`);
    }
  });
});

describe("the ledger", () => {
  it("equals the sum of the events to the last nano-dollar, retries and lost answers included", async () => {
    const run = await driven({}, [
      callTool("glob", { pattern: "*" }, { usage: USAGE }),
      fail("overloaded", { http: 529 }),
      fail("stream_cut", { sent: true, usage: { ...NO_USAGE, cache_write_5m_tokens: 3_000 } }),
      say("Done.", { usage: USAGE }),
    ]);
    expect(await run.live.done).toMatchObject({ outcome: "completed" });
    const settled = only(await run.events(), "BudgetSettled").map(({ data }) => data);
    expect(settled).toHaveLength(4);
    const sum = (of: (one: (typeof settled)[number]) => NanoDollars | null): NanoDollars =>
      settled.reduce((total, one) => addMoney(total, of(one) ?? NO_MONEY), NO_MONEY);
    const there = await standing(run);
    expect(there).toMatchObject({
      cost: sum(({ cost }) => cost),
      unknown_cost: sum(({ unknown_cost }) => unknown_cost),
      unknown_tokens: settled.reduce((total, one) => total + one.unknown_tokens, 0),
      reserved_cost: 0,
      reserved_tokens: 0,
      calls: 4,
    });
    expect(there.cost).toBeGreaterThan(2 * USAGE_COST);
    // The cut answer may have cost the rest of its reservation; the refused one cannot.
    expect(settled.map(({ unknown_cost }) => (unknown_cost ?? 0) > 0)).toEqual([false, false, true, false]);
    const [tenant] = await run.host.store.listScopes(LOCAL_TENANT, "tenant", 1);
    expect(tenant).toMatchObject({ cost: there.cost, unknown_cost: there.unknown_cost, calls: there.calls });
  });

  it("makes a call wait while only others hold what it needs, and lets it go on when they settle", async () => {
    const place = testPlace();
    const model = scriptedModel([say("Done.")]);
    const host = { ...(await testHost({ home: place.home, model })), random: () => 0.01 };
    await host.store.setTenantCap(LOCAL_TENANT, "day", { cost: dollars(0.5), tokens: null });
    const day = `day:${new Date(await host.store.now()).toISOString().slice(0, 10)}`;
    const scopes = [{ scope: day, cost: null, tokens: null, strict: false, opening: { cost: NO_MONEY, tokens: 0 } }];
    await host.store.moveLedger(LOCAL_TENANT, {
      reserve: [{ call: "mdl_other", scopes, cost: dollars(0.49), tokens: 1 }],
      settle: [],
    });
    const live = await start(host, place);
    live.onEvents((events) => {
      if (events.some((event) => event.kind === "RetryScheduled"))
        void host.store.moveLedger(LOCAL_TENANT, {
          reserve: [],
          settle: [{ call: "mdl_other", cost: NO_MONEY, tokens: 0, unknown_cost: NO_MONEY, unknown_tokens: 0 }],
        });
    });
    expect(await live.done).toMatchObject({ outcome: "completed", turns: 1 });
    const events = await eventsOf(host, live.session);
    expect(only(events, "ModelCallRefused")[0]?.data).toMatchObject({
      kind: "budget_held",
      refused_by: { scope: day },
    });
    expect(kinds(events)).toContain("RetryWaited");
    expect(await replaySession(host, { session: live.session })).toMatchObject({ verdict: "equal", findings: [] });
  });
});

describe("caps of turns, tokens and phases", () => {
  it("end the run as budget_exhausted with what was finished kept", async () => {
    const script = [
      callTool("write", { path: "a.txt", content: "a" }),
      callTool("glob", { pattern: "*" }),
      say("never"),
    ];
    const run = await driven(budgetOf(cap("run", { turns: 2 })), script);
    expect(await run.live.done).toMatchObject({ outcome: "budget_exhausted", turns: 2 });
    expect(kinds(await run.events())).toContain("CheckpointCreated");
  });

  it("hold for the phase that the permission mode names", async () => {
    const facts = { ...budgetOf(cap("phase:plan", { tokens: 5_000 })), permission_mode: "plan" as const };
    const run = await driven(facts, [say("never")]);
    expect(await run.live.done).toMatchObject({ outcome: "budget_exhausted" });
    expect(only(await run.events(), "PhaseEntered")[0]?.data.phase).toBe("plan");
    const again = await resumeSession(run.host, {
      session: run.live.session,
      message: null,
      change: (config) => ({ ...config, permission_mode: "default" }),
    });
    expect(await again.done).toMatchObject({ outcome: "completed" });
    expect(only(await run.events(), "PhaseEntered")[0]?.data.phase).toBe("plan");
    expect(only(await run.events(), "PhaseLeft").at(-1)?.data.phase ?? "plan").toBe("plan");
  });
});

describe("an alert", () => {
  const facts = {
    budget: { caps: [cap("session", { cost: dollars(1) })], alert_at: 0.01, turn_alert: dollars(0.01) },
  };
  const script = [callTool("glob", { pattern: "*" }, { usage: USAGE }), say("Done.", { usage: USAGE })];

  it("is journaled where nobody is there to be asked, once for each cap and each turn, and the run goes on", async () => {
    const run = await driven(facts, script);
    expect(await run.live.done).toMatchObject({ outcome: "completed" });
    expect(only(await run.events(), "BudgetAlerted").map(({ data }) => [data.scope, data.unit, data.answer])).toEqual([
      ["session", "cost", null],
      ["turn 1", "cost", null],
    ]);
    expect(await replaySession(run.host, { session: run.live.session })).toMatchObject({
      verdict: "equal",
      findings: [],
    });
  });

  it("asks a person, who may stop the run; a resume goes on and does not ask again", async () => {
    const prompter = new RecordingPrompter([], { goOnSpending: false });
    const asked = (): readonly string[] => prompter.askedAboutBudget.map(({ title }) => title);
    const run = await driven(facts, script, { prompter });
    expect(await run.live.done).toMatchObject({ outcome: "budget_exhausted" });
    expect(asked()).toEqual(["session: $0.013 of $1.00"]);
    const again = await resumeSession(run.host, { session: run.live.session, message: null, change: null });
    expect(await again.done).toMatchObject({ outcome: "budget_exhausted" });
    expect(asked()).toEqual(["session: $0.013 of $1.00", "turn 1: $0.013 (alert at $0.010)"]);
  });
});

describe("an alert of a cap", () => {
  const budget = (amount: number) => ({
    budget: { ...DEFAULT_BUDGET, caps: [cap("session", { cost: dollars(amount) })], alert_at: 0.01 },
  });
  const script = [callTool("glob", { pattern: "*" }, { usage: USAGE }), say("Done.", { usage: USAGE })];

  it("that was raised is given anew", async () => {
    const run = await driven(budget(1), [...script, ...script]);
    await run.live.done;
    const goOn = async (change: Partial<SessionConfig>): Promise<readonly unknown[]> => {
      const message = [textPart("more", { from: "user" })];
      const again = await resumeSession(run.host, {
        session: run.live.session,
        message,
        change: (config) => ({ ...config, ...change }),
      });
      await again.done;
      return only(await run.events(), "BudgetAlerted").map(({ data }) => data.cap);
    };
    expect(await goOn({ max_tokens: 4_096 })).toEqual([dollars(1)]);
    expect(await goOn(budget(2))).toEqual([dollars(1), dollars(2)]);
    expect(await replaySession(run.host, { session: run.live.session })).toMatchObject({
      verdict: "equal",
      findings: [],
    });
  });

  it("at which the run is stopped is not answered by that", async () => {
    const place = testPlace();
    const stop: { run: LiveSession | null } = { run: null };
    const prompter: Prompter = {
      ask: async () => ({ answer: "once", by: "a person", reason: null, rule: null }),
      askBudget: async (_question: unknown, signal: AbortSignal) => {
        stop.run?.cancel("sigint", "Ctrl+C");
        if (!signal.aborted) await once(signal, "abort");
        return { approved: false, by: "a person" };
      },
    };
    const host = { ...(await testHost({ home: place.home, model: scriptedModel(script) })), prompter };
    stop.run = await start(host, place, budget(1));
    expect(await stop.run.done).toMatchObject({ outcome: "canceled" });
    expect(only(await eventsOf(host, stop.run.session), "BudgetAlerted")).toEqual([]);
  });
});

describe("another model", () => {
  const fallback = [
    { provider: "anthropic", model: "claude-haiku-4-5" },
    { provider: "openai", model: "gpt-5-mini" },
  ];
  const models = { ...NO_FALLBACK, fallback };
  const busy = fail("overloaded", { http: 529 });

  it("takes over after the same call failed again and again, is journaled, and the first one is asked by the next run", async () => {
    const run = await driven({ models }, [
      busy,
      busy,
      busy,
      callTool("glob", { pattern: "*" }),
      say("Done."),
      say("Again."),
    ]);
    expect(await run.live.done).toMatchObject({ outcome: "completed" });
    const asked = run.model.calls.map(({ model }) => model);
    expect(asked).toEqual([...Array<string>(3).fill("claude-sonnet-4-5"), "claude-haiku-4-5", "claude-haiku-4-5"]);
    expect(only(await run.events(), "ModelSwitched").map(({ data }) => data)).toMatchObject([
      { from: { model: "claude-sonnet-4-5" }, to: fallback[0], kind: "overloaded" },
    ]);
    // Two answers: what failed belongs to the turn of the first.
    expect(run.live.state().turn).toBe(2);
    const message = [{ type: "text" as const, text: "more", origin: { from: "user" as const } }];
    const again = await resumeSession(run.host, { session: run.live.session, message, change: null });
    await again.done;
    expect(run.model.calls.at(-1)?.model).toBe("claude-sonnet-4-5");
    expect(await replaySession(run.host, { session: run.live.session })).toMatchObject({
      verdict: "equal",
      findings: [],
    });
  });

  it("takes over at once where the model is not found, and the chain goes on to its end", async () => {
    const gone = fail("not_found", { http: 404 });
    const run = await driven({ models }, [gone, gone, gone]);
    expect(await run.live.done).toMatchObject({ outcome: "failed", error: { kind: "not_found" } });
    expect(run.model.calls.map(({ model }) => model)).toEqual(["claude-sonnet-4-5", "claude-haiku-4-5", "gpt-5-mini"]);
  });

  it("takes over for the rate when the wait is longer than the patience", async () => {
    const run = await driven({ models }, [fail("rate_limit", { http: 429, retry_after_ms: 40_000 }), say("Done.")]);
    expect(await run.live.done).toMatchObject({ outcome: "completed" });
    expect(run.model.calls[1]?.model).toBe("claude-haiku-4-5");
  });

  it("never takes over for credentials or billing, and not for a refusal unless told so", async () => {
    for (const kind of ["auth", "billing"] as const) {
      const run = await driven({ models }, [fail(kind, { http: 401 })]);
      expect(await run.live.done).toMatchObject({ outcome: "failed", error: { kind } });
      expect(run.model.calls).toHaveLength(1);
    }
    const refusing = [say("No.", { stop: "refusal" }), say("Yes.")];
    expect(await (await driven({ models }, refusing)).live.done).toMatchObject({ outcome: "refused" });
    const told = await driven({ models: { ...models, fallback_on: ["refusal"] } }, refusing);
    expect(await told.live.done).toMatchObject({ outcome: "completed" });
    expect(told.model.calls[1]?.messages.at(-1)?.role).toBe("user");
  });

  it("is cheaper where the budget ends, when the user allows it", async () => {
    const cheap = { ...models, fallback_on: ["budget" as const] };
    const run = await driven({ models: cheap, ...budgetOf(cap("session", { cost: dollars(0.035) })) }, [
      say("Done.", { usage: USAGE }),
    ]);
    expect(await run.live.done).toMatchObject({ outcome: "completed" });
    expect(run.model.calls.map(({ model }) => model)).toEqual(["claude-haiku-4-5"]);
  });
});
