/**
 * The tracked scope: which files of a working tree a snapshot covers, and what it leaves out. Only looks (names, kinds,
 * sizes, modes); reading content is another matter. Ignore rules are git's own, from the frozen file.
 */
import * as fs from "node:fs";
import { LEFT_OUT_PATHS_MAX, type LeftOut } from "./left-out.ts";
import { absoluteBytes, type BytePath, joinPath, splitNul, textOf, TOP } from "../byte-path.ts";
import type { Git, GitRepository } from "../git/git.ts";
import { type FileMark, markOf } from "./file-mark.ts";
import { DIRECTORY_BITS, FILE_BITS, MANIFEST_NAME, ordinaryFor, type OrdinaryModes } from "./manifest.ts";
import { isSystemError, lstatIfThere } from "../files/rooted.ts";
import { isPlaceOfCover } from "../sandbox/placeholders.ts";
import { isOwnNote, NOTE_DIRECTORY } from "../own-note.ts";
import { nextTurn } from "../turns.ts";

/** Directory entries looked at before other work of the process gets its turn. */
const ENTRIES_PER_TURN = 2_048;

export interface GitListing {
  /** Paths that differ from the index, are not in it, or are gone. */
  readonly candidates: readonly BytePath[];
  /** Ignored files and directories (the latter without what is in them). */
  readonly ignored: ReadonlySet<BytePath>;
  /** Of the ignored ones, those that are directories. */
  readonly ignored_directories: ReadonlySet<BytePath>;
  readonly nested: ReadonlySet<BytePath>;
}

export interface ScopeWalk {
  /** Regular files and links. */
  readonly files: number;
  readonly modes: Map<BytePath, number>;
  readonly directories: Map<BytePath, number | null>;
  readonly too_large: Set<BytePath>;
  readonly special: Set<BytePath>;
  readonly unreadable: Set<BytePath>;
  /** Of every file and link. */
  readonly marks: Map<BytePath, FileMark>;
  /** Directories that were looked into, but the top. */
  readonly walked: Set<BytePath>;
  /** How many of the ignored names were met. */
  readonly ignored_met: number;
  /** Something was met that may change what is ignored or nested: another kind under an ignored name, a `.git` inside. */
  readonly odd: boolean;
}

export interface ScopeRules {
  /** The frozen ignore rules. */
  readonly rules: string;
  readonly file_bytes: number;
  readonly ordinary: OrdinaryModes;
  /** Directories of submodules: their content is not ours. */
  readonly submodules: ReadonlySet<BytePath>;
}

/** Two walks by git, at the same time: what changed, and what is ignored. */
export async function listWithGit(git: Git, repository: GitRepository, rules: string): Promise<GitListing> {
  const exclude = `--exclude-from=${rules}`;
  const [changed, ignored] = await Promise.all([
    git({ repository, args: ["ls-files", "-z", "-o", "-m", "-d", exclude] }),
    git({ repository, args: ["ls-files", "-z", "-o", "-i", "--directory", exclude] }),
  ]);
  const paths = [...new Set(splitNul(changed.output))];
  const outside = splitNul(ignored.output);
  return {
    candidates: paths.filter((path) => !path.endsWith("/")),
    // A directory's name ends in a slash: only nested repositories are listed as directories.
    nested: new Set(paths.filter((path) => path.endsWith("/")).map(withoutSlash)),
    ignored: new Set(outside.map(withoutSlash)),
    ignored_directories: new Set(outside.filter((path) => path.endsWith("/")).map(withoutSlash)),
  };
}

const withoutSlash = (path: BytePath): BytePath => path.replace(/\/$/, "") as BytePath; // a part of a byte path is one

