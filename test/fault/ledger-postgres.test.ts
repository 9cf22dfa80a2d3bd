/**
 * What breaks if processes share one cap in PostgreSQL, and one of them is killed in the middle and the wire of another is cut?
 * If the answer to a move of the ledger is lost, or the answer to the write of a cell?
 *
 * The cap is passed at no instant, nearly all of it can be used, what the journals say is what the ledger says, and nothing
 * takes effect twice.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/host/system-clock.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { nanoDollars } from "../../src/kernel/money.ts";
import type { LedgerMoves, ScopePosition } from "../../src/store/ledger.ts";
import type { Lease, Store } from "../../src/store/port.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { appendOf } from "../../src/testing/store-contract/case.ts";
import { type LedgerLine, type LedgerTask, WORST } from "../support/ledger-child.ts";
import { freshSchema, type PostgresSchema } from "../support/postgres.ts";
import { claim, newSession, SESSION } from "../support/session-fixture.ts";
import { startProxy, type TcpProxy } from "../support/tcp-proxy.ts";

const CHILD = join(import.meta.dirname, "..", "support", "ledger-child.ts");
const CAP = 1_000_000_000;
const SCOPE = "group:shared";
const PROCESSES = 4;
const LOOK_MS = 3;

let place: PostgresSchema;
let store: Store;
const opened: Store[] = [];
const proxies: TcpProxy[] = [];

beforeEach(async () => {
  place = await freshSchema();
  store = await open(place.url);
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  for (const one of proxies.splice(0)) await one.close();
  await place.drop();
});

async function open(url: string, clock: Clock = systemClock): Promise<Store> {
  const one = await openPostgresStore({ url, schema: place.schema, clock });
  opened.push(one);
  return one;
}

/** The way to the database by a wire that is cut once, at the text. */
async function cutWire(side: "question" | "answer", of: string, at: number): Promise<[url: string, proxy: TcpProxy]> {
  const proxy = await startProxy(place.url, { side, of, at });
  proxies.push(proxy);
  const url = new URL(place.url);
  url.hostname = "127.0.0.1";
  url.port = String(proxy.port);
  return [url.href, proxy];
}

interface Running {
  readonly child: ChildProcess;
  readonly lines: LedgerLine[];
  readonly ended: Promise<void>;
}

type Work = LedgerTask extends infer T ? (T extends LedgerTask ? Omit<T, "place" | "name"> : never) : never;

/** @param heard is called with every line */
function startChild(
  name: string,
  url: string,
  work: Work,
  heard: (line: LedgerLine) => void = () => undefined,
): Running {
  const task = { place: { postgres: url, schema: place.schema }, name, ...work };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(task)], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: LedgerLine[] = [];
  let rest = "";
  child.stdout.on("data", (chunk: Buffer) => {
    const whole = `${rest}${chunk.toString()}`.split("\n");
    rest = whole.pop() ?? "";
    for (const text of whole) {
      const line = JSON.parse(text) as LedgerLine; // said by the child
      lines.push(line);
      heard(line);
    }
  });
  return { child, lines, ended: new Promise((resolve) => child.on("close", () => resolve())) };
}

const spentOf = (at: ScopePosition): number => at.cost + at.unknown_cost;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const settledIn = (lines: readonly LedgerLine[]): readonly number[] =>
  lines.flatMap((line) => (line.said === "settled" ? [line.cost] : []));

/** What the journals say was settled. */
async function journaled(name: string): Promise<readonly number[]> {
  const { rows } = await place.query("SELECT body FROM records WHERE session = $1 ORDER BY seq", [name]);
  const said = rows.map(({ body }) => JSON.parse(String(body)) as { readonly cost?: number });
  return said.flatMap(({ cost }) => (cost === undefined ? [] : [cost]));
}

describe("four processes on one cap of a dollar", () => {
  it(
    "of which one is killed and one loses its connection pass it at no instant, and use nearly all of it",
    { timeout: 60_000 },
    async () => {
      const work = { spend: { scope: SCOPE, cap: CAP } };
      const [wire, proxy] = await cutWire("answer", "WITH fence", 9);
      const killed: Running = startChild("ses_0", place.url, work, (line) => {
        if (line.said === "reserved" && line.call === "ses_0/6") killed.child.kill("SIGKILL");
      });
      const others = Array.from({ length: PROCESSES - 1 }, (_, i) =>
        startChild(`ses_${i + 1}`, i === 0 ? wire : place.url, work),
      );
      // As a resume does: what the dead one had reserved may have been paid for.
      const recovered = killed.ended.then(async () => {
        const calls = killed.lines.flatMap((line) => (line.said === "reserving" ? [line.call] : []));
        const lost = calls.map((call) => ({
          call,
          cost: nanoDollars(0),
          tokens: 0,
          unknown_cost: WORST,
          unknown_tokens: 0,
        }));
        await store.moveLedger(LOCAL_TENANT, { reserve: [], settle: lost });
      });

      const over = new AbortController();
      const watched: ScopePosition[] = [];
      const watching = (async () => {
        while (!over.signal.aborted) {
          watched.push(...(await store.listScopes(LOCAL_TENANT, SCOPE, 1)));
          await systemClock.sleep(LOOK_MS); // leaves the processors to those who are watched
        }
      })();
      await Promise.all([recovered, ...others.map(({ ended }) => ended)]);
      over.abort();
      await watching;

      expect(others.map(({ lines }) => lines.at(-1))).toEqual(others.map(() => ({ said: "done" })));
      expect([killed.child.signalCode, proxy.struck]).toEqual(["SIGKILL", true]);
      expect(watched.length).toBeGreaterThan(20);
      expect(Math.max(...watched.map((at) => spentOf(at) + at.reserved_cost))).toBeLessThanOrEqual(CAP);

      const [end] = await store.listScopes(LOCAL_TENANT, SCOPE, 1);
      const journals = await Promise.all(["ses_0", "ses_1", "ses_2", "ses_3"].map(journaled));
      expect(end).toMatchObject({ cost: sum(journals.flat()), reserved_cost: 0, reserved_tokens: 0 });
      expect(end?.unknown_cost).toBeLessThanOrEqual(WORST);
      expect(end?.cost).toBeGreaterThanOrEqual(0.95 * CAP);
      // Whoever lived was told of every move, also the one whose wire was cut.
      expect(others.map(({ lines }) => settledIn(lines))).toEqual(journals.slice(1));
    },
  );
});

