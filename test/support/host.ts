/** A host made of the real parts, as the command line makes it, in a directory of the test's own. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../../src/engine/host.ts";
import { createLocalHost } from "../../src/host/local-host.ts";
import { systemClock } from "../../src/host/system-clock.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { type Model, oneModel } from "../../src/model/model.ts";
import type { Store } from "../../src/store/port.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";

export { systemClock };

export interface TestHostOptions {
  readonly home: string;
  readonly model: Model;
  readonly store?: Store;
  readonly clock?: Clock;
}

export async function testHost({ home, model, clock = systemClock, store }: TestHostOptions): Promise<Host> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return createLocalHost({
    store: store ?? (await openSqliteStore({ path: join(home, "belay.db"), clock })),
    models: oneModel(model),
    home,
    userHome: join(home, "user"),
    environment: { PATH: process.env["PATH"], LANG: "C.UTF-8" },
    clock,
    version: "0.0.0-test",
  });
}
