/**
 * One running command, the same for every shell: its output, its end, its kill. A shell differs in how it starts a
 * command and how far a kill reaches (`process-reach.ts`).
 *
 * C1: `ended` settles once, never rejects, and then nothing within reach is alive (P2).
 * C2: the first reason to kill wins; after the end by itself there is none.
 */
import type { ChildProcess } from "node:child_process";
import type { Clock } from "../../kernel/clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { ProcessIdentity } from "../../kernel/process-identity.ts";
import { HeldStart } from "./hold.ts";
import { type CommandLimits, untilOverLimit } from "./limits.ts";
import { OutputBuffer } from "./output.ts";
import type { OutputPipe } from "./pipe.ts";
import { ProgressFeed } from "./progress.ts";
import type { Reach } from "./reach.ts";
import { signalProcess, statOf } from "./table.ts";
import { waitsAtTerminal } from "./pty-input.ts";
import type { CommandEnd, KillReason, OverLimit, RunningCommand, ShellCommand } from "../shell.ts";

/** Between TERM and KILL, when nobody says otherwise: all is over within two seconds. Milliseconds. */
export const KILL_GRACE_MS = 1_000;
/** What is still finishing when the command has ended (`> >(tee log)`) gets this long before it counts as left behind. */
export const STRAGGLER_LIMIT_MS = 150;
/** For killed processes to be gone: the kernel does it at once, unless one hangs in the disk. */
export const GONE_LIMIT_MS = 5_000;
/** For the pipe to run dry when nothing within reach holds it any more. */
export const DRAIN_LIMIT_MS = 300;
/** For the held script to say that it is there. */
export const HOLD_LIMIT_MS = 30_000;
const POLL_MS = 10;
/** Kept of what the sandbox itself complains about. */
const COMPLAINT_CHARS_MAX = 2_000;

export interface CommandParts {
  readonly child: ChildProcess;
  readonly pipe: OutputPipe;
  readonly clock: Clock;
}

/** A command that was spawned and is not released. */
export class HeldCommand {
  readonly #parts: CommandParts;
  readonly #start: HeldStart;
  readonly #exited: Promise<void>;
  #complaint = "";

