import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { createAdmission } from "../../../src/model/admission/cell-admission.ts";
import { readModelHealth } from "../../../src/model/admission/health.ts";
import {
  type Admission,
  ADMISSION_TTL_MS,
  type AdmissionOptions,
  type AdmissionRequest,
  type Admitted,
  type CallEnd,
  type NotAdmitted,
  type WaitView,
} from "../../../src/model/admission.ts";
import { accountOf } from "../../../src/model/account.ts";
import type { RateReport } from "../../../src/model/model.ts";
import { createMemoryStore } from "../../../src/store/memory/memory-store.ts";
import type { Store } from "../../../src/store/port.ts";
import { type ManualClock, manualClock } from "../../../src/testing/manual-clock.ts";

const WELL: CallEnd = { sent: true, failure: null, usage: null, rate: null, duration_ms: 5 };

interface World {
  readonly clock: ManualClock;
  readonly store: Store;
  /** As another process would have it: it shares the store and nothing else. */
  readonly process: () => Admission;
}

function world(): World {
  const clock = manualClock();
  const store = createMemoryStore({ clock });
  let seed = 1;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  return { clock, store, process: () => createAdmission({ cells: store, clock, random }) };
}

const asks = (party: string, change: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
  ...{ tenant: LOCAL_TENANT, provider: "anthropic", model: "m", account: "anthropic@default#0" },
  ...{ party, input_tokens: 1_000, output_tokens: 100, cached_tokens: 0 },
  ...change,
});
const hears = (change: Partial<AdmissionOptions> = {}): AdmissionOptions => ({
  ...{ signal: new AbortController().signal, patience_ms: null, onWait: () => Promise.resolve() },
  ...change,
});
const told = (clock: ManualClock, remaining: number): CallEnd => ({ ...WELL, rate: requestsLeft(clock, remaining) });
function requestsLeft(clock: ManualClock, remaining: number): RateReport {
  const none = { tokens: null, input_tokens: null, output_tokens: null, ignored: [] };
  return { at: clock.now(), ...none, requests: { limit: 60, remaining, reset_at: null } };
}
function inside(result: Admitted | NotAdmitted): Admitted {
  if (!result.ok) throw new Error(`${result.kind}: ${result.message}`);
  return result;
}
async function call({ clock }: World, admission: Admission, end: CallEnd, party = "p"): Promise<void> {
  const { settle } = inside(await admission.enter(asks(party), hears()));
  await settle(end);
  expect(clock.sleepers, "nothing is left asleep").toBe(0);
}

describe("admission", () => {
  it("costs one read and one write when a call enters, and the same when it is settled", async () => {
    const { clock, store } = world();
    const done: string[] = [];
    const admission = createAdmission({
      clock,
      random: () => 0.5,
      cells: {
        readCell: (...key) => (done.push("read"), store.readCell(...key)),
        writeCell: (command) => (done.push("write"), store.writeCell(command)),
      },
    });
    const { settle } = inside(await admission.enter(asks("p"), hears()));
    expect(done).toEqual(["read", "write"]);
    await settle(WELL);
    expect(done).toEqual(["read", "write", "read", "write"]);
  });

  it("gives what one process learned to all others, and lets a call wait until there is room", async () => {
    const all = world();
    await call(all, all.process(), told(all.clock, 0));
    const views: WaitView[] = [];
    const waiting = all.process().enter(asks("q"), hears({ onWait: async (view) => void views.push(view) }));
    await turn();
    await all.clock.advance(900);
    expect(views).toEqual([{ wait_ms: 1_000, reason: "100 % of requests/min used by 1 run" }]);
    await all.clock.advance(400);
    const { waited_ms, reason, settle } = inside(await waiting);
    expect(waited_ms).toBeGreaterThanOrEqual(1_000);
    expect(reason).toBe("100 % of requests/min used by 1 run");
    await settle(WELL);
  });

  it("refuses at once where the wait is likely to be longer than the patience, and keeps no place", async () => {
    const all = world();
    await call(all, all.process(), {
      ...WELL,
      failure: { kind: "rate_limit", message: "slow down", retry_after_ms: 60_000 },
    });
    const refused = await all.process().enter(asks("q"), hears({ patience_ms: 10_000 }));
    expect(refused).toMatchObject({ ok: false, kind: "rate_limit", retry_after_ms: 60_000 });
    expect(await readModelHealth(all.store, LOCAL_TENANT)).toMatchObject([{ waiting: 0 }]);
  });

  it("ends a wait when the signal aborts, and gives the place back", async () => {
    const all = world();
    await call(all, all.process(), told(all.clock, 0));
    const abort = new AbortController();
    const waiting = all.process().enter(asks("q"), hears({ signal: abort.signal }));
    const ended = expect(waiting).rejects.toThrow("no more");
    await all.clock.advance(100);
    expect(await readModelHealth(all.store, LOCAL_TENANT)).toMatchObject([{ waiting: 1 }]);
    abort.abort(new Error("no more"));
    await ended;
    expect(await readModelHealth(all.store, LOCAL_TENANT)).toMatchObject([{ waiting: 0 }]);
    expect(all.clock.sleepers).toBe(0);
  });

  it("forgets a process that died with a turn, and keeps one alive that takes long", async () => {
    const all = world();
    const held = inside(await all.process().enter(asks("long"), hears()));
    await all.clock.advance(3 * ADMISSION_TTL_MS);
    expect(await readModelHealth(all.store, LOCAL_TENANT)).toMatchObject([{ in_flight: 1 }]);
    // What a killed process leaves is a turn whose heart has stopped: the clock is set on without it.
    all.clock.setWallClock(all.clock.now() + ADMISSION_TTL_MS);
    expect(await readModelHealth(all.store, LOCAL_TENANT)).toMatchObject([{ in_flight: 0 }]);
    await held.settle(WELL);
  });

  it("waits no longer because the store's clock was set back", async () => {
    const HOUR_MS = 3_600_000;
    const all = world();
    await call(all, all.process(), told(all.clock, 0));
    all.clock.setWallClock(all.clock.now() - HOUR_MS);
    const waiting = all.process().enter(asks("q"), hears());
    await turn();
    await all.clock.advance(1_500);
    expect(await readModelHealth(all.store, LOCAL_TENANT)).toMatchObject([{ in_flight: 1, waiting: 0 }]);
    await inside(await waiting).settle({
      ...WELL,
      failure: { kind: "rate_limit", message: "slow down", retry_after_ms: 2_000 },
    });
    all.clock.setWallClock(all.clock.now() - HOUR_MS);
    const next = all.process().enter(asks("r"), hears({ patience_ms: 2_500 }));
    await turn();
    await all.clock.advance(2_500);
    await inside(await next).settle(WELL);
  });

  it("keeps accounts and models apart", async () => {
    const all = world();
    await call(all, all.process(), told(all.clock, 0));
    for (const other of [{ model: "n" }, { account: "anthropic@default#1" }, { provider: "other" }]) {
      inside(await all.process().enter(asks("q", other), hears({ patience_ms: 0 })));
    }
    expect((await readModelHealth(all.store, LOCAL_TENANT)).map(({ model }) => model).sort()).toEqual([
      "m",
      "m",
      "m",
      "n",
    ]);
    await all.clock.advance(0);
  });

  it("is not lost when many processes change it at once", async () => {
    const all = world();
    await call(all, all.process(), told(all.clock, 40));
    const entering = Promise.all(Array.from({ length: 30 }, (_, i) => all.process().enter(asks(`p${i}`), hears())));
    for (let i = 0; i < 400; i++) await all.clock.advance(10);
    const turns = (await entering).map(inside);
    expect(await readModelHealth(all.store, LOCAL_TENANT)).toMatchObject([{ in_flight: 30 }]);
    const settling = Promise.all(turns.map(({ settle }) => settle(WELL)));
    for (let i = 0; i < 400; i++) await all.clock.advance(10);
    await settling;
    expect(await readModelHealth(all.store, LOCAL_TENANT)).toMatchObject([{ in_flight: 0, waiting: 0 }]);
  });
});

