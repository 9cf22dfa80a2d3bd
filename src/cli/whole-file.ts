/**
 * A file that somebody asked for by name: there whole or not at all, for its owner alone. It is written beside its place and
 * moved there. What is no ordinary file (a device, a pipe) is written to as it stands, and never replaced.
 */
import { randomBytes } from "node:crypto";
import { open, realpath, rename, rm, stat } from "node:fs/promises";
import type { Writable } from "node:stream";
import { HarnessError } from "../kernel/harness-error.ts";

/** @param named as the user wrote it, for messages. @throws `file_failed`, and what `work` throws */
export async function writeWhole<T>(path: string, named: string, work: (to: Writable) => Promise<T>): Promise<T> {
  const found = await foundAt(path, named);
  if (found === "other") return saidSo(named, async () => work((await open(path, "w")).createWriteStream()));
  const target = found === "file" ? await realpath(path) : path;
  const partial = `${target}.${randomBytes(4).toString("hex")}.partial`;
  try {
    return await saidSo(named, async () => {
      const result = await work((await open(partial, "wx", 0o600)).createWriteStream({ flush: true }));
      await rename(partial, target);
      return result;
    });
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function foundAt(path: string, named: string): Promise<"nothing" | "file" | "other"> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return found.isFile() ? "file" : "other";
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "nothing";
    throw failed(named, error);
  }
  throw new HarnessError("file_failed", `${named} is a directory.`, "Name a file in it.");
}

/** What the operating system refuses is the user's to know; everything else passes. */
async function saidSo<T>(named: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) === null) throw error;
    throw failed(named, error);
  }
}

function failed(named: string, cause: unknown): HarnessError {
  const happened = `${named} could not be written (${codeOf(cause) ?? "unknown"}).`;
  return new HarnessError("file_failed", happened, "Name a file in a directory that is there and has room.", { cause });
}

/** Of an error of the operating system; null of any other. */
function codeOf(error: unknown): string | null {
  return error instanceof Error && "syscall" in error && "code" in error && typeof error.code === "string"
    ? error.code
    : null;
}