  constructor(parts: CommandParts) {
    this.#parts = parts;
    const { child } = parts;
    this.#exited = new Promise((resolve) => {
      child.once("exit", () => {
        resolve();
      });
      child.once("error", (error) => {
        this.#complaint = error.message;
        resolve();
      });
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString("utf8")).slice(0, COMPLAINT_CHARS_MAX);
    });
    this.#start = new HeldStart(child);
  }

  get watch(): number | null {
    return this.#start.watch;
  }

  /** What the shell around the command said on its own standard error. */
  get complaint(): string {
    return this.#complaint.trim();
  }

  /** Waits until the script is there. @returns false when it never came */
  async isHeld(): Promise<boolean> {
    return (await atMost(this.#parts.clock, HOLD_LIMIT_MS, this.#start.held)) ?? false;
  }

  /**
   * P1: journals the identity, then lets the command run. Rejects with the error of `onHeld`, and then it never ran.
   * @param bounds what it may use and where it writes; null where nothing is watched
   */
  async release(
    identity: ProcessIdentity,
    reach: Reach,
    command: ShellCommand,
    bounds: CommandBounds | null = null,
  ): Promise<RunningCommand> {
    const exited = this.#exited;
    const running = new Command({ ...this.#parts, identity, reach, command, bounds, start: this.#start, exited });
    try {
      await command.onHeld(identity);
    } catch (error) {
      await running.kill("canceled", 0);
      throw error;
    }
    this.#start.release();
    running.watch();
    return running;
  }

  /** Ends what did not come to be held. */
  async abandon(): Promise<void> {
    this.#parts.child.kill("SIGKILL");
    this.#parts.pipe.reader.destroy();
    await atMost(this.#parts.clock, GONE_LIMIT_MS, this.#exited);
  }
}

export interface CommandBounds {
  readonly limits: CommandLimits;
  /** Directories that it writes in. */
  readonly written: readonly string[];
}

interface RunningParts extends CommandParts {
  readonly bounds: CommandBounds | null;
  readonly identity: ProcessIdentity;
  readonly reach: Reach;
  readonly command: ShellCommand;
  readonly start: HeldStart;
  readonly exited: Promise<void>;
}

class Command implements RunningCommand {
  readonly process: ProcessIdentity;
  readonly ended: Promise<CommandEnd>;
  readonly #parts: RunningParts;
  readonly #output: OutputBuffer;
  readonly #progress: ProgressFeed;
  readonly #drained: Promise<void>;
  #last_output_at: number;
  #killed: KillReason | null = null;
  #over_limit: OverLimit | null = null;
  #over = false;
  readonly #watching = new AbortController();

  constructor(parts: RunningParts) {
    this.#parts = parts;
    this.process = parts.identity;
    this.#output = new OutputBuffer(parts.command.output_bytes_max);
    this.#progress = new ProgressFeed(parts.clock, parts.command.onOutput);
    this.#last_output_at = parts.clock.monotonic();
    this.#drained = this.#readOutput();
    // The terminal may be gone while something is still being typed.
    parts.child.stdin?.on("error", () => undefined);
    this.ended = this.#untilEnded();
  }

  /** Kills the command when it uses more than it may; at once, for what it was given was a grace already. */
  watch(): void {
    const { bounds, clock, identity } = this.#parts;
    if (bounds === null || this.#over) return;
    const { signal } = this.#watching;
    void untilOverLimit({ ...bounds, first: identity.pid, namespace: identity.namespace, clock, signal }).then(
      (over) => {
        if (over === null || this.#over || this.#killed !== null) return;
        this.#over_limit = over;
        return this.kill("over_limit", 0);
      },
    );
  }

  silentFor(): number {
    return this.#parts.clock.monotonic() - this.#last_output_at;
  }

  output(): string {
    return this.#output.text();
  }

  bytes(): number {
    return this.#output.bytes;
  }

  waitsForInput(): Promise<boolean> {
    return Promise.resolve(
      this.#parts.command.interactive && !this.#over && waitsAtTerminal(this.#parts.reach.members()),
    );
  }

  send(input: string): void {
    if (this.#parts.child.stdin === null) {
      throw new HarnessError(
        "process_failed",
        `Process ${String(this.process.pid)} has no terminal to type at.`,
        "Start it with `interactive`.",
      );
    }
    if (!this.#over) this.#parts.child.stdin.write(input);
  }

  async kill(reason: KillReason, grace_ms: number = KILL_GRACE_MS): Promise<void> {
    if (!this.#over) {
      this.#killed ??= reason;
      if (grace_ms > 0) {
        for (const pid of this.#toldToEnd()) signalProcess(pid, "SIGTERM");
        await atMost(this.#parts.clock, grace_ms, this.ended);
      }
      if (!this.#over) this.#endEverything();
    }
    await this.ended;
  }

  /** `script` would answer TERM by waiting on its own terms: it ends by itself when what is at its terminal has. */
  #toldToEnd(): readonly number[] {
    const members = this.#parts.reach.members();
    return this.#parts.command.interactive ? members.filter((pid) => statOf(pid)?.terminal !== 0) : members;
  }

  async #untilEnded(): Promise<CommandEnd> {
    const code = await this.#parts.start.finished;
    const left_behind = code === null ? -1 : await this.#stragglers();
    this.#over = true;
    this.#watching.abort("over");
    const by_term = code !== null;
    this.#endEverything();
    await atMost(this.#parts.clock, GONE_LIMIT_MS, this.#parts.exited);
    const gone = await this.#poll(GONE_LIMIT_MS, () => this.#parts.reach.isGone());
    await atMost(this.#parts.clock, DRAIN_LIMIT_MS, this.#drained);
    this.#parts.pipe.reader.destroy();
    this.#progress.end();
    return {
      ...this.#exit(code, by_term),
      killed: this.#killed,
      over_limit: this.#over_limit,
      output: this.#output.text(),
      bytes: this.#output.bytes,
      truncated: this.#output.truncated,
      left_behind: gone ? left_behind : -1,
    };
  }

  #exit(code: number | null, by_term: boolean): Pick<CommandEnd, "code" | "signal"> {
    if (code === null) return { code: null, signal: this.#parts.child.signalCode ?? "SIGKILL" };
    return this.#killed !== null && by_term && code === 128 + 15
      ? { code: null, signal: "SIGTERM" }
      : { code, signal: null };
  }

  async #stragglers(): Promise<number> {
    // After a kill they were told to end, and what is left of the grace belongs to nobody.
    let left = this.#parts.reach.members().length;
    const look = (): boolean => (left = this.#parts.reach.members().length) === 0;
    if (left > 0 && this.#killed === null) await this.#poll(STRAGGLER_LIMIT_MS, look);
    return left;
  }

  #endEverything(): void {
    this.#parts.reach.killAll();
    // The sandbox's outer process, and whatever of ours has not come to be in reach yet.
    if (this.#parts.child.exitCode === null && this.#parts.reach.isGone()) this.#parts.child.kill("SIGKILL");
  }

  #readOutput(): Promise<void> {
    const { reader } = this.#parts.pipe;
    return new Promise((resolve) => {
      reader.on("data", (chunk: Buffer) => {
        this.#last_output_at = this.#parts.clock.monotonic();
        this.#output.add(chunk);
        this.#progress.add(chunk);
      });
      // An error ends the stream as its end does: the command's own end is what counts.
      reader.on("error", () => undefined);
      reader.on("close", () => {
        resolve();
      });
      reader.on("end", () => {
        resolve();
      });
    });
  }

  async #poll(limit_ms: number, done: () => boolean): Promise<boolean> {
    const until = this.#parts.clock.monotonic() + limit_ms;
    while (!done()) {
      if (this.#parts.clock.monotonic() >= until) return false;
      await this.#parts.clock.sleep(POLL_MS);
    }
    return true;
  }
}

/** What a promise settles with, or undefined at the limit. The timer ends with the wait: it must not keep belay running. */
async function atMost<T>(clock: Clock, limit_ms: number, promise: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([promise, clock.sleep(limit_ms, timer.signal).then(() => undefined)]);
  } finally {
    timer.abort("over");
  }
}
