/** Directories of belay's own: for their owner alone. */
import { mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isErrno } from "./file-error.ts";

const PRIVATE = 0o700;

/**
 * Makes the directory and the missing ones above it. Not `mkdir` with `recursive`: that one never ends where the parent
 * exists and still nothing can be made in it, as in /proc.
 */
export async function makePrivateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: PRIVATE });
  } catch (error) {
    if (!isErrno(error)) throw error;
    if (error.code === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (error.code !== "ENOENT" || dirname(path) === path) throw error;
    await makePrivateDirectory(dirname(path));
    await mkdir(path, { mode: PRIVATE }).catch(unlessMade);
  }
}

/** Makes durable what was created in it or renamed. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  await directory.sync().finally(() => directory.close());
}

/** Another process was faster. */
function unlessMade(error: unknown): void {
  if (!isErrno(error) || error.code !== "EEXIST") throw error;
}
