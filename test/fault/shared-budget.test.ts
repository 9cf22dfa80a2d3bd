/** One cap, eight processes: real sessions against the emulator, over HTTP, on one store (G3). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { resumeSession } from "../../src/engine/session.ts";
import { systemClock } from "../../src/host/system-clock.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { nanoFromDollars } from "../../src/kernel/money.ts";
import type { ScopePosition } from "../../src/store/ledger.ts";
import type { Store } from "../../src/store/port.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { testHost } from "../support/host.ts";
import type { Spending, SpendingOrder } from "../support/spending-child.ts";

const CHILD = join(import.meta.dirname, "../support/spending-child.ts");
const PROCESSES = 8;
const CAP = nanoFromDollars(1);
/** Some 2,500 tokens said: four cents with claude-sonnet-4-5. */
const ANSWER = "All work and no play. ".repeat(450);
/** Killed in the middle of its first call. */
const VICTIM = "process 3";
const TIMEOUT_MS = 120_000;

interface Spender {
  readonly kill: () => void;
  /** What it came to; null when it was killed. */
  readonly end: Promise<Spending | null>;
}

function startSpender(order: SpendingOrder): Spender {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(order)], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
  const end = once(child, "close").then(() => {
    const last = said.trimEnd().split("\n").at(-1) ?? "";
    return last.startsWith("{") ? (JSON.parse(last) as Spending) : null; // what the child prints
  });
  return { end, kill: () => void child.kill("SIGKILL") };
}

function standsAt({ cost, unknown_cost, reserved_cost }: ScopePosition): number {
  return cost + unknown_cost + reserved_cost;
}

/** Looks at the tenant's scope again and again. @returns how often it looked, and what it saw at most */
async function watched(
  store: Store,
  over: AbortSignal,
  onLook: () => void,
): Promise<{ readonly looks: number; readonly most: number }> {
  let looks = 0;
  let most = 0;
  while (!over.aborted) {
    const [tenant] = await store.listScopes(LOCAL_TENANT, "tenant", 1);
    looks += 1;
    most = Math.max(most, tenant === undefined ? 0 : standsAt(tenant));
    onLook();
    await systemClock.sleep(5, over);
  }
  return { looks, most };
}

/** What the killed process left is recovered: its lost answer may have cost all that was reserved for it. */
async function resumeVictim(store: Store, home: string, url: string): Promise<void> {
  const model = createAnthropicModel({ apiKey: "test-key", baseUrl: url, clock: systemClock });
  const host = await testHost({ home, model, store });
  const rows = await store.listSessions({ tenant: LOCAL_TENANT, directory: join(home, "project"), limit: 1 });
  for (const { session } of rows) await (await resumeSession(host, { session, message: null, change: null })).done;
}

describe("eight processes on one cap of a dollar", () => {
  it(
    "never stand above it, use 95 % of it and more, and end as budget_exhausted; one is killed on the way",
    { timeout: TIMEOUT_MS },
    async () => {
      const home = mkdtempSync(join(tmpdir(), "belay-budget-"));
      onTestFinished(() => rmSync(home, { recursive: true, force: true }));
      const turn = { say: ANSWER, chunk_chars: 2_000 };
      const slow = { task_contains: VICTIM, turns: [{ ...turn, fault: { silence_after_event: 0 } }] };
      const emulator = await startEmulator({
        scenario: { conversations: [slow], turns: [{ ...turn, latency_ms: 20 }] },
      });
      const path = join(home, "belay.db");
      const store = await openSqliteStore({ path, clock: systemClock });
      await store.setTenantCap(LOCAL_TENANT, "total", { cost: CAP, tokens: null });

      const spenders = Array.from({ length: PROCESSES }, (_, n) => {
        const order = { name: `process ${n}`, home: join(home, String(n)), store: { sqlite: path }, url: emulator.url };
        return startSpender(order);
      });
      const over = new AbortController();
      const watching = watched(store, over.signal, () => {
        // In the middle of its call: the request is there, and the answer is not.
        if (emulator.requests.some(({ body }) => JSON.stringify(body).includes(VICTIM))) spenders[3]?.kill();
      });
      const [victim] = spenders.slice(3, 4);
      await victim?.end;
      // Until somebody does so, what it reserved is held: the others wait, and would end as budget_exhausted.
      await resumeVictim(store, join(home, "3"), emulator.url);
      const ends = await Promise.all(spenders.map(({ end }) => end));
      over.abort();

      const [tenant] = await store.listScopes(LOCAL_TENANT, "tenant", 1);
      if (tenant === undefined) throw new Error("something was spent");
      const { looks, most } = await watching;
      const held = tenant.unknown_cost;
      const sessions = ends.reduce((sum, end) => sum + (end?.sessions ?? 0), 0);
      console.log(
        `${sessions} sessions, ${looks} looks: at most $${most / 1e9}; spent $${tenant.cost / 1e9}, lost with the killed one $${held / 1e9}`,
      );
      expect(most).toBeLessThanOrEqual(CAP);
      expect(ends[3]).toBeNull();
      expect(held).toBeGreaterThan(0);
      expect(looks).toBeGreaterThan(20);
      // What the lost answer may have cost counts as spent: nobody may spend it again.
      expect(tenant.cost + held).toBeGreaterThanOrEqual(CAP * 0.95);
      for (const end of ends.filter((one) => one !== null)) expect(end).toMatchObject({ outcome: "budget_exhausted" });
      expect(emulator.requests.length).toBeGreaterThanOrEqual(tenant.calls - 1);
      await store.close();
      await emulator.close();
    },
  );
});
