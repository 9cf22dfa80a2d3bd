/** A host made of the real parts, as the command line makes it, with places to hook in for a test. */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import type { Clock } from "../../src/kernel/clock.ts";
import { createIds } from "../../src/kernel/ids.ts";
import { systemClock } from "../../src/cli/system-clock.ts";
import type { Host } from "../../src/engine/host.ts";
import type { Model } from "../../src/model/model.ts";
import { createPriceTable } from "../../src/model/prices.ts";
import type { Store } from "../../src/store/port.ts";
import { createRedactor } from "../../src/store/redaction.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { openVault } from "../../src/store/vault.ts";
import { ripgrepProgram } from "../../src/tool/ripgrep.ts";
import { builtInTools } from "../../src/tool/registry.ts";
import { createBwrapShell } from "../../src/workspace/bwrap-shell.ts";
import { endProcess, identityOf, isAlive } from "../../src/workspace/process-identity.ts";
import { createPlainShell } from "../../src/workspace/process-plain-shell.ts";
import { probeSandbox } from "../../src/workspace/sandbox-probe.ts";
import { createWorkspaces } from "../../src/workspace/workspaces.ts";

export { systemClock };

export interface TestHostOptions {
  /** A directory of the test's own. */
  readonly home: string;
  readonly model: Model;
  readonly store?: Store;
  readonly clock?: Clock;
  readonly prompter?: Host["prompter"];
}

export async function testHost(options: TestHostOptions): Promise<Host> {
  const { home, model, clock = systemClock } = options;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const store = options.store ?? (await openSqliteStore({ path: join(home, "belay.db"), clock }));
  const environment = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LANG: "C.UTF-8" };
  const identity = identityOf(process.pid);
  const ripgrep = await ripgrepProgram();
  return {
    store,
    model,
    prices: createPriceTable(),
    workspaces: createWorkspaces({
      git: { path: environment.PATH, locale: "C.UTF-8" },
      clock,
      home: "/root",
    }),
    shell: async (workspace, mode) => {
      const common = { scratch: workspace.scratch, home: "/root", path: environment.PATH, environment, clock };
      if (mode === "none") return createPlainShell(common);
      const sandbox = await probeSandbox();
      if (sandbox.mode !== "bwrap") throw new Error(`this test needs bubblewrap: ${sandbox.reason}`);
      return createBwrapShell({
        ...common,
        sandbox,
        root: workspace.root,
        readable: ripgrep === null ? workspace.readable : [...workspace.readable, dirname(ripgrep)],
        protectedPaths: workspace.protected,
        hidden: [home],
        maskedPaths: [],
      });
    },
    tools: builtInTools(),
    redactor: async (directory) => {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      return createRedactor({ known: [], vault: await openVault({ path: join(directory, "secrets.json") }) });
    },
    clock,
    random: Math.random,
    ids: createIds(clock.now, randomBytes),
    owner: () => ({
      token: randomBytes(16).toString("hex"),
      host: hostname(),
      pid: process.pid,
      start_time: identity.start_time,
      boot_id: identity.boot_id,
    }),
    ownerAlive: (owner) =>
      Promise.resolve(
        owner.host === hostname()
          ? isAlive({ pid: owner.pid, start_time: owner.start_time, boot_id: owner.boot_id, namespace: null })
          : null,
      ),
    endProcess,
    prompter: options.prompter ?? null,
    version: "0.0.0-test",
  };
}
