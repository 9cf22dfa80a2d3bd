/** The journal moves the ledger: G3 at the place where what is said about money becomes money. */
import { beforeEach, describe, expect, it } from "vitest";
import { type Budget, DEFAULT_BUDGET, NO_CAP } from "../../../src/kernel/budget.ts";
import { ledgerScopes } from "../../../src/kernel/ledger-scopes.ts";
import type { Draft, EventOf } from "../../../src/kernel/events/index.ts";
import { LOCAL_TENANT, type ModelCallId, type SessionId } from "../../../src/kernel/ids.ts";
import { InvariantError } from "../../../src/kernel/harness-error.ts";
import { NO_MONEY, nanoDollars } from "../../../src/kernel/money.ts";
import { NO_USAGE } from "../../../src/kernel/usage.ts";
import { type Journal, readEvents } from "../../../src/store/journal.ts";
import { createMemoryStore } from "../../../src/store/memory/memory-store.ts";
import type { Store } from "../../../src/store/port.ts";
import { type ManualClock, manualClock } from "../../../src/testing/manual-clock.ts";
import { testConfig } from "../../support/config.ts";
import { beginning, journalOn, newSession, said, SESSION } from "../../support/session-fixture.ts";

const CALL = "mdl_1" as ModelCallId;
const EVENING = Date.UTC(2026, 10, 21, 23, 59, 59, 990);
const BUDGET: Budget = {
  ...DEFAULT_BUDGET,
  caps: [
    { ...NO_CAP, scope: "session", cost: nanoDollars(100) },
    { ...NO_CAP, scope: "turn", tokens: 50 },
    { ...NO_CAP, scope: "group:team", cost: nanoDollars(150), tokens: 80 },
  ],
};

let clock: ManualClock;
let store: Store;

beforeEach(() => {
  clock = manualClock(EVENING);
  store = createMemoryStore({ clock });
});

async function driven(session: SessionId = SESSION): Promise<Journal> {
  await store.createSession(newSession(session));
  const journal = await journalOn(store, { session });
  await journal.append(beginning());
  await journal.append([
    { kind: "SettingsChanged", data: { config: testConfig({ budget: BUDGET }), changed: ["budget"] } },
  ]);
  return journal;
}

function reserved(
  journal: Journal,
  cost: number | null,
  facts: Partial<EventOf<"BudgetReserved">["data"]> = {},
): Draft {
  const scopes = ledgerScopes(journal.state, 1, clock.now()).map(({ scope }) => scope);
  const money = cost === null ? null : nanoDollars(cost);
  return {
    kind: "BudgetReserved",
    turn: 1,
    data: { call: CALL, scopes, tokens: 10, cost: money, max_tokens: null, ...facts },
  };
}

function settled(cost: number, facts: Partial<EventOf<"BudgetSettled">["data"]> = {}): Draft {
  const usage = { ...NO_USAGE, input_tokens: 2, output_tokens: 3 };
  const lost = { unknown_tokens: 0, unknown_cost: NO_MONEY };
  return {
    kind: "BudgetSettled",
    turn: 1,
    data: { call: CALL, usage, cost: nanoDollars(cost), price: "p", ...lost, ...facts },
  };
}

/** Of every scope: cost settled, unknown, reserved; the same of tokens. */
async function ledger(): Promise<Readonly<Record<string, readonly number[]>>> {
  const all = await store.listScopes(LOCAL_TENANT, "", 99);
  return Object.fromEntries(
    all.map((at) => [
      at.scope,
      [at.cost, at.unknown_cost, at.reserved_cost, at.tokens, at.unknown_tokens, at.reserved_tokens],
    ]),
  );
}

async function kinds(session: SessionId = SESSION): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const event of readEvents(store, LOCAL_TENANT, session)) found.push(event.kind);
  return found;
}

describe("an event that reserves", () => {
  it("reserves in every scope above the call, by the caps of the session as they are", async () => {
    const journal = await driven();
    await journal.append([said("hello"), reserved(journal, 40)]);
    const names = [
      "day:2026-11-21",
      "group:team",
      "month:2026-11",
      `session:${SESSION}`,
      "tenant",
      `turn:${SESSION}/1`,
    ];
    expect(await ledger()).toEqual(Object.fromEntries(names.map((name) => [name, [0, 0, 40, 0, 0, 10]])));
    await journal.append([settled(15, { unknown_tokens: 4, unknown_cost: nanoDollars(20) })]);
    expect(await ledger()).toEqual(Object.fromEntries(names.map((name) => [name, [15, 20, 0, 5, 4, 0]])));
  });

  it("is written on the day after it was made out: it counts for the day that it names", async () => {
    const journal = await driven();
    const draft = reserved(journal, 40);
    await clock.advance(20);
    const [event] = await journal.append([draft]);
    expect(new Date(event?.at ?? 0).toISOString()).toMatch(/^2026-11-22T/);
    expect(Object.keys(await ledger())).toContain("day:2026-11-21");
    expect(Object.keys(await ledger())).not.toContain("day:2026-11-22");
  });

  it("names other scopes than those above the call: a programmer error, and nothing is written", async () => {
    const journal = await driven();
    const before = await kinds();
    const all = ledgerScopes(journal.state, 1, clock.now()).map(({ scope }) => scope);
    for (const scopes of [[], all.slice(1), [...all, "group:other"], [...all].reverse(), ["day:never"]]) {
      await expect(journal.append([reserved(journal, 1, { scopes })])).rejects.toThrow(InvariantError);
    }
    expect(await kinds()).toEqual(before);
    await journal.append([reserved(journal, 1)]);
  });

  it("cannot be staged: a refusal would hold up all that comes after", async () => {
    const journal = await driven();
    await expect(journal.stage([reserved(journal, 1)])).rejects.toThrow(InvariantError);
    await journal.append([said("goes on")]);
    expect(await ledger()).toEqual({});
  });
});

