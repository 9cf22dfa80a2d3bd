/**
 * The files of a workspace, for tools: paths that a model wrote, resolved name by name from the root's own descriptor. A
 * link is read and its target walked the same way, so it leads nowhere that its target, spelled out, would not.
 *
 * F1: nothing outside the root is opened, whatever is renamed, linked or swapped at whatever instant (Linux; see `rooted`).
 * F2: a write replaces the name and never the inode: another hard link keeps its bytes, and readers see old or new.
 * F3: `.git` of the workspace is never written.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import { type BytePath, pathFromBytes, pathFromText, textOf } from "../byte-path.ts";
import { isPlaceOfCover } from "../sandbox/placeholders.ts";
import * as rooted from "./rooted.ts";
import type { DirectoryEntry, FileStat, WorkspaceFiles } from "../workspace.ts";

/** Links followed for one path. */
export const LINKS_MAX = 8;
/** Names walked for one path, those of followed links included. */
export const NAMES_MAX = 4_096;

export interface FilesOptions {
  /** Refuse to write into any `.git`, not only into the root's own. */
  readonly nested_git?: "writable" | "protected";
}

export function openWorkspaceFiles(root: string, options: FilesOptions = {}): WorkspaceFiles {
  const resolved = fs.realpathSync(root);
  const guard: Guard = (path, names) => requireOutsideGit(path, names, options.nested_git ?? "writable");
  const walk = <T>(path: string, make: Guard | null, use: (place: Place) => T): T => {
    const names = namesBelow([root, resolved], path);
    const walker = new Walker(resolved, path, make);
    try {
      return use(walker.reach(names));
    } catch (error) {
      throw explain(path, error);
    } finally {
      walker.close();
    }
  };
  return {
    read: async (path, bytes_max) => walk(path, null, (place) => readPlace(path, place, bytes_max)),
    stat: async (path) => {
      try {
        return walk(path, null, statPlace);
      } catch (error) {
        if (error instanceof HarnessError && rooted.isSystemError(error.cause, "ENOENT", "ENOTDIR")) return null;
        throw error;
      }
    },
    list: async (path) => walk(path, null, (place) => listPlace(place)),
    write: async (path, content) => {
      makeRoom(resolved, namesBelow([root, resolved], path));
      walk(path, guard, (place) => writePlace(place, content));
    },
  };
}

/** Where the sandbox covers what is missing stands an empty directory: who may write there (a person was asked) finds nothing. */
function makeRoom(root: string, [first]: readonly BytePath[]): void {
  const name = first === undefined ? "" : textOf(first);
  if (isPlaceOfCover(root, name)) fs.rmdirSync(join(root, name));
}

/** Throws when nothing may be made or written there. */
type Guard = (path: string, names: readonly BytePath[]) => void;

/** Where a path ended: an open directory and a name in it, or (for the root itself) no name. */
interface Place {
  readonly directory: rooted.Handle;
  readonly name: BytePath | null;
}

/** The names of a path relative to the root. Throws `path_outside` for an absolute one elsewhere. */
function namesBelow(roots: readonly string[], path: string): readonly BytePath[] {
  if (path.includes("\0")) throw outside(path, null);
  if (!path.startsWith("/")) return split(path);
  const root = roots.find((candidate) => path === candidate || path.startsWith(`${candidate}/`));
  if (root === undefined) throw outside(path, null);
  return split(path.slice(root.length));
}

function split(path: string): readonly BytePath[] {
  return path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .map(pathFromText);
}

/** One walk: a stack of open directories, so that `..` goes back to where the walk came from and nowhere else. */
class Walker {
  readonly #root: string;
  readonly #path: string;
  /** Present when missing directories are to be made. */
  readonly #make: Guard | null;
  readonly #stack: rooted.Handle[];
  #names: BytePath[] = [];

  constructor(root: string, path: string, make: Guard | null) {
    this.#root = root;
    this.#path = path;
    this.#make = make;
    this.#stack = [rooted.openRoot(root)];
  }

