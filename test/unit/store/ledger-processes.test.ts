/** What breaks when processes that spend under one cap race, and are killed in the middle of it? */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { NO_MONEY, nanoDollars } from "../../../src/kernel/money.ts";
import type { ScopePosition } from "../../../src/store/ledger.ts";
import type { Store } from "../../../src/store/port.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { spend, type SpenderLine, spenderScopes, type SpenderTask } from "../../support/spender-child.ts";
import { realClock } from "../../support/store-child.ts";

const CHILD = join(import.meta.dirname, "..", "..", "support", "spender-child.ts");
const CAP = nanoDollars(1_000_000_000);
const WORST = nanoDollars(10_000_000);
const USABLE = 0.95;
/** Those that are killed, after so many lines; others go on to the end. */
const KILLED_AFTER = [4, 9];

let directory: string;
let path: string;
let store: Store;
let children: Set<Spender>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "belay-ledger-"));
  path = join(directory, "belay.db");
  store = await openSqliteStore({ path, clock: realClock });
  children = new Set();
});
afterEach(async () => {
  for (const child of children) child.kill();
  await Promise.all([...children].map(({ ended }) => ended));
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

interface Spender {
  readonly lines: readonly SpenderLine[];
  /** Settles with the first line. */
  readonly begun: Promise<void>;
  readonly ended: Promise<void>;
  kill(): void;
}

/** @param killAfter lines; it is killed while it goes on */
function start(name: string, killAfter = Number.POSITIVE_INFINITY, onLine: () => void = () => undefined): Spender {
  const task: SpenderTask = { path, name, cap: CAP, worst: WORST, patience: 50 };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(task)], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: SpenderLine[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    // A line that was cut by a kill acknowledges nothing.
    if (!line.endsWith("}")) return;
    lines.push(JSON.parse(line) as SpenderLine); // written by the child
    onLine();
    if (lines.length === killAfter) child.kill("SIGKILL");
  });
  const ended = Promise.all([once(child, "exit"), once(reader, "close")]).then(() => undefined);
  const begun = once(reader, "line").then(() => undefined);
  const spender = { lines, begun, ended, kill: () => void child.kill("SIGKILL") };
  children.add(spender);
  return spender;
}

async function standing(): Promise<ScopePosition> {
  const [position] = await store.positions(LOCAL_TENANT, spenderScopes("any", CAP).slice(2, 3));
  if (!position) throw new RangeError("a position was asked for");
  return position;
}

function committed({ cost, unknown_cost, reserved_cost }: ScopePosition): number {
  return cost + unknown_cost + reserved_cost;
}

it("four processes, two of them killed: the cap is never passed, and 95 % of it is usable", async () => {
  const seen: number[] = [];
  let looking: Promise<void> = Promise.resolve();
  const look = (): void => {
    looking = looking.then(async () => void seen.push(committed(await standing())));
  };
  const killed = KILLED_AFTER.map((lines, n) => start(`killed-${n}`, lines, look));
  // The others find both at work: on a busy machine they could otherwise use the cap up before.
  await Promise.all(killed.map(({ begun }) => begun));
  const others = [start("one", undefined, look), start("two", undefined, look)];
  await Promise.all([...killed, ...others].map(({ ended }) => ended));
  await looking;

  expect(seen.length).toBeGreaterThan(100);
  expect(Math.max(...seen)).toBeLessThanOrEqual(CAP);
  for (const { lines } of killed) expect(lines.at(-1)?.said).not.toBe("done");
  for (const { lines } of others) expect(lines.at(-1)?.said).toBe("done");

  // Every acknowledged settlement is in the ledger; a killed process may have settled one more than it said.
  const said = [...children]
    .flatMap(({ lines }) => lines)
    .flatMap((line) => (line.said === "settled" ? [line.cost] : []));
  const acknowledged = said.reduce((sum, cost) => sum + cost, 0);
  const atEnd = await standing();
  expect(atEnd.cost).toBeGreaterThanOrEqual(acknowledged);
  expect(atEnd.cost).toBeLessThanOrEqual(acknowledged + killed.length * WORST);
  expect(atEnd.reserved_cost).toBeLessThanOrEqual(killed.length * WORST);
  expect(atEnd.reserved_cost % WORST).toBe(0);

  // What the killed ones left open is settled as a resume settles it: a lost answer may have cost all of it.
  const open = killed.flatMap(({ lines }, n) => [
    `killed-${n}/${reservedBy(lines)}`,
    `killed-${n}/${reservedBy(lines) + 1}`,
  ]);
  const lost = { cost: NO_MONEY, tokens: 0, unknown_cost: WORST, unknown_tokens: 10 };
  await store.moveLedger(LOCAL_TENANT, { reserve: [], settle: open.map((call) => ({ call, ...lost })) });
  const recovered = await standing();
  expect(recovered.reserved_cost).toBe(0);
  expect(committed(recovered)).toBe(committed(atEnd));

  // Nobody is in the way any more: what is left is used up, to less than one worst case.
  expect(await spend(store, { name: "last", cap: CAP, worst: WORST, patience: 0 })).toBe("budget_exceeded");
  const { cost, unknown_cost, reserved_cost } = await standing();
  expect(reserved_cost).toBe(0);
  expect(cost + unknown_cost).toBeLessThanOrEqual(CAP);
  expect(cost + unknown_cost).toBeGreaterThanOrEqual(USABLE * CAP);
});

function reservedBy(lines: readonly SpenderLine[]): number {
  return lines.filter(({ said }) => said === "reserved").length;
}
