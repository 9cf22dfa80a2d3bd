/**
 * A git tree in memory, so that a snapshot after a small change writes the few objects that changed and starts no git. Holds
 * names and object names, never content.
 *
 * FT1: `write` gives the name that git gives to the same entries: names sorted as bytes, a directory's as if it ended in `/`,
 *      no empty directory but the top.
 */
import { type BytePath, joinPath, nameOf, parentOf, TOP } from "../byte-path.ts";
import { MODE_DIRECTORY, type ObjectName, type TreeEntry, writeObject } from "../git/objects.ts";

interface Entry {
  readonly mode: string;
  readonly object: ObjectName;
}

type Directory = Map<BytePath, Entry>;

export class FileTree {
  readonly #directories = new Map<BytePath, Directory>([[TOP, new Map()]]);
  /** Directories below the top whose object is not known any more; with each also those above it. */
  readonly #stale = new Set<BytePath>();

  /** @param entries every entry below the top, with those of directories (`ls-tree -r -t`) */
  constructor(entries: readonly TreeEntry[]) {
    for (const { mode, object, path } of entries) {
      if (mode === MODE_DIRECTORY) this.#directories.set(path, new Map());
      this.#directory(parentOf(path)).set(nameOf(path), { mode, object });
    }
  }

  /** Of a file or a link, in a directory that is there or is made. */
  set(path: BytePath, mode: string, object: ObjectName): void {
    this.#directory(parentOf(path)).set(nameOf(path), { mode, object });
    this.#touch(parentOf(path));
  }

  /** Writes what is new into the store. */
  write(objects: string): ObjectName {
    const deepestFirst = [...this.#stale].sort((a, b) => depth(b) - depth(a));
    for (const path of deepestFirst) {
      const object = writeObject(objects, "tree", encode(this.#directory(path)));
      this.#directory(parentOf(path)).set(nameOf(path), { mode: MODE_DIRECTORY, object });
      this.#stale.delete(path);
    }
    return writeObject(objects, "tree", encode(this.#directory(TOP)));
  }

  #directory(path: BytePath): Directory {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const made: Directory = new Map();
    this.#directories.set(path, made);
    return made;
  }

  #touch(path: BytePath): void {
    for (let at = path; at !== TOP; at = parentOf(at)) this.#stale.add(at);
  }
}

function depth(path: BytePath): number {
  return path.split("/").length;
}

/** FT1. */
function encode(directory: Directory): Buffer {
  const names = [...directory].map(([name, entry]) => ({
    key: entry.mode === MODE_DIRECTORY ? joinPath(name, "") : name,
    name,
    entry,
  }));
  names.sort((a, b) => (a.key < b.key ? -1 : 1));
  // One character per byte: names are byte paths, and the object's bytes are written as such.
  const text = names.map(
    ({ name, entry }) =>
      `${entry.mode.replace(/^0/, "")} ${name}\0${Buffer.from(entry.object, "hex").toString("latin1")}`,
  );
  return Buffer.from(text.join(""), "latin1");
}
