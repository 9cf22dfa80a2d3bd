/**
 * Copies an object store by hard links: no byte is read, nothing of the original changes but its link counts. Objects are
 * never written again once they exist, so a shared inode is as good as a copy, and it stays when the original is packed.
 * Only files with the names of objects and packs are taken: no hook, no configuration, nothing else that lies there.
 */
import * as fs from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import { isSystemError } from "../files/rooted.ts";
import { nextTurn } from "../turns.ts";

/** How often a store is walked again because it was packed meanwhile. */
const ATTEMPTS_MAX = 5;
/** How deep a store may name others that name others. Git's own limit. */
const ALTERNATES_DEPTH_MAX = 5;
/** Files linked before other work of the process gets its turn. */
const FILES_PER_TURN = 512;

const LOOSE_DIRECTORY = /^[0-9a-f]{2}$/;
const LOOSE_FILE = /^[0-9a-f]{38}$/;
const PACK_FILE = /^pack-[0-9a-f]{40}\.(pack|idx|rev)$/;

/** Links everything that `from` and its alternates hold into `to`. */
export async function linkObjects(from: string, to: string, signal: AbortSignal): Promise<void> {
  for (const store of storesOf(from)) await linkStore(store, to, signal);
}

/** A store and, below it, all that it borrows from. */
export function storesOf(objects: string, depth: number = 0): readonly string[] {
  if (depth > ALTERNATES_DEPTH_MAX) return [];
  const lines = readIfThere(join(objects, "info/alternates"))?.toString("utf8").split("\n") ?? [];
  const borrowed = lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => (isAbsolute(line) ? line : resolve(objects, line)));
  return [objects, ...borrowed.flatMap((store) => storesOf(store, depth + 1))];
}

/** Whether packs of a store were fetched with a promise to bring the rest later. */
export function hasPromisedPacks(objects: string): boolean {
  return storesOf(objects).some((store) => namesIn(join(store, "pack")).some((name) => name.endsWith(".promisor")));
}

async function linkStore(from: string, to: string, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const vanished = await linkOnce(from, to, signal);
    if (vanished === null) return;
    if (attempt === ATTEMPTS_MAX) {
      const happened = `The objects of ${from} kept changing while they were linked (${vanished} vanished).`;
      throw new HarnessError("git_failed", happened, "Wait until git has finished packing it, then try again.");
    }
  }
}

/** Null when all went well, or the pack that vanished. Loose objects first: what vanishes there is in a pack by then. */
async function linkOnce(from: string, to: string, signal: AbortSignal): Promise<string | null> {
  let linked = 0;
  const pause = async (): Promise<void> => {
    if (++linked % FILES_PER_TURN !== 0) return;
    await nextTurn();
    if (signal.aborted) throw new HarnessError("git_failed", `Linking ${from} was stopped.`, "Run the command again.");
  };
  for (const directory of namesIn(from).filter((name) => LOOSE_DIRECTORY.test(name))) {
    const files = namesIn(join(from, directory)).filter((name) => LOOSE_FILE.test(name));
    if (files.length > 0) fs.mkdirSync(join(to, directory), { recursive: true, mode: 0o700 });
    for (const file of files) {
      linkFile(join(from, directory, file), join(to, directory, file));
      await pause();
    }
  }
  // An index without its pack is an error to git, a pack without its index is not seen: so the packs come first.
  const packs = namesIn(join(from, "pack")).filter((name) => PACK_FILE.test(name));
  for (const file of [...packs.filter(isPack), ...packs.filter((name) => !isPack(name))]) {
    if (!linkFile(join(from, "pack", file), join(to, "pack", file))) return file;
    await pause();
  }
  return null;
}

const isPack = (name: string): boolean => name.endsWith(".pack");

/** False when it vanished. Across devices, or where links are not allowed, a copy. */
export function linkFile(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (isSystemError(error, "EEXIST")) return true;
    if (isSystemError(error, "ENOENT")) return false;
    if (!isSystemError(error, "EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "EACCES")) throw error;
  }
  const temporary = `${to}.tmp`;
  try {
    fs.copyFileSync(from, temporary, fs.constants.COPYFILE_FICLONE);
    fs.renameSync(temporary, to);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return [];
    throw error;
  }
}

/** The bytes of a small file, or null when there is none. */
export function readIfThere(path: string): Buffer | null {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EISDIR")) return null;
    throw error;
  }
}
