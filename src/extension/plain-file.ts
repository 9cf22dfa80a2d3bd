/**
 * Reading one file that others may have put there: bounded, whole, and never anything but a plain file.
 *
 * P1: what is opened is looked at through its descriptor before it is read: no pipe blocks, no device acts.
 * P2: below a root every name is resolved inside the directory opened before it, and a link is walked the same way: nothing
 *     outside the root is opened, whatever is swapped meanwhile (Linux; without /proc a swap between two names is not seen).
 * P3: the text and its hash are of the same bytes.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { isAbsolute, join } from "node:path";

/** Links followed for one path. */
const LINKS_MAX = 8;
/** Names walked for one path, those of links included. */
const NAMES_MAX = 256;

const { O_DIRECTORY, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;
/** Linux: a descriptor that names something and opens nothing. Not among Node's constants. */
const O_PATH = 0o10000000;
const hasProc = process.platform === "linux" && fs.existsSync("/proc/self/fd");

export interface PlainText {
  readonly found: "text";
  /** Without a byte order mark. */
  readonly text: string;
  /** sha256 of the bytes, hexadecimal. */
  readonly hash: string;
  /** Where links led, relative to the root; the path itself where there is no root. */
  readonly at: string;
}

/** Refused: it is there, and what it says is not known. `why` begins with `it`. */
export type PlainFile = PlainText | { readonly found: "nothing" } | { readonly found: "refused"; readonly why: string };

/** A file of the user's own choice: links lead wherever they put them. */
export function readPlainFile(path: string, bytes_max: number): PlainFile {
  return attempted(() => {
    const fd = fs.openSync(path, hasProc ? O_PATH : O_RDONLY | O_NONBLOCK | O_NOCTTY);
    return textOf(fd, path, bytes_max);
  });
}

/** A file of somebody's directory: a link that leads out of it is refused. @param path relative, of names alone */
export function readFileBelow(root: string, path: string, bytes_max: number): PlainFile {
  const walk = new Walk(root);
  return attempted(() => {
    try {
      const name = walk.reach(path.split("/"));
      if (name === null) throw new Refused("it is a directory");
      const flags = O_NOFOLLOW | (hasProc ? O_PATH : O_RDONLY | O_NONBLOCK | O_NOCTTY);
      return textOf(fs.openSync(walk.path(name), flags), [...walk.names, name].join("/"), bytes_max);
    } finally {
      walk.close();
    }
  });
}

class Refused extends Error {
  override readonly name = "Refused";
}

/** A stack of open directories: `..` goes back to where the walk came from and nowhere else. P2. */
class Walk {
  readonly names: string[] = [];
  readonly #root: string;
  readonly #stack: { readonly fd: number; readonly path: string }[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  /** The last name, in the directory that is open then; null when the path ends at a directory. */
  reach(names: readonly string[]): string | null {
    this.#enter(this.#root, false);
    const rest = names.filter(isName);
    let links = 0;
    let walked = 0;
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (++walked > NAMES_MAX) throw new Refused("its path is too long");
      if (name === "..") {
        this.#leave();
        continue;
      }
      const target = linkTarget(this.path(name));
      if (target !== null) {
        if (++links > LINKS_MAX) throw new Refused(`it leads through more than ${LINKS_MAX} links`);
        rest.unshift(...this.#follow(target));
      } else if (rest.length === 0) return name;
      else {
        this.#enter(this.path(name), true);
        this.names.push(name);
      }
    }
    return null;
  }

  path(name: string): string {
    const last = this.#stack.at(-1);
    if (last === undefined) throw new Refused("it leads out of the directory");
    return hasProc ? `/proc/self/fd/${last.fd}/${name}` : join(last.path, name);
  }

  close(): void {
    for (const { fd } of this.#stack.splice(0)) fs.closeSync(fd);
  }

  #enter(path: string, nofollow: boolean): void {
    const flags = O_DIRECTORY | (hasProc ? O_PATH : O_RDONLY) | (nofollow ? O_NOFOLLOW : 0);
    this.#stack.push({ fd: fs.openSync(path, flags), path });
  }

  #leave(): void {
    if (this.#stack.length === 1) throw new Refused("it leads out of the directory");
    const left = this.#stack.pop();
    if (left !== undefined) fs.closeSync(left.fd);
    this.names.pop();
  }

  #follow(target: string): readonly string[] {
    if (!isAbsolute(target)) return target.split("/").filter(isName);
    if (!target.startsWith(`${this.#root}/`)) throw new Refused("it leads out of the directory");
    while (this.#stack.length > 1) this.#leave();
    return target.slice(this.#root.length).split("/").filter(isName);
  }
}

function isName(name: string): boolean {
  return name !== "" && name !== ".";
}

/** Null when it is no link. */
function linkTarget(path: string): string | null {
  try {
    return fs.readlinkSync(path);
  } catch (error) {
    if (codeOf(error) === "EINVAL") return null;
    throw error;
  }
}

/** Closes `fd`. P1, P3. */
function textOf(fd: number, at: string, bytes_max: number): PlainFile {
  try {
    if (!fs.fstatSync(fd).isFile()) throw new Refused("it is no file");
    if (!hasProc) return decoded(bytesOf(fd, bytes_max), at);
    const opened = fs.openSync(`/proc/self/fd/${fd}`, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    try {
      return decoded(bytesOf(opened, bytes_max), at);
    } finally {
      fs.closeSync(opened);
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** Bounded also when it grows while it is read, and where its size says nothing (/proc). */
function bytesOf(fd: number, bytes_max: number): Buffer {
  const bytes = Buffer.alloc(Math.min(bytes_max, fs.fstatSync(fd).size) + 1);
  const parts: Buffer[] = [];
  for (let size = 0; ;) {
    const count = fs.readSync(fd, bytes, 0, bytes.byteLength, null);
    if (count === 0) return Buffer.concat(parts);
    size += count;
    if (size > bytes_max) throw new Refused(`it has more than ${bytes_max} bytes`);
    parts.push(Buffer.from(bytes.subarray(0, count)));
  }
}

function decoded(bytes: Buffer, at: string): PlainFile {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { found: "text", text, hash: createHash("sha256").update(bytes).digest("hex"), at };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Refused("it is no UTF-8 text");
  }
}

function attempted(read: () => PlainFile): PlainFile {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refused) return { found: "refused", why: error.message };
    const code = codeOf(error);
    if (code === null) throw error;
    if (code === "ENOENT" || code === "ENOTDIR") return { found: "nothing" };
    return { found: "refused", why: `it cannot be read (${code})` };
  }
}

/** Of an error of the operating system; null of any other. */
function codeOf(error: unknown): string | null {
  return error instanceof Error && "syscall" in error && "code" in error ? String(error.code) : null;
}
