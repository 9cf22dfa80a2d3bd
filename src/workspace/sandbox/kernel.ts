/**
 * The kernel's own files, as seen in the sandbox. bubblewrap shows a fresh /proc, but for a user who is root outside,
 * /proc/sys stays writable in it: user id 0 is user id 0 to the kernel's settings, with or without capabilities, and one
 * of them names a program that the kernel runs as root. So they are covered here, in every case.
 */
import { existsSync, statSync } from "node:fs";

/** Settings and devices: shown, never written. */
const READ_ONLY: readonly string[] = [
  "/proc/sys",
  "/proc/sysrq-trigger",
  "/proc/irq",
  "/proc/bus",
  "/proc/fs",
  "/proc/tty",
  "/proc/driver",
  "/proc/mtrr",
  "/proc/pressure",
  "/proc/dynamic_debug",
];

/** Tells more about the machine than a command needs, or is a door to its hardware. */
const COVERED: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/kmsg",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/vmallocinfo",
  "/proc/slabinfo",
  "/proc/kpagecount",
  "/proc/kpageflags",
  "/proc/kpagecgroup",
  "/sys/firmware",
  "/sys/kernel/debug",
  "/sys/kernel/tracing",
];

/** Arguments that come after the fresh /proc. */
export function kernelCovers(): readonly string[] {
  const read_only = READ_ONLY.filter(existsSync).flatMap((path) => ["--ro-bind", path, path]);
  const covered = COVERED.filter(existsSync).flatMap((path) =>
    statSync(path).isDirectory() ? ["--tmpfs", path, "--remount-ro", path] : ["--ro-bind", "/dev/null", path],
  );
  return [...read_only, ...covered];
}
