/**
 * The process port: commands under a sandbox, started held, with an identity that is journaled before they run.
 *
 * P1: nothing of the command runs before `onHeld` resolved; when it rejects, or belay dies, the command never runs.
 * P2: when a command's promise settles, nothing that it started is alive (in a namespace: surely; otherwise its process group).
 * P3: output is bounded in memory whatever the command writes; what is over the cap is counted.
 */
import type { ProcessIdentity } from "../kernel/process-identity.ts";

export interface Shell {
  /** `bwrap` or `none`. */
  readonly mode: "bwrap" | "none";
  /** Starts a command in a shell (`bash -c`). Throws `process_failed` or `sandbox_failed` when it cannot be started. */
  start(command: ShellCommand): Promise<RunningCommand>;
  /**
   * Says what will be started soon: its process may be made already, held, while the intent of the call is journaled. The next
   * `start` of the same takes it. Absent where that saves nothing. Does not throw.
   */
  readonly prepare?: (command: ExpectedCommand) => PreparedCommand;
}

export interface PreparedCommand {
  /** Ends what no `start` took; nothing of the command ran. */
  drop(): Promise<void>;
}

/** What of a command decides how its process is made. */
export type ExpectedCommand = Pick<ShellCommand, "command" | "cwd" | "interactive" | "network">;

/** What a command reaches: nothing, everything, or the hosts of a list (`packages.example.com`, `*.example.com`) by way of a proxy. */
export type CommandNetwork = "none" | "all" | { readonly domains: readonly string[] };

export interface ShellCommand {
  readonly command: string;
  /** Absolute, inside the workspace. */
  readonly cwd: string;
  /** With a pseudo-terminal; otherwise stdin is empty. */
  readonly interactive: boolean;
  readonly network: CommandNetwork;
  /** Bytes kept of the output: the first half and the last half of them. */
  readonly output_bytes_max: number;
  /** Called once, while the process is held. The command runs when it resolves. */
  readonly onHeld: (process: ProcessIdentity) => Promise<void>;
  /** Output as it comes, decoded as UTF-8, bounded per call. Must not throw. */
  readonly onOutput: (text: string) => void;
  /** A host that the command asked for and the list does not have; each once, in printable characters. Must not throw. */
  readonly onBlocked?: (host: string, reason: string) => void;
}

export interface RunningCommand {
  readonly process: ProcessIdentity;
  /** Settles when the command and everything it started has ended. Never rejects. */
  readonly ended: Promise<CommandEnd>;
  /** Milliseconds (monotonic) since anything was written. */
  silentFor(): number;
  /** Everything written so far, within the cap. */
  output(): string;
  /** Bytes written so far, over the cap or not. */
  bytes(): number;
  /** By evidence (a process of it waits in a read of its terminal), not by guessing from text. Always false without a terminal. */
  waitsForInput(): Promise<boolean>;
  /** Writes to the terminal. Only when interactive. */
  send(input: string): void;
  /** TERM, then KILL after `grace_ms`; resolves when nothing is alive. The first reason wins. */
  kill(reason: KillReason, grace_ms?: number): Promise<void>;
}

export type KillReason = "timed_out" | "stalled" | "canceled" | "stopped" | "over_limit";

/** What a command used up, with everything that it started. */
export interface OverLimit {
  readonly limit: "processes" | "memory" | "disk";
  /** Processes, or bytes. */
  readonly allowed: number;
  readonly found: number;
}

export interface CommandEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Why belay killed it; null when it ended by itself. */
  readonly killed: KillReason | null;
  /** What it was killed for, when it was `over_limit`. */
  readonly over_limit: OverLimit | null;
  readonly output: string;
  readonly bytes: number;
  readonly truncated: boolean;
  /** Processes that were still alive when the command itself ended, and were ended with it; -1 when unknown. */
  readonly left_behind: number;
}
