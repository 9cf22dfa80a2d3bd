/** What a reservation has to hold for, and what becomes of it when things go wrong around the call. */
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { Host } from "../../../src/engine/host.ts";
import { replaySession } from "../../../src/engine/replay/replay.ts";
import { type LiveSession, resumeSession } from "../../../src/engine/session.ts";
import { worstCost } from "../../../src/engine/worst-cost.ts";
import { type Cap, DEFAULT_BUDGET, NO_CAP } from "../../../src/kernel/budget.ts";
import type { SessionConfig } from "../../../src/kernel/config.ts";
import { textPart } from "../../../src/kernel/content.ts";
import { HarnessError } from "../../../src/kernel/harness-error.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { nanoFromDollars } from "../../../src/kernel/money.ts";
import { NO_USAGE, type Usage } from "../../../src/kernel/usage.ts";
import { NO_ADMISSION } from "../../../src/model/admission.ts";
import { createPriceTable } from "../../../src/model/prices.ts";
import { aroundStore } from "../../../src/testing/faulty-store.ts";
import { callTool, fail, say, type ScriptedStep, scriptedModel } from "../../../src/testing/scripted-model.ts";
import { testHost } from "../../support/host.ts";
import { moneyProblems } from "../../support/money.ts";
import { eventsOf, kinds, start, testPlace } from "../../support/session.ts";

const USAGE: Usage = { ...NO_USAGE, cache_write_5m_tokens: 3_000, output_tokens: 100 };

function budgetOf(...caps: readonly (Pick<Cap, "scope"> & Partial<Cap>)[]): Partial<SessionConfig> {
  return { budget: { ...DEFAULT_BUDGET, caps: caps.map((cap) => ({ ...NO_CAP, ...cap })), alert_at: null } };
}

async function hostOf(script: readonly ScriptedStep[], over: (host: Host) => Partial<Host> = () => ({})) {
  const place = testPlace();
  const model = scriptedModel(script);
  const host = { ...(await testHost({ home: place.home, model })), random: () => 0.01 };
  return { place, model, host: { ...host, ...over(host) } };
}

describe("the worst case of a call", () => {
  it("is no less than what any mix of fresh, written and read tokens costs, whatever the price list says", async () => {
    const dear = { input: 3, output: 15, cache_read: 0.3, cache_write_5m: 3.75 };
    const { costOf } = createPriceTable({
      overrides: {
        "mine/write-free": { ...dear, cache_write_5m: 0 },
        "mine/read-dear": { ...dear, cache_read: 9 },
      },
    });
    for (const [provider, model] of [
      ["anthropic", "claude-sonnet-4-5"],
      ["openai", "gpt-5-mini"],
      ["openrouter", "google/gemini-2.5-flash-lite"],
      ["mine", "write-free"],
      ["mine", "read-dear"],
    ] as const) {
      for (const prompt of [1_000, 150_000, 250_000]) {
        const worst = await worstCost(costOf, { provider, model }, prompt + 1_000, 1_000);
        for (const kind of ["input_tokens", "cache_read_tokens", "cache_write_5m_tokens"] as const) {
          const real = await costOf(provider, model, { ...NO_USAGE, [kind]: prompt, output_tokens: 1_000 });
          expect(worst, `${model}: ${prompt} ${kind}`).toBeGreaterThanOrEqual(real?.cost ?? Infinity);
        }
      }
    }
  });
});

describe("an answer whose provider counted nothing", () => {
  it("was not free: what was reserved for it stays as unknown spend, and the next bound is of all that is sent", async () => {
    const script = [callTool("glob", { pattern: "*" }, { usage: NO_USAGE }), say("Done.", { usage: NO_USAGE })];
    const { host, place } = await hostOf(script);
    const live = await start(host, place);
    expect(await live.done).toMatchObject({ outcome: "completed" });
    const events = await eventsOf(host, live.session);
    const reserved = events.flatMap((event) => (event.kind === "BudgetReserved" ? [event.data] : []));
    const settled = events.flatMap((event) => (event.kind === "BudgetSettled" ? [event.data] : []));
    expect(settled.map(({ unknown_cost, unknown_tokens }) => [unknown_cost, unknown_tokens])).toEqual(
      reserved.map(({ cost, tokens }) => [cost, tokens]),
    );
    expect(reserved[1]?.tokens).toBeGreaterThan(reserved[0]?.tokens ?? Infinity);
    expect(await moneyProblems(host.store, live.session)).toEqual([]);
    expect(await replaySession(host, { session: live.session })).toMatchObject({ verdict: "equal", findings: [] });
  });
});

describe("a call whose intent could not be stored", () => {
  it("gives its turn under the shared rate back", async () => {
    let held = 0;
    const { host, place, model } = await hostOf([say("never")], ({ admission, store }) => ({
      admission: {
        enter: async (request, options) => {
          const entry = await admission.enter(request, options);
          if (!entry.ok) return entry;
          held += 1;
          return {
            ...entry,
            settle: async (end) => {
              held -= 1;
              await entry.settle(end);
            },
          };
        },
      },
      store: {
        ...aroundStore(store, (_method, run) => run()),
        append: async (command) => {
          if ((command.ledger?.reserve.length ?? 0) > 0)
            throw new HarnessError("store_full", "It is full.", "Free it.");
          await store.append(command);
        },
      },
    }));
    expect(await (await start(host, place)).done).toMatchObject({ error: { kind: "store_full" } });
    expect([held, model.calls.length]).toEqual([0, 0]);
  });
});

