/**
 * The shell without a sandbox of belay's (modes `none` and `external`): the same held start, output, limits and kill, in a process group of its
 * own. Commands may read and write whatever belay may; a child that leaves both group and session outlives a kill.
 */
import type { Clock } from "../../kernel/clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { HeldCommand } from "./command.ts";
import { HOLD_IN_GROUP } from "./hold.ts";
import { identityOf } from "./identity.ts";
import { openOutputPipe } from "./pipe.ts";
import { findProgram, requireBash } from "./programs.ts";
import { groupReach } from "./reach.ts";
import { spawnHeld } from "./spawn.ts";
import { terminalCommand } from "./pty.ts";
import { commandEnvironment } from "../sandbox/environment.ts";
import { relocations } from "../sandbox/toolchains.ts";
import type { RunningCommand, Shell, ShellCommand } from "../shell.ts";
import type { ScratchDirectories } from "../workspace.ts";

export interface PlainShellOptions {
  /** The workspace, absolute. */
  readonly root: string;
  readonly scratch: ScratchDirectories;
  /** The user's own home, for the tool chains in it. */
  readonly home: string;
  /** PATH of commands; relative entries are dropped. */
  readonly path: string;
  /** belay's environment; an allow list of it is handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

export function createPlainShell(options: PlainShellOptions): Shell {
  return { mode: "none", start: (command) => start(options, command) };
}

async function start(options: PlainShellOptions, command: ShellCommand): Promise<RunningCommand> {
  const bash = requireBash(options.path);
  const words = command.interactive
    ? terminalCommand(findProgram("script"), bash, command.command)
    : [bash, "-c", command.command];
  const pipe = await openOutputPipe(options.scratch.tmp);
  const child = spawnHeld({
    program: bash,
    arguments: ["-c", HOLD_IN_GROUP, "belay", ...words],
    cwd: command.cwd,
    detached: true,
    interactive: command.interactive,
    channels: 1,
    pipe,
    environment: commandEnvironment({
      ...options,
      bash,
      home: options.scratch.home,
      tmp: options.scratch.tmp,
      interactive: command.interactive,
      network: true,
      toolchains: relocations(options.home),
      uid: null,
    }),
  });
  const held = new HeldCommand({ child, pipe, clock: options.clock });
  if (!(await held.isHeld()) || child.pid === undefined) {
    await held.abandon();
    throw new HarnessError(
      "process_failed",
      `The command could not be started: ${held.complaint || "its shell ended at once"}.`,
      "Look at the directory and at the limits on processes.",
    );
  }
  const identity = identityOf(child.pid);
  return held.release(
    identity,
    groupReach(identity, () => held.watch),
    command,
  );
}
