/**
 * Files below a root, reached without ever following a link: every directory is opened by name inside the one before
 * (`/proc/self/fd/<fd>/<name>` with O_NOFOLLOW), so that a directory swapped for a link at any instant leads nowhere.
 * Owns the walk; says nothing about policy. Throws the errors of the system: callers know what they mean.
 *
 * R1: no call resolves more than one name at a time, and no call but `readlink` looks at what a link names.
 * R2: what is opened is looked at through its descriptor before it is read: no pipe blocks, no device acts.
 *
 * Without /proc (not Linux) names are resolved as `<directory>/<name>` with O_NOFOLLOW on each: links that stand there are
 * refused all the same, but a swap in the instant between two names is not. `RootedDirectory.race_free` says which it is.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { type BytePath, bytesOf, nameOf, namesOf, parentOf, pathFromBytes } from "../byte-path.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
/** Linux: a descriptor that names an inode and opens nothing. Not among Node's constants. */
const O_PATH = 0o10000000;

const hasProc = fs.existsSync("/proc/self/fd");

/** An open directory. */
export interface Handle {
  readonly fd: number;
  /** Only used where there is no /proc. */
  readonly path: Buffer;
}

export interface FileContent {
  readonly content: Buffer;
  readonly stat: fs.Stats;
}

export class RootedDirectory {
  static readonly race_free: boolean = hasProc;
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Opens the directory at `path`, hands it to `use`, closes it. With `create`, missing directories are made. */
  within<T>(path: BytePath, use: (handle: Handle) => T, create?: { readonly create: boolean }): T {
    let handle = openRoot(this.root);
    try {
      for (const name of namesOf(path)) {
        const next = create?.create === true ? openOrMakeDirectory(handle, name) : openDirectory(handle, name);
        fs.closeSync(handle.fd);
        handle = next;
      }
      return use(handle);
    } finally {
      fs.closeSync(handle.fd);
    }
  }

  /** Null when there is nothing, or when something on the way is no directory. */
  lstat(path: BytePath): fs.Stats | null {
    return orNull(() => this.within(parentOf(path), (handle) => fs.lstatSync(at(handle, nameOf(path)))));
  }

  /** The bytes of a regular file. Null when there is none, or it is larger than `bytes_max`. */
  readFile(path: BytePath, bytes_max: number): FileContent | null {
    return orNull(() => this.within(parentOf(path), (handle) => readRegular(handle, nameOf(path), bytes_max)));
  }

  readLink(path: BytePath): Buffer | null {
    return orNull(() =>
      this.within(parentOf(path), (handle) => fs.readlinkSync(at(handle, nameOf(path)), { encoding: "buffer" })),
    );
  }

  list(path: BytePath): readonly BytePath[] {
    return this.within(path, (handle) => listNames(handle));
  }

  makeDirectory(path: BytePath): void {
    this.within(path, () => undefined, { create: true });
  }

  /** Atomic: a temporary file beside it, then a rename. `mode` is set exactly. Makes directories. */
  replaceFile(path: BytePath, content: Uint8Array, mode: number): void {
    this.within(
      parentOf(path),
      (handle) =>
        replacing(handle, nameOf(path), (temporary, owner) => {
          const fd = fs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
          try {
            fs.writeFileSync(fd, content);
            if (owner !== null) giveTo(owner, (uid, gid) => fs.fchownSync(fd, uid, gid));
            fs.fchmodSync(fd, mode);
          } finally {
            fs.closeSync(fd);
          }
        }),
      { create: true },
    );
  }

  replaceLink(path: BytePath, target: Uint8Array): void {
    this.within(
      parentOf(path),
      (handle) =>
        replacing(handle, nameOf(path), (temporary, owner) => {
          fs.symlinkSync(Buffer.from(target), temporary);
          if (owner !== null) giveTo(owner, (uid, gid) => fs.lchownSync(temporary, uid, gid));
        }),
      { create: true },
    );
  }

  /** Removes a file or a link; quiet when there is none. */
  removeFile(path: BytePath): void {
    orNull(() => this.within(parentOf(path), (handle) => fs.unlinkSync(at(handle, nameOf(path)))));
  }

  /** Removes a directory when it is empty. False when it is not, or is no directory. */
  removeEmptyDirectory(path: BytePath): boolean {
    try {
      this.within(parentOf(path), (handle) => fs.rmdirSync(at(handle, nameOf(path))));
      return true;
    } catch (error) {
      if (isSystemError(error, "ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR", "ELOOP", "EBUSY")) return false;
      throw error;
    }
  }

  /** Removes whatever is there, with everything below it. */
  removeAll(path: BytePath): void {
    orNull(() => this.within(parentOf(path), (handle) => removeTree(handle, nameOf(path))));
  }

  /** Sets permission bits of a file or directory, never of what a link names. Quiet when there is nothing. */
  changeMode(path: BytePath, mode: number): void {
    if (path === "") return fs.chmodSync(this.root, mode);
    orNull(() => this.within(parentOf(path), (handle) => chmodAt(handle, nameOf(path), mode)));
  }
}

export function openRoot(root: string): Handle {
  return { fd: fs.openSync(root, O_RDONLY | O_DIRECTORY), path: Buffer.from(root) };
}

/** The path that resolves one name inside an open directory. */
export function at(handle: Handle, name: BytePath): Buffer {
  const directory = hasProc
    ? Buffer.from(`/proc/self/fd/${handle.fd}/`)
    : Buffer.concat([handle.path, Buffer.from("/")]);
  return Buffer.concat([directory, bytesOf(name)]);
}

