/**
 * Whether a command waits for somebody to type, by evidence: a thread of the terminal's foreground group is blocked in
 * a system call that waits for input of a terminal. Text that looks like a question proves nothing and is not looked at.
 *
 * Known are the calls of x86-64 and arm64; elsewhere, and where the kernel does not show them, the answer is no.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { isUnreadable, listQuietly, readQuietly, statOf } from "./table.ts";

/** Threads that are looked at in one process. */
const THREADS_MAX = 64;
/** Descriptors of one poll or select that are looked at. */
const DESCRIPTORS_MAX = 256;

type Waiting = "read" | "poll" | "select" | "epoll";
const CALLS: { readonly [arch: string]: { readonly [number: string]: Waiting } } = {
  x64: {
    0: "read",
    19: "read",
    7: "poll",
    271: "poll",
    23: "select",
    270: "select",
    232: "epoll",
    281: "epoll",
    441: "epoll",
  },
  arm64: { 63: "read", 65: "read", 73: "poll", 72: "select", 22: "epoll", 441: "epoll" },
};
const POLL_INPUT = 0x001;
const TERMINAL_MAJORS: ReadonlySet<number> = new Set([5, 136, 137, 138, 139, 140, 141, 142, 143]);

export function waitsAtTerminal(pids: readonly number[]): boolean {
  return pids.some((pid) => isInForeground(pid) && threadsOf(pid).some((thread) => waitsForTyping(pid, thread)));
}

function isInForeground(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.terminal !== 0 && stat.foreground === stat.group;
}

function threadsOf(pid: number): readonly string[] {
  return listQuietly(`/proc/${String(pid)}/task`).slice(0, THREADS_MAX);
}

function waitsForTyping(pid: number, thread: string): boolean {
  // `0 0x0 0x55b2… …`: the call's number and its arguments; "running" or -1 when it is in none.
  const [number = "", first = "0", second = "0"] = (
    readQuietly(`/proc/${String(pid)}/task/${thread}/syscall`) ?? ""
  ).split(" ");
  const a = Number(first);
  const b = Number(second);
  switch (CALLS[process.arch]?.[number]) {
    case "read":
      return isTerminal(pid, a);
    case "poll":
      return polled(pid, a, b).some((fd) => isTerminal(pid, fd));
    case "select":
      return selected(pid, a, b).some((fd) => isTerminal(pid, fd));
    case "epoll":
      return registered(pid, a).some((fd) => isTerminal(pid, fd));
    case undefined:
      return false;
  }
}

/** By the device, not by the name: seen from outside, names in a sandbox mean something else. */
function isTerminal(pid: number, fd: number): boolean {
  try {
    const stat = statSync(`/proc/${String(pid)}/fd/${String(fd)}`);
    return stat.isCharacterDevice() && TERMINAL_MAJORS.has((stat.rdev >> 8) & 0xfff);
  } catch (error) {
    if (isUnreadable(error)) return false;
    throw error;
  }
}

/** `struct pollfd { int fd; short events; short revents; }` */
function polled(pid: number, address: number, count: number): readonly number[] {
  const bytes = memoryOf(pid, address, Math.min(count, DESCRIPTORS_MAX) * 8);
  const fds: number[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    if ((bytes.readInt16LE(at + 4) & POLL_INPUT) !== 0) fds.push(bytes.readInt32LE(at));
  }
  return fds;
}

/** `fd_set`: one bit for each descriptor. */
function selected(pid: number, count: number, address: number): readonly number[] {
  const bytes = memoryOf(pid, address, Math.ceil(Math.min(count, DESCRIPTORS_MAX) / 8));
  const fds: number[] = [];
  for (let fd = 0; fd < bytes.length * 8; fd++) {
    if ((((bytes[fd >> 3] ?? 0) >> (fd & 7)) & 1) === 1) fds.push(fd);
  }
  return fds;
}

/** `tfd:        0 events:       19 data: …`, one line for each descriptor; bit 0 of the events is input. */
function registered(pid: number, epoll: number): readonly number[] {
  const info = readQuietly(`/proc/${String(pid)}/fdinfo/${String(epoll)}`) ?? "";
  const lines = info.matchAll(/^tfd:\s*(\d+)\s+events:\s*([0-9a-f]+)/gm);
  return [...lines]
    .filter(([, , events]) => (Number.parseInt(events ?? "0", 16) & POLL_INPUT) !== 0)
    .map(([, fd]) => Number(fd));
}

function memoryOf(pid: number, address: number, length: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, length));
  if (address === 0 || length <= 0) return Buffer.alloc(0);
  try {
    const fd = openSync(`/proc/${String(pid)}/mem`, "r");
    try {
      return bytes.subarray(0, readSync(fd, bytes, 0, length, address));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    // Gone, or its memory has moved on: then it is not waiting there.
    if (isUnreadable(error) || (error instanceof Error && "code" in error && error.code === "EIO"))
      return Buffer.alloc(0);
    throw error;
  }
}
