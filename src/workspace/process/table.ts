/**
 * What the kernel says about processes, read from /proc. Nothing is remembered here: each function looks once and tells
 * what was true at that moment. A process that vanishes while it is being read is simply not there.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface ProcessStat {
  readonly pid: number;
  /** `R`, `S`, `D`, `T`, `Z` … */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Device number of the controlling terminal; 0 without one. */
  readonly terminal: number;
  /** The process group in the foreground of that terminal; -1 without one. */
  readonly foreground: number;
  /** Clock ticks since boot. */
  readonly start_time: string;
}

/** Null when there is no such process, or no /proc. A zombie is still there. */
export function statOf(pid: number): ProcessStat | null {
  const text = readQuietly(`/proc/${String(pid)}/stat`);
  if (text === null) return null;
  // The name stands in parentheses and may hold anything, also ")" and blanks: the fields follow the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (index: number): number => Number(fields[index] ?? "0");
  const start = fields[19];
  if (start === undefined) return null;
  return {
    pid,
    state: fields[0] ?? "?",
    parent: field(1),
    group: field(2),
    session: field(3),
    terminal: field(4),
    foreground: field(5),
    start_time: start,
  };
}

/** A zombie has ended: it waits for nothing but to be noticed. */
export function isRunning(stat: ProcessStat): boolean {
  return stat.state !== "Z" && stat.state !== "X";
}

/** The PID namespace of a process, as `pid:[4026531836]`; null when it is gone or not ours to see. @param proc where /proc is */
export function namespaceOf(pid: number | "self", proc = "/proc"): string | null {
  try {
    return readlinkSync(`${proc}/${String(pid)}/ns/pid`);
  } catch (error) {
    if (isUnreadable(error)) return null;
    throw error;
  }
}

/** The pid that the process has in its innermost namespace; null when it is gone. */
export function innermostPid(pid: number): number | null {
  const line = /^NSpid:\s*(.+)$/m.exec(readQuietly(`/proc/${String(pid)}/status`) ?? "")?.[1];
  const last = line?.trim().split(/\s+/).at(-1);
  return last === undefined ? null : Number(last);
}

/** Running processes of a PID namespace. */
export function namespaceMembers(namespace: string): readonly ProcessStat[] {
  return pids()
    .filter((pid) => namespaceOf(pid) === namespace)
    .flatMap(runningStat);
}

/**
 * Running processes of the session that `leader` began, of its group, and their descendants: a child in a session of
 * its own is found as long as its parent lives.
 */
export function familyMembers(leader: number): readonly ProcessStat[] {
  const everything = pids().flatMap(runningStat);
  const family = new Set([leader]);
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const { pid, parent, group, session } of everything) {
      if (session === leader || group === leader || family.has(parent)) family.add(pid);
    }
  }
  return everything.filter((stat) => family.has(stat.pid));
}

/** Sends a signal. False when the process is gone or not ours. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (hasCode(error, "ESRCH") || hasCode(error, "EPERM")) return false;
    throw error;
  }
}

/** Null where the system does not tell. */
export function bootId(): string | null {
  return readQuietly("/proc/sys/kernel/random/boot_id")?.trim() ?? null;
}

/** The text of a file under /proc; null when the process is gone, or it may not be read. */
export function readQuietly(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isUnreadable(error)) return null;
    throw error;
  }
}

/** Names of a directory under /proc; none when the process is gone, or it may not be read. */
export function listQuietly(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isUnreadable(error)) return [];
    throw error;
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Gone in between (`ENOENT`, `ESRCH`), or somebody else's (`EACCES`, `EPERM`). */
export function isUnreadable(error: unknown): boolean {
  return ["ENOENT", "ESRCH", "EACCES", "EPERM", "ENOTDIR"].some((code) => hasCode(error, code));
}

function pids(): readonly number[] {
  return listQuietly("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function runningStat(pid: number): readonly ProcessStat[] {
  const stat = statOf(pid);
  return stat !== null && isRunning(stat) ? [stat] : [];
}
