/**
 * A process that spends under a cap that it shares with others, and says on its output what was acknowledged, one JSON line
 * each. Its parent kills it.
 */
import { NO_CAP } from "../../src/kernel/budget.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { NO_MONEY, type NanoDollars, nanoDollars } from "../../src/kernel/money.ts";
import { BudgetRefusal, type Reservation } from "../../src/store/ledger.ts";
import type { Store } from "../../src/store/port.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { realClock } from "./store-child.ts";

export interface SpenderTask {
  readonly path: string;
  readonly name: string;
  readonly cap: NanoDollars;
  /** The worst case of each call. */
  readonly worst: NanoDollars;
  /** Waits so often for what others hold; then it is done. */
  readonly patience: number;
}

export type SpenderLine =
  | { readonly said: "reserved"; readonly call: string }
  | { readonly said: "settled"; readonly call: string; readonly cost: number }
  | { readonly said: "done"; readonly because: string };

const HELD_MS = 5;

export function spenderScopes(name: string, cap: NanoDollars): Reservation["scopes"] {
  const opening = { cost: NO_MONEY, tokens: 0 };
  const free = { cost: NO_CAP.cost, tokens: null, strict: false, opening };
  return [
    { ...free, scope: "tenant" },
    { ...free, scope: "month:2026-11" },
    { ...free, scope: "group:team", cost: cap },
    { ...free, scope: `session:${name}` },
  ];
}

/** @returns why it ended: the kind of the last refusal */
export async function spend(
  store: Store,
  { name, cap, worst, patience }: Omit<SpenderTask, "path">,
  say: (line: SpenderLine) => void = () => undefined,
): Promise<string> {
  const scopes = spenderScopes(name, cap);
  let held = 0;
  for (let n = 1; ; n++) {
    const call = `${name}/${n}`;
    try {
      await store.moveLedger(LOCAL_TENANT, { reserve: [{ call, scopes, cost: worst, tokens: 10 }], settle: [] });
    } catch (error) {
      if (!(error instanceof BudgetRefusal)) throw error;
      held += 1;
      if (error.kind === "budget_exceeded" || held > patience) return error.kind;
      await realClock.sleep(HELD_MS);
      continue;
    }
    say({ said: "reserved", call });
    const cost = nanoDollars(Math.floor((worst * (20 + ((n * 37) % 81))) / 100));
    const settlement = { call, cost, tokens: 7, unknown_cost: NO_MONEY, unknown_tokens: 0 };
    await store.moveLedger(LOCAL_TENANT, { reserve: [], settle: [settlement] });
    say({ said: "settled", call, cost });
  }
}

const [argument] = process.argv.slice(2);
if (argument !== undefined && import.meta.main) {
  const task = JSON.parse(argument) as SpenderTask; // written by the test
  const tell = (line: SpenderLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const store = await openSqliteStore({ path: task.path, clock: realClock });
  const because = await spend(store, task, tell);
  await store.close();
  tell({ said: "done", because });
}
