/** The lock file where it lies: read without being led away, written whole. */
import { randomBytes } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LOCK_BYTES_MAX, LOCK_FILE, type LockedPrompt, readLock, unusableLock } from "../context/prompt-lock.ts";
import { readFileBelow } from "../extension/plain-file.ts";
import { HarnessError } from "../kernel/harness-error.ts";

/** @param top of the project, without links @returns null where there is none @throws HarnessError `config_invalid` */
export function readLockFile(top: string): readonly LockedPrompt[] | null {
  const found = readFileBelow(top, LOCK_FILE, LOCK_BYTES_MAX);
  if (found.found === "nothing") return null;
  if (found.found === "refused") throw unusableLock(found.why);
  return readLock(found.text);
}

/** @throws HarnessError `usage` where there is none, `config_invalid` */
export function requireLockFile(top: string): readonly LockedPrompt[] {
  const locked = readLockFile(top);
  if (locked !== null) return locked;
  throw new HarnessError(
    "usage",
    `There is no ${LOCK_FILE} in ${top}.`,
    "Accept the prompts as they are with `belay prompts lock`, and commit the file.",
  );
}

/** Whatever stands at its place is replaced, a link too: nothing is written through one. @throws HarnessError `file_failed` */
export function writeLockFile(top: string, text: string): void {
  const path = join(top, LOCK_FILE);
  const partial = `${path}.${randomBytes(4).toString("hex")}.partial`;
  try {
    writeFileSync(partial, text, { flag: "wx", flush: true });
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw new HarnessError(
      "file_failed",
      `${LOCK_FILE} could not be written in ${top} (${String(error.code)}).`,
      "Make the directory writable, or free its name, then lock again.",
      { cause: error },
    );
  }
}
