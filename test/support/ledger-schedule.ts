/**
 * Sessions that share caps, driven by a schedule of a test's choosing: they reserve, settle, lose answers, die and are taken
 * over, while the store is closed and opened. After every step the ledger is held against the journals.
 */
import { expect } from "vitest";
import { type Budget, DEFAULT_BUDGET, NO_CAP } from "../../src/kernel/budget.ts";
import { ledgerScopes } from "../../src/kernel/ledger-scopes.ts";
import type { Event } from "../../src/kernel/events/index.ts";
import { isUnknown } from "../../src/kernel/fold.ts";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import { LOCAL_TENANT, type ModelCallId, type SessionId } from "../../src/kernel/ids.ts";
import { NO_MONEY, nanoDollars } from "../../src/kernel/money.ts";
import { NO_USAGE, totalTokens } from "../../src/kernel/usage.ts";
import { lostAnswer } from "../../src/engine/recover.ts";
import { type Journal, readEvents } from "../../src/store/journal.ts";
import { BudgetRefusal } from "../../src/store/ledger.ts";
import type { Store } from "../../src/store/port.ts";
import { aroundStore } from "../../src/testing/faulty-store.ts";
import type { ManualClock } from "../../src/testing/manual-clock.ts";
import { testConfig } from "./config.ts";
import { beginning, journalOn, newSession } from "./session-fixture.ts";

export interface Schedule {
  /** Caps of each session, and the tenant's for a day. Nano-dollars. */
  readonly caps: { readonly session: number; readonly group: number; readonly day: number; readonly tokens: number };
  readonly steps: readonly ScheduledStep[];
}

export interface ScheduledStep {
  /** Which of the sessions. */
  readonly session: number;
  readonly does: "call" | "call unpriced" | "die" | "crash in append" | "reopen" | "tomorrow";
  /** The worst case. */
  readonly cost: number;
  readonly tokens: number;
  /** How much of it was used, from 0 to 1, and whether the answer was lost. */
  readonly used: number;
  readonly lost: boolean;
}

const SESSIONS = ["ses_a", "ses_b", "ses_c"].map((name) => name as SessionId);
const DAY_MS = 86_400_000;
const GROUP = "group:team";

export interface ScheduleWorld {
  readonly clock: ManualClock;
  store(): Store;
  /** Opens the store anew, as after the end of a process; what it held stays where it is durable. */
  reopen(): Promise<void>;
}

/** @returns how often a reservation was asked for, and how often one was refused */
export async function runSchedule(
  { clock, store, reopen }: ScheduleWorld,
  { caps, steps }: Schedule,
): Promise<{ readonly asked: number; readonly refused: number }> {
  const journals = new Map<SessionId, Journal>();
  const seen = { asked: 0, refused: 0 };
  let taken = 0;
  /** The next append of this session takes effect, or does not, and its process dies of it. */
  let crash: "before" | "after" | null = null;

  const failing = (): Store =>
    aroundStore(store(), async (method, run) => {
      if (method !== "append" || crash === null) return run();
      const when = crash;
      crash = null;
      if (when === "after") await run();
      throw new HarnessError("store_io", "The disk failed on purpose.", "Open the store anew.");
    });

  /** Of whoever has it: taken over from who died, and what that one left open is settled. */
  const journalOf = async (session: SessionId): Promise<Journal> => {
    const known = journals.get(session);
    if (known) return known;
    taken += 1;
    await clock.advance(60_000);
    const journal = await journalOn(failing(), { session, token: `token-${taken}` });
    journals.set(session, journal);
    const { reserved } = journal.state;
    if (reserved !== null) await journal.append(lostAnswer(reserved.call, journal.state).slice(1));
    return journal;
  };

  const begin = async (session: SessionId): Promise<void> => {
    await store().createSession(newSession(session));
    const journal = await journalOf(session);
    const config = testConfig({ budget: budgetOf(caps) });
    await journal.append([...beginning().slice(0, 1), { kind: "SessionConfigured", data: { config } }]);
  };

  const call = async (session: SessionId, step: ScheduledStep): Promise<void> => {
    const journal = await journalOf(session);
    if (journal.state.reserved === null) await reserve(journal, step);
    else await journal.append([settlementOf(journal, step)]);
  };

  const reserve = async (journal: Journal, { cost, tokens, does }: ScheduledStep): Promise<void> => {
    seen.asked += 1;
    const turn = journal.state.turn + 1;
    const scopes = ledgerScopes(journal.state, turn, clock.now()).map(({ scope }) => scope);
    const money = does === "call unpriced" ? null : nanoDollars(cost);
    const id = `mdl_${seen.asked}` as ModelCallId;
    const data = { call: id, scopes, tokens, cost: money, max_tokens: null };
    await journal.append([{ kind: "BudgetReserved", turn, data }]);
  };

  await store().setTenantCap(LOCAL_TENANT, "day", { cost: nanoDollars(caps.day), tokens: null });
  for (const session of SESSIONS) await begin(session);
  for (const step of steps) {
    const session = SESSIONS[step.session % SESSIONS.length] as SessionId; // the remainder is an index
    if (step.does === "tomorrow") await clock.advance(DAY_MS / 2);
    else if (step.does === "die") journals.delete(session);
    else if (step.does === "reopen") {
      journals.clear();
      await reopen();
    } else {
      if (step.does === "crash in append") crash = step.lost ? "after" : "before";
      await call(session, step).catch((error: unknown) => {
        if (error instanceof BudgetRefusal) seen.refused += 1;
        else if (error instanceof HarnessError && error.kind === "store_io") journals.delete(session);
        else throw error;
      });
      crash = null;
    }
    await expectBooksInOrder(store(), caps);
  }
  return seen;
}

