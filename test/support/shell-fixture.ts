/** Shells in temporary directories, on the real clock, for tests that run real commands. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../src/kernel/clock.ts";
import { DEFAULT_CONFINEMENT } from "../../src/kernel/permissions.ts";
import { type BwrapShellOptions, createBwrapShell } from "../../src/workspace/sandbox/bwrap-shell.ts";
import { createPlainShell } from "../../src/workspace/process/plain-shell.ts";
import { ripgrepProgram } from "../../src/tool/ripgrep.ts";
import { probeSandbox } from "../../src/workspace/sandbox/probe.ts";
import type { CommandEnd, RunningCommand, Shell, ShellCommand } from "../../src/workspace/shell.ts";

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await sleep(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      if (!(error instanceof Error && error.name === "AbortError")) throw error;
    }
  },
};

/** A workspace with scratch directories, under the system's temporary directory. */
export interface Ground {
  readonly base: string;
  readonly root: string;
  readonly scratch: { readonly home: string; readonly tmp: string };
  remove(): void;
}

export function makeGround(): Ground {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "belay-ground-")));
  const at = (name: string): string => {
    mkdirSync(join(base, name));
    return join(base, name);
  };
  return {
    base,
    root: at("root"),
    scratch: { home: at("home"), tmp: at("tmp") },
    remove: () => {
      rmSync(base, { recursive: true, force: true });
    },
  };
}

export function plainShell(ground: Ground): Shell {
  return createPlainShell({
    root: ground.root,
    scratch: ground.scratch,
    home: homedir(),
    path: process.env["PATH"] ?? "",
    environment: process.env,
    clock: realClock,
  });
}

export async function bwrapShell(ground: Ground, changes: Partial<BwrapShellOptions> = {}): Promise<Shell> {
  const sandbox = await probeSandbox();
  if (sandbox.mode !== "bwrap") throw new Error(`these tests need bubblewrap: ${sandbox.install}`);
  const ripgrep = await ripgrepProgram();
  return createBwrapShell({
    sandbox,
    root: ground.root,
    scratch: ground.scratch,
    // As the host does: belay, and so its ripgrep, may stand in a place that is hidden (below /tmp, say).
    readable: ripgrep === null ? [] : [dirname(ripgrep)],
    tree: "users",
    protectedPaths: [],
    readableSecrets: [],
    hidden: [],
    maskedPaths: [],
    home: homedir(),
    path: process.env["PATH"] ?? "",
    environment: process.env,
    clock: realClock,
    limits: DEFAULT_CONFINEMENT,
    ...changes,
  });
}

export function startIn(
  shell: Shell,
  cwd: string,
  command: string,
  changes: Partial<ShellCommand> = {},
): Promise<RunningCommand> {
  return shell.start({
    command,
    cwd,
    interactive: false,
    network: "none",
    output_bytes_max: 1024 * 1024,
    onHeld: () => Promise.resolve(),
    onOutput: () => undefined,
    ...changes,
  });
}

export async function runIn(
  shell: Shell,
  cwd: string,
  command: string,
  changes: Partial<ShellCommand> = {},
): Promise<CommandEnd> {
  return (await startIn(shell, cwd, command, changes)).ended;
}

/** Waits for something that will become true; fails by the test's own time limit when it does not. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await sleep(20);
}
