/**
 * What the kernel itself holds a command to, whether or not belay gets its turn: how many processes there can be, how large a
 * file, and who is served first.
 *
 * N1: belay is served before a command's processes, so that what takes all processors is ended all the same.
 * N2: raising any of these takes a capability that the command does not have. Without root one way is left: the sandbox's first
 *     process has belay's own limit on processes and its priority, and a program that takes it over (`ptrace`) has them too.
 */
import { execFile } from "node:child_process";
import { release, setPriority } from "node:os";
import { promisify } from "node:util";
import { type CommandLimits, THREADS_PER_PROCESS } from "./limits.ts";
import { findProgram } from "./programs.ts";
import { hasCode, listQuietly, statOf } from "./table.ts";
import { descendants } from "./tree.ts";

/** From this version of Linux on, a limit on a user's processes counts those of the sandbox alone. */
const COUNTS_IN_NAMESPACE = [5, 14] as const;
/** From this version on a PID namespace has a largest pid of its own. */
const PID_MAX_IN_NAMESPACE = [6, 14] as const;
/** The kernel gives these out once, and does not come back to them. */
const RESERVED_PIDS = 300;
/** Files are counted in these. Bytes. */
const FILE_BLOCK_BYTES = 1_024;
/** When memory ends, the kernel takes a command's processes before everything else's. */
const OOM_SCORE = 900;
/** For the kernel's setting to be made. It takes 2 ms. */
const CAP_LIMIT_MS = 2_000;
/**
 * A machine at rest runs the command as fast as any, and beside busy programs it has a tenth of what they have. Lower would end what
 * multiplies sooner, and starve every ordinary command beside somebody's build.
 */
const COMMAND_NICENESS = 10;
/** Of a held command there are the sandbox's first, the script and perhaps the relay. */
const HELD_PROCESSES_MAX = 16;

/** For the script around a command. */
export function kernelLimits({ disk_bytes, processes }: CommandLimits): string {
  return [
    // Not for root, whom the kernel lets have any number: see `capProcesses`.
    ...(isLinuxAtLeast(COUNTS_IN_NAMESPACE) ? [`ulimit -u ${String(processes * THREADS_PER_PROCESS)}`] : []),
    "ulimit -c 0",
    `ulimit -f ${String(Math.max(1, Math.ceil(disk_bytes / FILE_BLOCK_BYTES)))}`,
    `{ echo ${String(OOM_SCORE)} >/proc/self/oom_score_adj; } 2>/dev/null`,
  ].join("\n");
}

/** Not in a container that shows the kernel's settings read-only: it is tried once. */
let can_cap = true;

/**
 * For root the largest pid of the namespace is what `ulimit -u` is for others: so many processes and threads, and those that got
 * one of the reserved pids. Where it cannot be set, the watch is all there is. Call it while the command is held: what makes the
 * setting is for a moment a process of the namespace. Does not throw.
 */
export async function capProcesses(first: number, { processes }: CommandLimits): Promise<void> {
  const nsenter = findProgram("nsenter");
  if (process.geteuid?.() !== 0 || !can_cap || nsenter === null || !isLinuxAtLeast(PID_MAX_IN_NAMESPACE)) return;
  // The namespace's process alone is entered, not its files: there the setting cannot be written.
  const set = `echo ${String(RESERVED_PIDS + processes * THREADS_PER_PROCESS)} >/proc/sys/kernel/pid_max`;
  const words = ["--target", String(first), "--pid", "--", "/bin/sh", "-c", set];
  try {
    await promisify(execFile)(nsenter, words, { timeout: CAP_LIMIT_MS, env: {} });
  } catch {
    // A sandbox that has ended says nothing about the next one.
    if (statOf(first) !== null) can_cap = false;
  }
}

/**
 * N1. For all processes of a held command, what is around the command's own words included. The first is to end at once when it is killed: root
 * can put it before all others at that moment, and others must leave it as it is.
 */
export function serveLast(first: number, namespace: string | null): void {
  const spared = process.geteuid?.() === 0 ? null : first;
  const held = descendants(first, namespace, HELD_PROCESSES_MAX).filter((pid) => pid !== spared);
  // To the kernel every thread has its own.
  for (const thread of held.flatMap((pid) => listQuietly(`/proc/${String(pid)}/task`))) {
    try {
      setPriority(Number(thread), COMMAND_NICENESS);
    } catch (error) {
      if (!hasCode(error, "ERR_SYSTEM_ERROR")) throw error;
      // Gone: a program that the script ran on its way.
    }
  }
}

function isLinuxAtLeast([least_major, least_minor]: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  return major > least_major || (major === least_major && minor >= least_minor);
}
