/**
 * What a command may use with everything that it started: processes, memory, written bytes. The kernel's own limits hold for
 * one process each, and groups of control are rarely ours to make; so a watch looks at the whole tree while the command runs,
 * and the command is killed when it is over.
 *
 * M1: what is over is found within one look and its pause: `COUNT_INTERVAL_MS` for the number of processes, `LOOK_INTERVAL_MS`
 *     for all else; longer in proportion when a look is costly, and never longer than `PAUSE_MAX_MS`.
 * M2: memory that processes share is counted once before anything is killed for it.
 * M3: too many processes are told before any of them is looked at: each more makes looking slower.
 */
import { statfs } from "node:fs/promises";
import type { Clock } from "../../kernel/clock.ts";
import type { OverLimit } from "../shell.ts";
import { nextTurn } from "../turns.ts";
import { type ProcessPath, processTree, shareOfMemory, sizeOf, writtenBytes } from "./tree.ts";

/** Threads of a command, for each process that it may have. */
export const THREADS_PER_PROCESS = 4;
/** Between two counts: one read of a directory. What multiplies as fast as it can makes some 10,000 in a second. Milliseconds. */
const COUNT_INTERVAL_MS = 20;
/** Between two looks at everything. Milliseconds. */
const LOOK_INTERVAL_MS = 100;
/** A look may take one part in so many of the time: with many processes there are fewer looks. */
const LOOK_SHARE = 20;
const PAUSE_MAX_MS = 1_000;
/** Processes looked at before other work of belay gets its turn. */
const PROCESSES_PER_TURN = 64;
/** A disk with less left is full for everybody: whatever fills it ends. Bytes. */
const DISK_LEFT_MIN_BYTES = 256 * 1024 * 1024;
/** A file system in memory, as the kernel numbers them. */
const TMPFS = 0x01021994;

export interface CommandLimits {
  readonly processes: number;
  readonly memory_bytes: number;
  /** Written by the command, kept or not. */
  readonly disk_bytes: number;
}

export interface LimitWatch {
  readonly limits: CommandLimits;
  /** The first process of the command's namespace, and the namespace. */
  readonly first: number;
  readonly namespace: string | null;
  /** Directories that it writes in. */
  readonly written: readonly string[];
  readonly clock: Clock;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/** Looks until something is over, or the signal. Null is the signal. Does not throw. */
export async function untilOverLimit(watch: LimitWatch): Promise<OverLimit | null> {
  const { clock, signal, limits } = watch;
  const tree = processTree(watch.first, watch.namespace);
  const before = await spaceOf(watch.written);
  let pause = COUNT_INTERVAL_MS;
  let next_look = clock.monotonic() + LOOK_INTERVAL_MS;
  for (;;) {
    await clock.sleep(pause, signal);
    if (signal.aborted) return null;
    const began = clock.monotonic();
    const processes = tree.list(limits.processes);
    if (processes.length > limits.processes) return overProcesses(limits, processes.length);
    const counted = clock.monotonic();
    pause = pauseAfter(counted - began, COUNT_INTERVAL_MS);
    if (counted < next_look) continue;
    const over = (await overInAll(processes, limits)) ?? (await overSpace(watch, before));
    if (over !== null) return over;
    next_look = clock.monotonic() + pauseAfter(clock.monotonic() - counted, LOOK_INTERVAL_MS);
  }
}

function pauseAfter(took_ms: number, least_ms: number): number {
  return Math.min(PAUSE_MAX_MS, Math.max(least_ms, took_ms * LOOK_SHARE));
}

function overProcesses({ processes }: CommandLimits, found: number): OverLimit {
  return { limit: "processes", allowed: processes, found };
}

async function overInAll(processes: readonly ProcessPath[], limits: CommandLimits): Promise<OverLimit | null> {
  const sizes = await eachInTurns(processes, sizeOf);
  const threads = sum(sizes.map((size) => size.threads));
  if (threads > limits.processes * THREADS_PER_PROCESS) {
    return overProcesses(limits, Math.ceil(threads / THREADS_PER_PROCESS));
  }
  if (sum(sizes.map((size) => size.resident)) > limits.memory_bytes) {
    const used = sum(await eachInTurns(processes, shareOfMemory));
    if (used > limits.memory_bytes) return { limit: "memory", allowed: limits.memory_bytes, found: used };
  }
  const written = sum(await eachInTurns(processes, writtenBytes));
  return written > limits.disk_bytes ? { limit: "disk", allowed: limits.disk_bytes, found: written } : null;
}

async function eachInTurns<T>(processes: readonly ProcessPath[], measure: (path: ProcessPath) => T): Promise<T[]> {
  const measured: T[] = [];
  for (const path of processes) {
    measured.push(measure(path));
    if (measured.length % PROCESSES_PER_TURN === 0) await nextTurn();
  }
  return measured;
}

/** What no process is charged for: a disk in memory, and space that is taken without being written. */
async function overSpace({ written, limits }: LimitWatch, before: readonly Space[]): Promise<OverLimit | null> {
  for (const [at, { left, in_memory }] of (await spaceOf(written)).entries()) {
    const left_before = before[at]?.left ?? left;
    const taken = left_before - left;
    const filled = left < DISK_LEFT_MIN_BYTES && left_before >= DISK_LEFT_MIN_BYTES;
    if (filled || (in_memory && taken > limits.disk_bytes)) {
      return { limit: "disk", allowed: limits.disk_bytes, found: taken };
    }
  }
  return null;
}

interface Space {
  /** Bytes. */
  readonly left: number;
  readonly in_memory: boolean;
}

/** Of the disks that the directories are on. */
async function spaceOf(directories: readonly string[]): Promise<readonly Space[]> {
  return Promise.all(
    directories.map((directory) =>
      statfs(directory).then(
        ({ bavail, bsize, type }) => ({ left: bavail * bsize, in_memory: type === TMPFS }),
        () => ({ left: 0, in_memory: false }), // gone: then nothing is written in it
      ),
    ),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
