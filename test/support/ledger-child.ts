/**
 * A process that spends under a cap that it shares with others, or counts up a cell that it shares with others, in PostgreSQL. It
 * says on its output what it does and what was acknowledged, one JSON line each. Its parent kills it, or cuts its wire.
 */
import { systemClock } from "../../src/host/system-clock.ts";
import { hashOf } from "../../src/kernel/envelope.ts";
import { LOCAL_TENANT, parseSessionId } from "../../src/kernel/ids.ts";
import { NO_MONEY, type NanoDollars, nanoDollars } from "../../src/kernel/money.ts";
import { BudgetRefusal, type LedgerMoves } from "../../src/store/ledger.ts";
import type { Lease, Store } from "../../src/store/port.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { claim, newSession } from "./session-fixture.ts";

interface ChildPlace {
  readonly place: { readonly postgres: string; readonly schema: string };
  /** The session that it drives; its calls are `NAME/1`, `NAME/2`, … */
  readonly name: string;
}

interface SpendTask extends ChildPlace {
  /** Until the cap of the scope leaves too little. Nano-dollars. */
  readonly spend: { readonly scope: string; readonly cap: number };
}

interface CountTask extends ChildPlace {
  readonly count: { readonly cell: string; readonly times: number };
}

export type LedgerTask = SpendTask | CountTask;

export type LedgerLine =
  | { readonly said: "reserving"; readonly call: string }
  | { readonly said: "reserved"; readonly call: string }
  | { readonly said: "settled"; readonly call: string; readonly cost: number }
  | { readonly said: "counted"; readonly value: number }
  | { readonly said: "done" };

/** The worst case of every call. */
export const WORST: NanoDollars = nanoDollars(10_000_000);
const HELD_MS = 5;

function say(line: LedgerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function append(store: Store, lease: Lease, after_seq: number, said: object, ledger: LedgerMoves): Promise<void> {
  const body = JSON.stringify(said);
  const record = { seq: after_seq + 1, kind: "Invented", hash: hashOf(body), body, blob: null };
  const { summary } = newSession(lease.session);
  await store.append({ lease, after_seq, records: [record], blobs: [], summary, ledger });
}

async function spend(store: Store, { name, spend: { scope, cap } }: SpendTask): Promise<void> {
  const session = parseSessionId(name);
  await store.createSession(newSession(session));
  const lease = await claim(store, name, session);
  const free = { cost: null, tokens: null, strict: false, opening: { cost: NO_MONEY, tokens: 0 } };
  const scopes = [
    { ...free, scope: "tenant" },
    { ...free, scope, cost: nanoDollars(cap), strict: true },
    { ...free, scope: `session:${name}` },
  ];
  let seq = 0;
  for (let n = 1; ; n++) {
    const call = `${name}/${n}`;
    say({ said: "reserving", call });
    try {
      await append(store, lease, seq, { call }, { reserve: [{ call, scopes, cost: WORST, tokens: 10 }], settle: [] });
    } catch (error) {
      if (!(error instanceof BudgetRefusal)) throw error;
      if (error.kind === "budget_exceeded") return;
      await systemClock.sleep(HELD_MS);
      continue;
    }
    say({ said: "reserved", call });
    const cost = nanoDollars(Math.floor((WORST * (20 + ((n * 37) % 81))) / 100));
    const settlement = { call, cost, tokens: 7, unknown_cost: NO_MONEY, unknown_tokens: 0 };
    await append(store, lease, seq + 1, { call, cost }, { reserve: [], settle: [settlement] });
    say({ said: "settled", call, cost });
    seq += 2;
  }
}

async function count(store: Store, { count: { cell, times } }: CountTask): Promise<void> {
  for (let done = 0; done < times;) {
    const { version, value } = await store.readCell(LOCAL_TENANT, cell);
    const next = Number(value ?? 0) + 1;
    const write = { tenant: LOCAL_TENANT, key: cell, expected: version, value: String(next) };
    if (!(await store.writeCell(write))) continue;
    say({ said: "counted", value: next });
    done += 1;
  }
}

const [argument] = process.argv.slice(2);
if (argument !== undefined && import.meta.main) {
  const task = JSON.parse(argument) as LedgerTask; // written by the test
  const { postgres, schema } = task.place;
  const store = await openPostgresStore({ url: postgres, schema, clock: systemClock, random: Math.random });
  await ("spend" in task ? spend(store, task) : count(store, task));
  await store.close();
  say({ said: "done" });
}