  reach(names: readonly BytePath[]): Place {
    const rest = [...names];
    let links = 0;
    let walked = 0;
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (++walked > NAMES_MAX) throw failure(this.#path, "is too long", null);
      if (name === "..") {
        this.#leave();
        continue;
      }
      const target = this.#linkTarget(name);
      if (target !== null) {
        if (++links > LINKS_MAX) throw failure(this.#path, `leads through more than ${LINKS_MAX} links`, null);
        rest.unshift(...this.#follow(target));
        continue;
      }
      this.#make?.(this.#path, [...this.#names, name]);
      if (rest.length === 0) return { directory: this.#current(), name };
      this.#enter(name);
    }
    return { directory: this.#current(), name: null };
  }

  close(): void {
    for (const handle of this.#stack.splice(0)) fs.closeSync(handle.fd);
  }

  #current(): rooted.Handle {
    const handle = this.#stack.at(-1);
    if (handle === undefined) throw outside(this.#path, null); // `..` never takes the root itself off the stack
    return handle;
  }

  #enter(name: BytePath): void {
    const open = this.#make === null ? rooted.openDirectory : rooted.openOrMakeDirectory;
    this.#stack.push(open(this.#current(), name));
    this.#names.push(name);
  }

  #leave(): void {
    if (this.#stack.length === 1) throw outside(this.#path, null);
    const left = this.#stack.pop();
    if (left !== undefined) fs.closeSync(left.fd);
    this.#names.pop();
  }

  /** Null when the name is no link. What it names is not looked at. */
  #linkTarget(name: BytePath): Buffer | null {
    try {
      return fs.readlinkSync(rooted.at(this.#current(), name), { encoding: "buffer" });
    } catch (error) {
      if (rooted.isSystemError(error, "EINVAL", "ENOENT")) return null;
      throw error;
    }
  }

  /** The names that stand for a link: from the root again when it is absolute, and then only below the root. */
  #follow(target: Buffer): readonly BytePath[] {
    const text = pathFromBytes(target);
    const names = (path: string): readonly BytePath[] =>
      path.split("/").filter((name) => name !== "" && name !== ".") as BytePath[]; // parts of a byte path are byte paths
    if (!text.startsWith("/")) return names(text);
    const root = pathFromText(this.#root);
    if (text !== root && !text.startsWith(`${root}/`)) throw outside(this.#path, null);
    while (this.#stack.length > 1) this.#leave();
    return names(text.slice(root.length));
  }
}

function readPlace(path: string, place: Place, bytes_max: number): Uint8Array {
  if (place.name === null) throw failure(path, "is a directory", null);
  const { fd, stat } = rooted.openRegular(place.directory, place.name);
  try {
    if (stat.size > bytes_max) {
      throw failure(path, `has ${stat.size} bytes, more than the ${bytes_max} that may be read at once`, null);
    }
    return readAtMost(path, fd, bytes_max);
  } finally {
    fs.closeSync(fd);
  }
}

/** Bounded also when the file grows while it is read. */
function readAtMost(path: string, fd: number, bytes_max: number): Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.min(bytes_max + 1 - size, 1024 * 1024));
    const count = fs.readSync(fd, chunk, 0, chunk.byteLength, null);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
    size += count;
    if (size > bytes_max) throw failure(path, `has more than the ${bytes_max} bytes that may be read at once`, null);
  }
}

function statPlace(place: Place): FileStat {
  const { directory, name } = place;
  const stat = name === null ? fs.fstatSync(directory.fd) : fs.lstatSync(rooted.at(directory, name));
  const type = stat.isFile() ? "file" : stat.isDirectory() ? "directory" : "other";
  return { type, size: stat.size, mtime_ms: stat.mtimeMs, mode: stat.mode & 0o7777 };
}

function listPlace(place: Place): readonly DirectoryEntry[] {
  const { directory, name } = place;
  const handle = name === null ? directory : rooted.openDirectory(directory, name);
  try {
    return rooted.listNames(handle).flatMap((entry) => {
      const stat = rooted.lstatIfThere(rooted.at(handle, entry));
      return stat === null ? [] : [{ name: textOf(entry), type: entryType(stat) }];
    });
  } finally {
    if (handle !== directory) fs.closeSync(handle.fd);
  }
}

function entryType(stat: fs.Stats): DirectoryEntry["type"] {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  return stat.isSymbolicLink() ? "link" : "other";
}

/** F3. Judged by the names that were really walked, before anything is made there. */
function requireOutsideGit(path: string, names: readonly BytePath[], nested: "writable" | "protected"): void {
  const guarded = nested === "protected" ? names : names.slice(0, 1);
  if (!guarded.some((name) => name.toLowerCase() === ".git")) return;
  const happened = `"${shown(path)}" is inside the repository's own ".git".`;
  throw new HarnessError("path_outside", happened, "Use git commands to change what git keeps.");
}

/** F2. */
function writePlace(place: Place, content: Uint8Array): void {
  const { directory, name } = place;
  if (name === null) throw new IsDirectory("is a directory");
  const before = rooted.lstatIfThere(rooted.at(directory, name));
  if (before?.isDirectory() === true) throw new IsDirectory("is a directory");
  if (before !== null && !before.isFile()) throw new rooted.NotRegular("not a regular file");
  rooted.replacing(directory, name, (temporary, owner) => {
    const flags = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW;
    const fd = fs.openSync(temporary, flags, 0o666);
    try {
      fs.writeFileSync(fd, content);
      if (owner !== null) rooted.giveTo(owner, (uid, gid) => fs.fchownSync(fd, uid, gid));
      if (before !== null) fs.fchmodSync(fd, before.mode & 0o7777);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  });
  fs.fsyncSync(directory.fd);
}

/** Shaped like an error of the system, so that callers need to know only one shape. */
class IsDirectory extends Error {
  override readonly name = "IsDirectory";
  readonly code = "EISDIR";
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "is not a directory, or leads through something that is none",
  EISDIR: "is a directory",
  EACCES: "may not be opened: permission denied",
  EPERM: "may not be opened: permission denied",
  EINVAL: "is no regular file",
  ELOOP: "is a link that changed while it was followed",
  ENAMETOOLONG: "has a name that is too long",
  ENOSPC: "could not be written: the disk is full",
  EROFS: "could not be written: the file system is read-only",
  EDQUOT: "could not be written: the quota is used up",
};

/** System errors as `file_failed`; what is one of ours passes. */
function explain(path: string, error: unknown): unknown {
  if (error instanceof HarnessError || !(error instanceof Error) || !("code" in error)) return error;
  const code = String(error.code);
  return failure(path, REASONS[code] ?? `failed with ${code}`, error);
}

function failure(path: string, why: string, cause: unknown): HarnessError {
  const todo =
    why === "does not exist" ? "Look at the directory's list of names." : "Choose another path, or another way.";
  return new HarnessError("file_failed", `"${shown(path)}" ${why}.`, todo, { cause });
}

function outside(path: string, cause: unknown): HarnessError {
  if (path.includes("\0"))
    return new HarnessError("path_outside", "The path holds a null byte, and no path can.", "Correct the path.", {
      cause,
    });
  const happened = `"${shown(path)}" leads out of the workspace.`;
  return new HarnessError("path_outside", happened, "Use paths inside the workspace.", { cause });
}

/** Characters of a path that a message repeats. */
const SHOWN_CHARS_MAX = 300;
const shown = (path: string): string => path.slice(0, SHOWN_CHARS_MAX);