describe("a refused reservation", () => {
  it("leaves journal, state and ledger as they were, and what was staged stays staged", async () => {
    const journal = await driven();
    await journal.stage([said("staged")]);
    const before = { kinds: await kinds(), state: journal.state };
    const refused = journal.append([said("before the call"), reserved(journal, 101)]);
    await expect(refused).rejects.toMatchObject({
      kind: "budget_exceeded",
      refused_by: { scope: `session:${SESSION}` },
    });
    expect(await kinds()).toEqual(before.kinds);
    expect(journal.state).toBe(before.state);
    expect(await ledger()).toEqual({});
    const written: string[] = [];
    journal.onAppend((events) => void written.push(...events.map(({ kind }) => kind)));
    await journal.append([reserved(journal, 100)]);
    expect(written).toEqual(["UserMessageAdded", "BudgetReserved"]);
    expect((await kinds()).slice(before.kinds.length)).toEqual(written);
    await journal.close();
    expect((await store.getSession(LOCAL_TENANT, SESSION))?.owner).toBeNull();
  });

  it("is held only by others: their settling lets it through", async () => {
    const one = await driven();
    const other = await driven("ses_2" as SessionId);
    await one.append([reserved(one, 100)]);
    await expect(other.append([reserved(other, 60)])).rejects.toMatchObject({ kind: "budget_held" });
    await one.append([settled(80)]);
    await other.append([reserved(other, 60)]);
    expect((await ledger())["group:team"]).toEqual([80, 0, 60, 5, 0, 10]);
  });
});

describe("what another ledger saw", () => {
  it("is what the session's scope opens with, and no other one's", async () => {
    const blind: Store = { ...store, append: ({ ledger: _moves, ...command }) => store.append(command) };
    await blind.createSession(newSession());
    const elsewhere = await journalOn(blind);
    await elsewhere.append(beginning());
    await elsewhere.append([
      { kind: "SettingsChanged", data: { config: testConfig({ budget: BUDGET }), changed: ["budget"] } },
    ]);
    await elsewhere.append([reserved(elsewhere, 70)]);
    await elsewhere.close();

    const journal = await journalOn(store, { token: "token-2" });
    await journal.append([settled(30, { unknown_cost: nanoDollars(40), unknown_tokens: 7 })]);
    expect(await ledger()).toEqual({});
    const next = { call: "mdl_2" as ModelCallId };
    await expect(journal.append([reserved(journal, 31, next)])).rejects.toMatchObject({
      refused_by: { scope: `session:${SESSION}`, spent: 70 },
    });
    await journal.append([reserved(journal, 30, next)]);
    expect(await ledger()).toMatchObject({
      [`session:${SESSION}`]: [70, 0, 30, 12, 0, 10],
      "group:team": [0, 0, 30, 0, 0, 10],
      tenant: [0, 0, 30, 0, 0, 10],
    });
  });

  it("counts also where the money of some calls is not known", async () => {
    const blind: Store = { ...store, append: ({ ledger: _moves, ...command }) => store.append(command) };
    await blind.createSession(newSession());
    const elsewhere = await journalOn(blind);
    await elsewhere.append(beginning());
    await elsewhere.append([reserved(elsewhere, 70)]);
    await elsewhere.append([settled(60)]);
    await elsewhere.append([settled(0, { call: "mdl_2" as ModelCallId, cost: null })]);
    await elsewhere.close();

    const journal = await journalOn(store, { token: "token-2" });
    expect(journal.state.cost).toBeNull();
    await journal.append([reserved(journal, 1, { call: "mdl_3" as ModelCallId })]);
    expect((await ledger())[`session:${SESSION}`]?.[0]).toBe(60);
  });

  it("is a fork's too: that it settles a call of its parent leaves the parent's reservation alone", async () => {
    const parent = await driven();
    await parent.append([reserved(parent, 40)]);
    const fork = await driven("ses_2" as SessionId);
    await fork.append([settled(0, { unknown_cost: nanoDollars(40), unknown_tokens: 10 })]);
    expect((await ledger())["tenant"]).toEqual([0, 0, 40, 0, 0, 10]);
    await parent.append([settled(25)]);
    expect((await ledger())["tenant"]).toEqual([25, 0, 0, 5, 0, 0]);
  });
});