describe("a wait for the rate that somebody stopped", () => {
  it("ends the run also where the wish could not be stored, and is not begun again", async () => {
    const begun = Promise.withResolvers<LiveSession>();
    let entered = 0;
    let failed = false;
    const { host, place, model } = await hostOf([say("never")], ({ store }) => ({
      admission: {
        enter: async (_request, { signal }) => {
          if (++entered > 3) return { ok: false, kind: "rate_limit", message: "again?", retry_after_ms: 1e9 };
          (await begun.promise).cancel("user", "no more");
          if (!signal.aborted) await once(signal, "abort");
          throw signal.reason;
        },
      },
      store: aroundStore(store, async (method, run) => {
        if (method === "append" && entered === 1 && !failed) {
          failed = true;
          throw new HarnessError("store_busy", "It is busy.", "It is tried again.");
        }
        return run();
      }),
    }));
    const live = await start(host, place);
    begun.resolve(live);
    expect(await live.done).toMatchObject({ outcome: "failed", error: { kind: "interrupted" } });
    expect([entered, model.calls.length]).toEqual([1, 0]);
  });
});

describe("a cap of a phase that is set later", () => {
  it("counts what the phase spent before there was a cap", async () => {
    const { host, place } = await hostOf([say("Planned.", { usage: USAGE }), say("never")]);
    const live = await start(host, place, { permission_mode: "plan" });
    await live.done;
    const again = await resumeSession(host, {
      session: live.session,
      message: [textPart("Once more.", { from: "user" })],
      change: (config) => ({ ...config, ...budgetOf({ scope: "phase:plan", tokens: 3_200 }) }),
    });
    expect(await again.done).toMatchObject({ outcome: "budget_exhausted" });
    const refused = (await eventsOf(host, live.session)).flatMap((event) =>
      event.kind === "ModelCallRefused" ? [event.data.refused_by] : [],
    );
    expect(refused).toMatchObject([{ scope: `phase:${live.session}/plan`, unit: "tokens", spent: 3_100 }]);
  });
});

describe("what is settled and not yet stored", () => {
  it("makes room for the next call under a cap that leaves less than all of it", async () => {
    // Each call may need most of the cap, and takes a third of it.
    const cost = nanoFromDollars(0.16);
    const usage = { ...USAGE, output_tokens: 3_000 };
    const script = [say("Half an answer", { stop: "pause_turn", usage }), say("and the rest.", { usage })];
    const { host, place } = await hostOf(script);
    const live = await start(host, place, budgetOf({ scope: "session", cost }));
    expect(await live.done).toMatchObject({ outcome: "completed" });
    const lowered = (await eventsOf(host, live.session)).flatMap((event) =>
      event.kind === "BudgetReserved" ? [event.data.max_tokens] : [],
    );
    expect(lowered).toMatchObject([null, expect.any(Number)]);
    expect(await moneyProblems(host.store, live.session)).toEqual([]);
  });

  it("is stored before the next call waits for its turn under the rate", async () => {
    const stored: string[] = [];
    const { host, place } = await hostOf(
      [say("Half an answer", { stop: "pause_turn", usage: USAGE }), say("and the rest.", { usage: USAGE })],
      ({ admission, store }) => {
        let calls = 0;
        return {
          admission: {
            enter: async (request, options) => {
              if (++calls === 2) {
                await options.onWait({ wait_ms: 1_000, reason: "a test" });
                const [row] = await store.listSessions({ tenant: LOCAL_TENANT, limit: 1 });
                for (const { kind } of await eventsOf(host, row?.session ?? live.session)) stored.push(kind);
              }
              return admission.enter(request, options);
            },
          },
        };
      },
    );
    const live = await start(host, place);
    expect(await live.done).toMatchObject({ outcome: "completed" });
    expect(stored).toContain("BudgetSettled");
  });
});

describe("whatever comes one after the other", () => {
  it("failures, refusals, a switch and alerts at once end, with the ledger as the journal says", async () => {
    const fallback = [
      { provider: "anthropic", model: "claude-sonnet-4-5" }, // the first one again
      { provider: "anthropic", model: "claude-haiku-4-5" },
    ];
    const cut = fail("stream_cut", { sent: true, usage: USAGE });
    const { host, place } = await hostOf(
      Array.from({ length: 40 }, () => cut),
      () => ({ admission: NO_ADMISSION }),
    );
    const live = await start(host, place, {
      models: {
        fallback,
        fallback_on: ["overloaded", "rate_limit", "not_found", "refusal", "budget"],
        patience_ms: 0,
        phases: {},
        skills: {},
        sub_agents: {},
      },
      budget: {
        caps: [{ ...NO_CAP, scope: "session", cost: nanoFromDollars(0.6), strict: true }],
        alert_at: 0.000_001,
        turn_alert: nanoFromDollars(0.000_001),
      },
    });
    expect(await live.done).toMatchObject({ outcome: "budget_exhausted" });
    const happened = new Set(kinds(await eventsOf(host, live.session)));
    for (const kind of ["BudgetAlerted", "ModelCallRefused", "ModelSwitched"]) expect(happened).toContain(kind);
    expect(await moneyProblems(host.store, live.session)).toEqual([]);
  });
});