export function openDirectory(handle: Handle, name: BytePath): Handle {
  const path = at(handle, name);
  const fd = fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  return { fd, path: hasProc ? handle.path : path };
}

export function openOrMakeDirectory(handle: Handle, name: BytePath): Handle {
  try {
    return openDirectory(handle, name);
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
  }
  try {
    fs.mkdirSync(at(handle, name));
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
    return openDirectory(handle, name); // somebody else made it in between: that is what we wanted
  }
  const made = openDirectory(handle, name);
  const owner = ownerFor(null, handle);
  if (owner !== null) giveTo(owner, (uid, gid) => fs.fchownSync(made.fd, uid, gid));
  return made;
}

export function listNames(handle: Handle): readonly BytePath[] {
  const path = hasProc ? Buffer.from(`/proc/self/fd/${handle.fd}`) : handle.path;
  return fs.readdirSync(path, { encoding: "buffer" }).map(pathFromBytes).sort();
}

/** R2. Opens what `name` is without opening it, looks, and only then opens a regular file for reading. */
export function openRegular(handle: Handle, name: BytePath): { readonly fd: number; readonly stat: fs.Stats } {
  const path = at(handle, name);
  if (!hasProc) {
    const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    return regularOrClose(fd);
  }
  const inode = fs.openSync(path, O_PATH | O_NOFOLLOW);
  try {
    const stat = fs.fstatSync(inode);
    if (!stat.isFile()) throw new NotRegular("not a regular file");
    return regularOrClose(fs.openSync(`/proc/self/fd/${inode}`, O_RDONLY | O_NONBLOCK));
  } finally {
    fs.closeSync(inode);
  }
}

function regularOrClose(fd: number): { readonly fd: number; readonly stat: fs.Stats } {
  const stat = fs.fstatSync(fd);
  if (stat.isFile()) return { fd, stat };
  fs.closeSync(fd);
  throw new NotRegular("not a regular file");
}

/** Shaped like an error of the system, so that callers need to know only one shape. */
export class NotRegular extends Error {
  override readonly name = "NotRegular";
  readonly code = "EINVAL";
}

function readRegular(handle: Handle, name: BytePath, bytes_max: number): FileContent | null {
  const { fd, stat } = openRegular(handle, name);
  try {
    if (stat.size > bytes_max) return null;
    return { content: fs.readFileSync(fd), stat };
  } finally {
    fs.closeSync(fd);
  }
}

/** Makes something under a random name and renames it to `name`; leaves nothing behind when that fails. */
export function replacing(
  handle: Handle,
  name: BytePath,
  make: (temporary: Buffer, owner: Owner | null) => void,
): void {
  const temporary = at(handle, temporaryName());
  const owner = ownerFor(name, handle);
  try {
    make(temporary, owner);
    fs.renameSync(temporary, at(handle, name));
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Root works in a tree of somebody else's (a step of a container): what it replaces stays whose it was, what it makes is
 * whose directory it is in. Null when there is nobody to give it to. @param name null: something new
 */
function ownerFor(name: BytePath | null, handle: Handle): Owner | null {
  if (process.geteuid?.() !== 0) return null;
  const { uid, gid } = (name === null ? null : lstatIfThere(at(handle, name))) ?? fs.fstatSync(handle.fd);
  return uid === 0 && gid === 0 ? null : { uid, gid };
}

/** A root that may not (a container without CAP_CHOWN, an id that is not mapped) keeps what it made. */
export function giveTo({ uid, gid }: Owner, give: (uid: number, gid: number) => void): void {
  try {
    give(uid, gid);
  } catch (error) {
    if (!isSystemError(error, "EPERM", "EINVAL", "ENOSYS", "EROFS")) throw error;
  }
}

export function temporaryName(): BytePath {
  return pathFromBytes(Buffer.from(`.belay-${randomBytes(8).toString("hex")}.tmp`));
}

function chmodAt(handle: Handle, name: BytePath, mode: number): void {
  const path = at(handle, name);
  if (!hasProc) {
    if (!fs.lstatSync(path).isSymbolicLink()) fs.chmodSync(path, mode);
    return;
  }
  const inode = fs.openSync(path, O_PATH | O_NOFOLLOW);
  try {
    // A link has no permissions of its own, and its descriptor would be followed.
    if (!fs.fstatSync(inode).isSymbolicLink()) fs.chmodSync(`/proc/self/fd/${inode}`, mode);
  } finally {
    fs.closeSync(inode);
  }
}

function removeTree(handle: Handle, name: BytePath): void {
  const path = at(handle, name);
  if (!fs.lstatSync(path).isDirectory()) return fs.unlinkSync(path);
  chmodAt(handle, name, 0o700); // a directory that may not be read or written cannot be emptied
  const inner = openDirectory(handle, name);
  try {
    for (const child of listNames(inner)) removeTree(inner, child);
  } finally {
    fs.closeSync(inner.fd);
  }
  fs.rmdirSync(path);
}

/** What is at an absolute path, links not followed; null when there is nothing to see. For looking only, never for trust. */
export function lstatIfThere(path: Buffer | string): fs.Stats | null {
  try {
    return fs.lstatSync(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES", "EPERM")) return null;
    throw error;
  }
}

export function isSystemError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);
}

/** Nothing there, something on the way that is no directory, a link, or no regular file: all mean "not this". */
function orNull<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP", "EINVAL")) return null;
    throw error;
  }
}
