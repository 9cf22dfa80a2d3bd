/**
 * The shell with a sandbox: bubblewrap gives every command its own namespaces of processes, mounts, network, IPC and
 * users, without capabilities, and takes them all away when the command, or belay, ends.
 *
 * W1: no command is started outside the sandbox, whatever goes wrong: then there is none (`sandbox_failed`).
 * W2: nothing of the sandbox outlives belay: its first process dies with the outer one, which dies with belay, and a
 *     command that was not released never runs.
 */
import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import type { Clock } from "../kernel/clock.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { HeldCommand } from "./process-command.ts";
import { HOLD_IN_NAMESPACE } from "./process-hold.ts";
import { identityOf } from "./process-identity.ts";
import { openOutputPipe } from "./process-pipe.ts";
import { findProgram, requireBash } from "./process-programs.ts";
import { namespaceReach } from "./process-reach.ts";
import { spawnHeld } from "./process-spawn.ts";
import { terminalCommand } from "./pty.ts";
import { commandEnvironment } from "./sandbox-environment.ts";
import { kernelCovers } from "./sandbox-kernel.ts";
import { Placeholders } from "./sandbox-placeholders.ts";
import { type MountPlan, planMounts, realDirectory, type SandboxLayout } from "./sandbox-mounts.ts";
import type { BwrapProbe } from "./sandbox-probe.ts";
import { relocations } from "./sandbox-toolchains.ts";
import type { RunningCommand, Shell, ShellCommand } from "./shell.ts";

/** The machine may change while the mounts are planned (a socket goes away): then it is planned once more. */
const START_ATTEMPTS = 2;
/** What the sandbox says about itself on one line of JSON. */
const INFO_BYTES_MAX = 8_192;

export interface BwrapShellOptions extends SandboxLayout {
  /** What `probeSandbox` found. */
  readonly sandbox: BwrapProbe;
  /** belay's environment; an allow list of it is handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

export function createBwrapShell(options: BwrapShellOptions): Shell {
  const placeholders = new Placeholders();
  return { mode: "bwrap", start: (command) => start(options, placeholders, command) };
}

interface HeldStartUp {
  readonly held: HeldCommand;
  /** The first process of the sandbox; null when there is none. */
  readonly pid: number | null;
}

async function start(
  options: BwrapShellOptions,
  placeholders: Placeholders,
  command: ShellCommand,
): Promise<RunningCommand> {
  let complaint = "";
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    const plan = planMounts(options, command.network);
    const stands_on = placeholders.hold(plan.placeholders);
    let running: RunningCommand | null = null;
    try {
      const { held, pid } = await startHeld(options, plan, command);
      if (pid !== null && (await held.isHeld())) {
        const identity = identityOf(pid);
        running = await held.release(identity, namespaceReach(identity));
        return running;
      }
      complaint = held.complaint;
      await held.abandon();
    } finally {
      void (running?.ended ?? Promise.resolve()).then(() => {
        placeholders.release(stands_on);
      });
    }
  }
  throw new HarnessError(
    "sandbox_failed",
    `The sandbox did not start: ${complaint || "it ended without a word"}.`,
    "No command runs outside it: repair it, then resume.",
  );
}

async function startHeld(options: BwrapShellOptions, plan: MountPlan, command: ShellCommand): Promise<HeldStartUp> {
  const bash = requireBash(options.path);
  const words = command.interactive
    ? terminalCommand(findProgram("script"), bash, command.command)
    : [bash, "-c", command.command];
  const argv = [
    ...options.sandbox.namespaces,
    ...(command.network ? ["--share-net"] : []),
    ...["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox", "--info-fd", "4"],
    ...["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", ...kernelCovers()],
    ...plan.arguments,
    ...["--chdir", realDirectory(command.cwd), "--", bash, "-c", HOLD_IN_NAMESPACE, "belay", ...words],
  ];
  const pipe = await openOutputPipe(options.scratch.tmp);
  const child = spawnHeld({
    program: options.sandbox.program,
    arguments: argv,
    // Any that exists; the command's own directory is set inside.
    cwd: "/",
    detached: false,
    interactive: command.interactive,
    channels: 2,
    pipe,
    // The environment goes the way of every process, not as arguments that anybody can list.
    environment: commandEnvironment({
      ...options,
      bash,
      home: realDirectory(options.scratch.home),
      tmp: "/tmp",
      interactive: command.interactive,
      network: command.network,
      toolchains: relocations(options.home),
      uid: process.getuid?.() ?? null,
    }),
  });
  const held = new HeldCommand({ child, pipe, clock: options.clock, command });
  return { held, pid: await firstProcessOf(child) };
}

/** The pid, as we see it, of the first process in the sandbox; null when the sandbox ended before it told. */
function firstProcessOf(child: ChildProcess): Promise<number | null> {
  const info = child.stdio[4] as Readable; // started with a pipe there, above
  return new Promise((resolve) => {
    let text = "";
    info.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString("utf8")).slice(0, INFO_BYTES_MAX);
      const pid = /"child-pid":\s*(\d+)/.exec(text)?.[1];
      if (pid !== undefined && text.includes("}")) resolve(Number(pid));
    });
    const none = (): void => {
      resolve(null);
    };
    info.on("error", none);
    info.on("close", none);
    child.on("error", none);
  });
}