describe("four processes that count up one cell", () => {
  it("lose no step, also the one whose answer was lost", { timeout: 60_000 }, async () => {
    const work = { count: { cell: "counter", times: 100 } };
    const [wire, proxy] = await cutWire("answer", "UPDATE cells", 20);
    const all = Array.from({ length: PROCESSES }, (_, i) => startChild(`ses_${i}`, i === 0 ? wire : place.url, work));
    await Promise.all(all.map(({ ended }) => ended));
    expect(all.map(({ lines }) => lines.at(-1))).toEqual(all.map(() => ({ said: "done" })));
    expect(proxy.struck).toBe(true);
    expect((await store.readCell(LOCAL_TENANT, "counter")).value).toBe("400");
    const counted = all.flatMap(({ lines }) => lines.flatMap((line) => (line.said === "counted" ? [line.value] : [])));
    expect(counted.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
  });
});

/** A session that reserves, goes on while the price of the next call is asked for, and settles. */
const scopes = [SCOPE, `session:${SESSION}`].map((scope) => ({
  scope,
  cost: nanoDollars(CAP),
  tokens: null,
  strict: true,
  opening: { cost: nanoDollars(0), tokens: 0 },
}));
const reserve = (call: string): LedgerMoves => ({
  reserve: [{ call, scopes, cost: nanoDollars(600_000_000), tokens: 10 }],
  settle: [],
});
const settle = (call: string): LedgerMoves => ({
  reserve: [],
  settle: [{ call, cost: nanoDollars(200_000_000), tokens: 4, unknown_cost: null, unknown_tokens: 0 }],
});

/** The second reservation fits only when the first move of each kind took effect, and once. */
const MOVES: readonly LedgerMoves[] = [reserve("a"), settle("a"), reserve("b"), settle("b")];

async function byAppends(through: Store, lease: Lease): Promise<void> {
  for (const [i, ledger] of MOVES.entries()) await through.append(appendOf(lease, i, 1, { ledger }));
}

async function byMoves(through: Store): Promise<void> {
  for (const moves of MOVES) await through.moveLedger(LOCAL_TENANT, moves);
}

/** A text that only this step of a transaction sends. */
const STEPS = [
  ["the holding of the scopes", "ledger_hold"],
  ["the writing", "json_to_recordset"],
  ["the commit", "COMMIT"],
] as const;

describe.each(STEPS)("%s, in an append that moves the ledger and in a move alone,", (_step, of) => {
  for (const side of ["question", "answer"] as const) {
    it(`takes effect once when its ${side} is lost`, async () => {
      await store.createSession(newSession());
      const lease = await claim(store, "token-1");
      for (const at of [1, 2]) {
        const [url, proxy] = await cutWire(side, of, at);
        const through = await open(url);
        if (at === 1) await byAppends(through, lease);
        else await byMoves(through);
        expect(proxy.struck).toBe(true);
      }
      // The moves alone are those of the same calls: the second time they change nothing.
      const [end] = await store.listScopes(LOCAL_TENANT, SCOPE, 1);
      expect(end).toMatchObject({ cost: 400_000_000, tokens: 8, reserved_cost: 0, reserved_tokens: 0, calls: 2 });
      expect(await store.read({ tenant: LOCAL_TENANT, session: SESSION, after_seq: 0, limit: 9 })).toHaveLength(4);
    });
  }
});

describe("the write of a cell", () => {
  it.each(["question", "answer"] as const)("whose %s is lost is done once, and says so", async (side) => {
    const write = (through: Store, expected: number): Promise<boolean> =>
      through.writeCell({ tenant: LOCAL_TENANT, key: "rate", expected, value: "the same" });
    for (const [of, version] of [
      ["INSERT INTO cells", 0],
      ["UPDATE cells", 1],
    ] as const) {
      const [url, proxy] = await cutWire(side, of, 1);
      expect(await write(await open(url), version)).toBe(true);
      expect(proxy.struck).toBe(true);
      // Another one of the same value that comes too late is not taken for it.
      expect(await write(store, version)).toBe(false);
      expect((await store.readCell(LOCAL_TENANT, "rate")).version).toBe(version + 1);
    }
  });

  it.each([
    ["question", "is not done, though the other one wrote the same value"],
    ["answer", "is done, though it stands there no more"],
  ] as const)("whose %s is lost while another one writes %s", async (side, _end) => {
    const write = (through: Store, expected: number): Promise<boolean> =>
      through.writeCell({ tenant: LOCAL_TENANT, key: "rate", expected, value: "the same" });
    await write(store, 0);
    const [url, proxy] = await cutWire(side, "UPDATE cells", 1);
    // Between the attempts it waits: then the other one writes.
    const others: boolean[] = [];
    const sleep = async (): Promise<void> => void others.push(await write(store, side === "question" ? 1 : 2));
    const through = await open(url, { ...systemClock, sleep });
    expect(await write(through, 1)).toBe(side === "answer");
    expect([others, proxy.struck]).toEqual([[true], true]);
  });
});
