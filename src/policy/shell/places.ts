/**
 * Where a command may run. `cd` moves what follows it, and may fail: each command has the directories in which it may find
 * itself, so that a relative path is judged in all of them. Without a directory to start from, a move is a problem instead.
 */
import { posix } from "node:path";
import { NotRead } from "./not-read.ts";
import type { ShellWord } from "./reading.ts";

/** Directories that one command may be in. */
const PLACES_MAX = 8;

/** Stands for the directory that the reader was not told; no command line can name it. */
export const UNTOLD = "/\0";

export type Places = readonly string[];

/** Where what comes after a statement runs: if it succeeded, and if it failed. */
export interface Ends {
  readonly ok: Places;
  readonly failed: Places;
}

export function staying(places: Places): Ends {
  return { ok: places, failed: places };
}

export function either(...all: readonly Places[]): Places {
  const joined = [...new Set(all.flat())];
  if (joined.length > PLACES_MAX) throw new NotRead(`A command may run in more than ${PLACES_MAX} directories.`);
  return joined;
}

export function after(ends: Ends): Places {
  return either(ends.ok, ends.failed);
}

export function same(a: Places, b: Places): boolean {
  return a.length === b.length && a.every((place) => b.includes(place));
}

/** `cd` with its words. Bash follows the names, not the links, so `..` is taken off the text. */
export function changeDirectory(words: readonly ShellWord[], places: Places): Ends {
  const [target, ...more] = words.slice(words[1]?.text === "--" ? 2 : 1);
  if (target === undefined || more.length > 0 || !target.plain || target.text === "" || target.text.startsWith("-"))
    throw new NotRead("`cd` goes to a place that is not known.");
  return { ok: either(places.map((place) => posix.resolve(place, target.text))), failed: places };
}