function budgetOf(caps: Schedule["caps"]): Budget {
  return {
    ...DEFAULT_BUDGET,
    caps: [
      { ...NO_CAP, scope: "session", cost: nanoDollars(caps.session) },
      { ...NO_CAP, scope: GROUP, cost: nanoDollars(caps.group), tokens: caps.tokens },
    ],
  };
}

function settlementOf(journal: Journal, { used, lost }: ScheduledStep): Parameters<Journal["append"]>[0][number] {
  const { reserved, turn } = journal.state;
  if (reserved === null) throw new RangeError("nothing is reserved");
  const tokens = Math.floor(reserved.tokens * used);
  const cost = reserved.cost === null ? null : nanoDollars(Math.floor(reserved.cost * used));
  const rest = reserved.cost === null || cost === null ? null : nanoDollars(lost ? reserved.cost - cost : 0);
  const usage = { ...NO_USAGE, output_tokens: tokens };
  const unknown = { unknown_tokens: lost ? reserved.tokens - tokens : 0, unknown_cost: rest };
  return { kind: "BudgetSettled", turn: turn + 1, data: { call: reserved.call, usage, cost, price: null, ...unknown } };
}

type Amounts = readonly [
  cost: number,
  unknown_cost: number,
  reserved_cost: number,
  tokens: number,
  unknown_tokens: number,
  reserved_tokens: number,
];

/** L2 in every scope, and the ledger to the last nano-dollar what the journals say. */
async function expectBooksInOrder(store: Store, caps: Schedule["caps"]): Promise<void> {
  const found = new Map<string, Amounts>();
  for (const at of await store.listScopes(LOCAL_TENANT, "", 10_000)) {
    const { cost, unknown_cost, reserved_cost, tokens, unknown_tokens, reserved_tokens } = at;
    found.set(at.scope, [cost, unknown_cost, reserved_cost, tokens, unknown_tokens, reserved_tokens]);
    const allowed = capOf(at.scope, caps);
    expect(cost + unknown_cost + reserved_cost, `money in ${at.scope}`).toBeLessThanOrEqual(allowed.cost);
    expect(tokens + unknown_tokens + reserved_tokens, `tokens in ${at.scope}`).toBeLessThanOrEqual(allowed.tokens);
  }
  expect(found).toEqual(await toldByJournals(store));
}

function capOf(scope: string, caps: Schedule["caps"]): { readonly cost: number; readonly tokens: number } {
  const none = { cost: Number.POSITIVE_INFINITY, tokens: Number.POSITIVE_INFINITY };
  if (scope === GROUP) return { cost: caps.group, tokens: caps.tokens };
  if (scope.startsWith("session:")) return { ...none, cost: caps.session };
  return scope.startsWith("day:") ? { ...none, cost: caps.day } : none;
}

async function toldByJournals(store: Store): Promise<ReadonlyMap<string, Amounts>> {
  const told = new Map<string, Amounts>();
  for (const session of SESSIONS) {
    const open = new Map<ModelCallId, Extract<Event, { readonly kind: "BudgetReserved" }>["data"]>();
    const add = (scopes: readonly string[], amounts: Amounts): void => {
      for (const scope of scopes) {
        const before = told.get(scope) ?? [0, 0, 0, 0, 0, 0];
        told.set(scope, before.map((value, i) => value + (amounts[i] ?? 0)) as unknown as Amounts); // as long as before
      }
    };
    for await (const event of readEvents(store, LOCAL_TENANT, session)) {
      if (isUnknown(event)) continue;
      if (event.kind === "BudgetReserved") {
        open.set(event.data.call, event.data);
        add(event.data.scopes, [0, 0, event.data.cost ?? 0, 0, 0, event.data.tokens]);
      } else if (event.kind === "BudgetSettled") {
        const { call, cost, usage, unknown_cost, unknown_tokens } = event.data;
        const held = open.get(call);
        if (!held) throw new RangeError(`${call} is settled without having been reserved`);
        const back = [-(held.cost ?? NO_MONEY), -held.tokens] as const;
        add(held.scopes, [cost ?? 0, unknown_cost ?? 0, back[0], totalTokens(usage), unknown_tokens, back[1]]);
      }
    }
  }
  return told;
}
