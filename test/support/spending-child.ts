/**
 * A process that spends: sessions one after the other, each with one turn, until a cap ends one. Prints
 * at its end what it came to. `node spending-child.ts ORDER`
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startSession } from "../../src/engine/session.ts";
import { textPart } from "../../src/kernel/content.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import { systemClock } from "../../src/host/system-clock.ts";
import { testConfig } from "./config.ts";
import { testHost } from "./host.ts";
import { openPlaceStore, type StorePlace } from "./store-place.ts";

export interface SpendingOrder {
  readonly name: string;
  readonly home: string;
  readonly store: StorePlace;
  readonly url: string;
}

export interface Spending {
  readonly sessions: number;
  /** How the last one ended. */
  readonly outcome: string;
  readonly error: string | null;
}

const SESSIONS_MAX = 1_000;

// Written by the test.
const order = JSON.parse(process.argv[2] ?? "") as SpendingOrder;
const source = join(order.home, "project");
mkdirSync(source, { recursive: true });
const model = createAnthropicModel({ apiKey: "test-key", baseUrl: order.url, clock: systemClock });
const host = await testHost({ home: order.home, model, store: await openPlaceStore(order.store) });

let spending: Spending = { sessions: 0, outcome: "none", error: null };
while (spending.sessions < SESSIONS_MAX && ["none", "completed"].includes(spending.outcome)) {
  const live = await startSession(host, {
    task: [textPart(`${order.name} ${spending.sessions}`, { from: "user" })],
    title: "spend",
    config: testConfig({ workspace: { mode: "copy", base: null } }),
    place: { cwd: source, source, sessions: join(order.home, "sessions") },
  });
  const { outcome, error } = await live.done;
  spending = { sessions: spending.sessions + 1, outcome, error: error?.message ?? null };
}
await host.store.close();
process.stdout.write(`${JSON.stringify(spending)}\n`);