describe("a model that fails", () => {
  const DOWN: CallEnd = { ...WELL, failure: { kind: "overloaded", message: "Overloaded", retry_after_ms: null } };

  it("is left alone by every process, and shown so; then one call of all processes probes it", async () => {
    const all = world();
    for (let i = 0; i < 5; i++) await call(all, all.process(), DOWN);
    const refused = await all.process().enter(asks("q"), hears());
    expect(refused).toMatchObject({ ok: false, kind: "circuit_open" });
    expect(await readModelHealth(all.store, LOCAL_TENANT)).toMatchObject([
      { breaker: "open", last_error: { kind: "overloaded", message: "Overloaded" } },
    ]);

    await all.clock.advance(18_000);
    const probe = inside(await all.process().enter(asks("q"), hears()));
    expect(await all.process().enter(asks("r"), hears())).toMatchObject({ kind: "circuit_open" });
    await probe.settle(WELL);
    expect(await readModelHealth(all.store, LOCAL_TENANT)).toMatchObject([{ breaker: "closed", opens_until: null }]);
    await call(all, all.process(), WELL);
  });

  it("tells those that wait already", async () => {
    const all = world();
    await call(all, all.process(), told(all.clock, 60));
    const turns: Admitted[] = [];
    for (let i = 0; i < 6; i++) turns.push(inside(await all.process().enter(asks(`p${i}`), hears())));
    await turns.pop()?.settle(told(all.clock, 0));
    const waiting = all.process().enter(asks("q"), hears());
    await turn();
    for (const { settle } of turns) await settle(DOWN);
    await all.clock.advance(6_000);
    expect(await waiting).toMatchObject({ ok: false, kind: "circuit_open" });
  });
});

describe("an account", () => {
  const KEY = "sk-ant-very-secret";

  it("is told apart by provider, address and key, and its name holds no part of the key", () => {
    const account = accountOf({ provider: "anthropic", baseUrl: "https://proxy.example:8443/v1", key: KEY });
    expect(account).toMatch(/^anthropic@proxy\.example:8443#[0-9a-f]{12}$/);
    const others = [
      accountOf({ provider: "openai", baseUrl: "https://proxy.example:8443/v1", key: KEY }),
      accountOf({ provider: "anthropic", baseUrl: null, key: KEY }),
      accountOf({ provider: "anthropic", baseUrl: "https://proxy.example:8443/v1", key: "other" }),
    ];
    expect(new Set([account, ...others]).size).toBe(4);
    expect(accountOf({ provider: "ollama", baseUrl: null, key: null })).toBe("ollama@default#none");
  });
});
