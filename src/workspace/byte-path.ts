/**
 * Paths as git and the kernel see them: bytes. A name need not be UTF-8, so inside this folder a path is a string with one
 * character for each byte (latin1), which compares, splits and joins like text and loses nothing. Relative, `/` between
 * names, no `.` and no `..`.
 */
declare const bytes: unique symbol;
export type BytePath = string & { readonly [bytes]: true };

// The casts in this file are the only places where the brand is put on: each string below has one character per byte.
export const TOP = "" as BytePath;

export function pathFromBytes(path: Uint8Array): BytePath {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString("latin1") as BytePath;
}

export function pathFromText(path: string): BytePath {
  return Buffer.from(path, "utf8").toString("latin1") as BytePath;
}

export function bytesOf(path: BytePath): Buffer {
  return Buffer.from(path, "latin1");
}

/** For people and events. Bytes that are no UTF-8 become replacement characters. */
export function textOf(path: BytePath): string {
  return bytesOf(path).toString("utf8");
}

export function joinPath(directory: BytePath, name: string): BytePath {
  return (directory === "" ? name : `${directory}/${name}`) as BytePath;
}

export function parentOf(path: BytePath): BytePath {
  const slash = path.lastIndexOf("/");
  return (slash < 0 ? "" : path.slice(0, slash)) as BytePath;
}

export function nameOf(path: BytePath): BytePath {
  return path.slice(path.lastIndexOf("/") + 1) as BytePath;
}

/** The names of a path; none for the top. */
export function namesOf(path: BytePath): readonly BytePath[] {
  return path === "" ? [] : (path.split("/") as BytePath[]);
}

/** Every directory above a path, the deepest first, without the top. */
export function directoriesAbove(path: BytePath): readonly BytePath[] {
  const above: BytePath[] = [];
  for (let at = parentOf(path); at !== ""; at = parentOf(at)) above.push(at);
  return above;
}

/** The parts of a list that git ended with NUL each. */
export function splitNul(list: Uint8Array): readonly BytePath[] {
  const parts = pathFromBytes(list).split("\0") as BytePath[];
  if (parts.at(-1) === "") parts.pop();
  return parts;
}

/** An absolute path of the file system for a path below `root`, in bytes. */
export function absoluteBytes(root: string, path: BytePath): Buffer {
  return path === "" ? Buffer.from(root) : Buffer.concat([Buffer.from(`${root}/`), bytesOf(path)]);
}