/** Walks what is not ignored. Throws nothing for what it may not look into: that is `unreadable`. */
export async function walkScope(root: string, listing: GitListing, rules: ScopeRules): Promise<ScopeWalk> {
  const walk: Walking = {
    files: 0,
    ignored_met: 0,
    odd: false,
    marks: new Map(),
    walked: new Set(),
    modes: new Map(),
    directories: new Map(),
    too_large: new Set(),
    special: new Set(),
    unreadable: new Set(),
  };
  const pending: BytePath[] = [TOP];
  let looked = 0;
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    if (directory !== "") walk.walked.add(directory);
    const names = readDirectory(root, directory);
    if (names === null) {
      walk.unreadable.add(directory);
      if (directory !== "") noteDirectory(walk, root, directory, false, rules.ordinary);
      continue;
    }
    let covered = 0;
    for (const entry of names) {
      const path = joinPath(directory, entry.name);
      if (isOutside(walk, listing, path, entry)) continue;
      if (isPlaceOfCover(root, path) || isOwnNote(root, path)) continue;
      covered++;
      if (entry.isDirectory()) {
        if (!listing.nested.has(path) && !rules.submodules.has(path)) pending.push(path);
      } else if (entry.isFile()) noteFile(walk, root, path, rules);
      else if (entry.isSymbolicLink()) noteLink(walk, root, path);
      else walk.special.add(path);
      if (++looked % ENTRIES_PER_TURN === 0) await nextTurn();
    }
    // A directory that holds belay's own note alone, or nothing, is as if it were not there: the note comes and goes.
    if (directory === NOTE_DIRECTORY && covered === 0) walk.walked.delete(directory);
    else if (directory !== "") noteDirectory(walk, root, directory, covered === 0, rules.ordinary);
  }
  return walk;
}

type Walking = { -readonly [Key in keyof ScopeWalk]: ScopeWalk[Key] };

function isOutside(walk: Walking, listing: GitListing, path: BytePath, entry: fs.Dirent): boolean {
  if (entry.name === ".git") {
    if (path !== ".git") walk.odd = true;
    return true;
  }
  if (!listing.ignored.has(path)) return false;
  walk.ignored_met++;
  if (entry.isDirectory() !== listing.ignored_directories.has(path)) walk.odd = true;
  return true;
}

/** Null when it may not be read; nothing when it is gone since its parent was read. */
function readDirectory(root: string, directory: BytePath): readonly fs.Dirent[] | null {
  try {
    return fs.readdirSync(absoluteBytes(root, directory), { withFileTypes: true, encoding: "latin1" });
  } catch (error) {
    if (isSystemError(error, "EACCES", "EPERM")) return null;
    if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP")) return [];
    throw error;
  }
}

function noteLink(walk: Walking, root: string, path: BytePath): void {
  walk.files++;
  const stat = lstatIfThere(absoluteBytes(root, path));
  if (stat !== null) walk.marks.set(path, markOf(stat));
}

function noteFile(walk: Walking, root: string, path: BytePath, rules: ScopeRules): void {
  const stat = lstatIfThere(absoluteBytes(root, path));
  if (stat === null) return; // gone since the directory was read
  if (path === MANIFEST_NAME) {
    walk.special.add(path);
    return;
  }
  walk.marks.set(path, markOf(stat));
  if (stat.size > rules.file_bytes) walk.too_large.add(path);
  walk.files++;
  const bits = stat.mode & FILE_BITS;
  if (bits !== ordinaryFor(bits, rules.ordinary)) walk.modes.set(path, bits);
}

function noteDirectory(walk: ScopeWalk, root: string, path: BytePath, empty: boolean, ordinary: OrdinaryModes): void {
  const stat = lstatIfThere(absoluteBytes(root, path));
  if (stat === null) return;
  const bits = stat.mode & DIRECTORY_BITS;
  const isOrdinary = bits === (ordinary.directory & DIRECTORY_BITS);
  if (empty || !isOrdinary) walk.directories.set(path, isOrdinary ? null : bits);
}

export function leftOut(why: LeftOut["why"], paths: Iterable<BytePath>): LeftOut | null {
  const sorted = [...paths].sort();
  if (sorted.length === 0) return null;
  return { why, count: sorted.length, paths: sorted.slice(0, LEFT_OUT_PATHS_MAX).map(textOf) };
}
