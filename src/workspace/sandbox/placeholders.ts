/**
 * Empty directories below the workspace where something protected is missing, so that a cover has something to stand on. Each
 * has a mark that no other directory has, so whoever meets one knows that it is nobody's work: snapshots leave it out, and it
 * can be taken away after a crash.
 *
 * Q1: one that a command stands on is not removed: that would take the cover away.
 * Q2: only what has the mark and is empty is ever removed.
 */
import { chmodSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import { COVERED_PATHS } from "../../kernel/protected-paths.ts";
import { hasCode, isUnreadable, listQuietly, readQuietly } from "../process/table.ts";

/** Nobody may write in it, and a bit that otherwise stands on shared directories alone. */
const MARK = 0o1555;
/** Not there, not empty (then it is not ours), or not to be removed: all the same to us. */
const LEFT_ALONE = ["ENOENT", "ENOTEMPTY", "ENOTDIR", "EBUSY", "EACCES", "EPERM", "EROFS"] as const;

/** Whether the directory is a place for a cover. Does not throw for what is gone. */
export function isPlaceholder(path: string): boolean {
  try {
    const stat = lstatSync(path);
    return stat.isDirectory() && (stat.mode & 0o7777) === MARK && readdirSync(path).length === 0;
  } catch (error) {
    if (isUnreadable(error)) return false;
    throw error;
  }
}

const COVERED: ReadonlySet<string> = new Set(COVERED_PATHS);

/**
 * Whether a path of a workspace is such a place and nobody's work: only what is empty and stands where commands cannot write is
 * ever left out of a snapshot, so there is no hiding anything by a mark.
 */
export function isPlaceOfCover(root: string, relative: string): boolean {
  return COVERED.has(relative) && isPlaceholder(join(root, relative));
}

export class Placeholders {
  readonly #users = new Map<string, number>();
  readonly #kept: boolean;

  /** @param tree in belay's own they stay, and cost nothing after the first command; in the user's they go with the command */
  constructor(tree: "own" | "users") {
    this.#kept = tree === "own";
  }

  /** Makes those that are missing, and counts a command as standing on each. @throws `sandbox_failed` */
  hold(paths: readonly string[]): readonly string[] {
    for (const path of paths) makeMarked(path);
    for (const path of paths) this.#users.set(path, (this.#users.get(path) ?? 0) + 1);
    return paths;
  }

  release(paths: readonly string[]): void {
    const unused = paths.filter((path) => {
      const users = (this.#users.get(path) ?? 1) - 1;
      if (users > 0) this.#users.set(path, users);
      else this.#users.delete(path);
      return users <= 0;
    });
    if (!this.#kept) removeUnused(unused.filter(isPlaceholder));
  }
}

function makeMarked(path: string): void {
  try {
    mkdirSync(path, MARK); // marked from its first moment, wherever belay ends
    chmodSync(path, MARK); // unless the process masks a part of it
  } catch (cause) {
    if (hasCode(cause, "EEXIST")) return; // made meanwhile: the sandbox covers whatever it is
    throw new HarnessError(
      "sandbox_failed",
      `${path} is missing, must not be made by a command, and could not be covered.`,
      "Look at the cause: permissions of the workspace, or a full disk.",
      { cause },
    );
  }
}

/** Q1. Another belay's command may stand on one: its mounts are its own, and the kernel tells them. */
function removeUnused(paths: readonly string[]): void {
  if (paths.length === 0) return;
  const seen = new Set<string>();
  const stood_on = new Set<string>();
  for (const pid of listQuietly("/proc").filter((name) => /^\d+$/.test(name))) {
    const namespace = mountNamespace(pid);
    if (namespace === null || seen.has(namespace)) continue;
    seen.add(namespace);
    const mounts = mountsOf(pid);
    for (const path of paths) if (mounts.includes(` ${path} `)) stood_on.add(path);
  }
  for (const path of paths) if (!stood_on.has(path)) remove(path);
}

function mountNamespace(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch (error) {
    if (isUnreadable(error)) return null;
    throw error;
  }
}

function mountsOf(pid: string): string {
  try {
    return readQuietly(`/proc/${pid}/mountinfo`) ?? "";
  } catch (error) {
    if (hasCode(error, "EINVAL")) return ""; // it is ending, and has left its namespace
    throw error;
  }
}

function remove(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!LEFT_ALONE.some((code) => hasCode(error, code))) throw error;
  }
}
