/**
 * The shell with a sandbox: bubblewrap gives every command its own namespaces of processes, mounts, network, IPC and
 * users, without capabilities, and takes them all away when the command, or belay, ends.
 *
 * W1: no command is started outside the sandbox, whatever goes wrong: then there is none (`sandbox_failed`).
 * W2: nothing of the sandbox outlives belay: its first process dies with the outer one, which dies with belay, and a
 *     command that was not released never runs.
 * W3: what was prepared is taken by a start of exactly that command, or ended by whoever prepared it.
 */
import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import type { Clock } from "../../kernel/clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { HeldCommand } from "../process/command.ts";
import { HOLD_IN_NAMESPACE } from "../process/hold.ts";
import { identityOf } from "../process/identity.ts";
import { openOutputPipe } from "../process/pipe.ts";
import { findProgram, requireBash } from "../process/programs.ts";
import { namespaceReach } from "../process/reach.ts";
import { spawnHeld } from "../process/spawn.ts";
import { terminalCommand } from "../process/pty.ts";
import { commandEnvironment } from "./environment.ts";
import { kernelCovers } from "./kernel.ts";
import { Placeholders } from "./placeholders.ts";
import { type MountPlan, planMounts, realDirectory, type SandboxLayout } from "./mounts.ts";
import type { BwrapProbe } from "./probe.ts";
import { relocations } from "./toolchains.ts";
import type { ExpectedCommand, PreparedCommand, RunningCommand, Shell, ShellCommand } from "../shell.ts";

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
  let early: EarlyStart | null = null;
  return {
    mode: "bwrap",
    start: async (command) => {
      const taken = early?.fits(command) === true ? early : null;
      if (taken !== null) early = null;
      const held = (await taken?.started) ?? null;
      return held === null ? start(options, placeholders, command) : release(held, command);
    },
    prepare: (command) => {
      // A sandbox that makes directories in the workspace to stand on would be in the snapshot that is taken meanwhile.
      if (early !== null || options.protectedPaths.length > 0) return NOTHING_PREPARED;
      const mine = new EarlyStart(command, startEarly(options, command));
      early = mine;
      return {
        drop: async () => {
          if (early !== mine) return;
          early = null;
          await (await mine.started)?.held.abandon();
        },
      };
    },
  };
}

const NOTHING_PREPARED: PreparedCommand = { drop: () => Promise.resolve() };

/** W3. A held process that waits for its start. */
class EarlyStart {
  readonly started: Promise<Ready | null>;
  readonly #command: ExpectedCommand;

  constructor(command: ExpectedCommand, started: Promise<Ready | null>) {
    this.#command = command;
    this.started = started;
  }

  fits({ command, cwd, interactive, network }: ExpectedCommand): boolean {
    const mine = this.#command;
    return mine.command === command && mine.cwd === cwd && mine.interactive === interactive && mine.network === network;
  }
}

/** Null when it did not come to be held: the start itself tries again, and says why it fails. */
async function startEarly(options: BwrapShellOptions, command: ExpectedCommand): Promise<Ready | null> {
  try {
    const { held, pid } = await startHeld(options, planMounts(options, command.network), command);
    if (pid !== null && (await held.isHeld())) return { held, pid };
    await held.abandon();
    return null;
  } catch (error) {
    if (error instanceof HarnessError) return null;
    throw error;
  }
}

interface HeldStartUp {
  readonly held: HeldCommand;
  /** The first process of the sandbox; null when there is none. */
  readonly pid: number | null;
}

interface Ready extends HeldStartUp {
  readonly pid: number;
}

function release({ held, pid }: Ready, command: ShellCommand): Promise<RunningCommand> {
  const identity = identityOf(pid);
  return held.release(identity, namespaceReach(identity), command);
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
        running = await release({ held, pid }, command);
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

async function startHeld(options: BwrapShellOptions, plan: MountPlan, command: ExpectedCommand): Promise<HeldStartUp> {
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
  const held = new HeldCommand({ child, pipe, clock: options.clock });
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
