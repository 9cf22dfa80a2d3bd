/**
 * Git objects, written and read without a working tree: what belay stores was read by belay, race-free, and never by a git
 * that walks the agent's directories.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";
import { HarnessError } from "../../kernel/harness-error.ts";
import { type BytePath, bytesOf, pathFromBytes, splitNul } from "../byte-path.ts";
import { type Git, type GitRepository, lineOf } from "./git.ts";

export type ObjectName = string;
export type ObjectKind = "blob" | "tree" | "commit";

export const EMPTY_TREE: ObjectName = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
export const NO_OBJECT: ObjectName = "0".repeat(40);

export const MODE_FILE = "100644";
export const MODE_EXECUTABLE = "100755";
export const MODE_LINK = "120000";
export const MODE_SUBMODULE = "160000";
export const MODE_DIRECTORY = "040000";

function encode(kind: ObjectKind, content: Uint8Array): { readonly name: ObjectName; readonly bytes: Buffer } {
  const bytes = Buffer.concat([Buffer.from(`${kind} ${content.byteLength}\0`), content]);
  return { name: createHash("sha1").update(bytes).digest("hex"), bytes };
}

export function objectName(kind: ObjectKind, content: Uint8Array): ObjectName {
  return encode(kind, content).name;
}

/** Writes a loose object into a store of belay's. One that is there is left alone: the name says that it is the same. */
export function writeObject(objects: string, kind: ObjectKind, content: Uint8Array): ObjectName {
  const { name, bytes } = encode(kind, content);
  const directory = join(objects, name.slice(0, 2));
  const path = join(directory, name.slice(2));
  if (existsSync(path)) return name;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const temporary = join(directory, `tmp_obj_${randomBytes(8).toString("hex")}`);
  writeFileSync(temporary, deflateSync(bytes, { level: 1 }), { mode: 0o444, flag: "wx" });
  renameSync(temporary, path);
  return name;
}

/** The content of a loose object's file; null unless it is whole, of that kind and of that name. @param bytes_max unpacked. */
export function readLooseObject(
  file: Uint8Array,
  kind: ObjectKind,
  name: ObjectName,
  bytes_max: number,
): Buffer | null {
  let bytes: Buffer;
  try {
    bytes = inflateSync(file, { maxOutputLength: bytes_max });
  } catch {
    return null; // whatever is wrong with bytes that the agent could write: they are no object
  }
  const header = bytes.indexOf(0);
  if (header < 0 || !bytes.subarray(0, header).toString("latin1").startsWith(`${kind} `)) return null;
  const content = bytes.subarray(header + 1);
  return objectName(kind, content) === name ? content : null;
}

export interface TreeEntry {
  readonly mode: string;
  readonly object: ObjectName;
  readonly path: BytePath;
}

const TREE_LINE = /^(\d{6}) (\w+) ([0-9a-f]{40})\t([^]*)$/;

/** The entries of a tree: its own names, or with `recursive` every file below, with `directories` those too. */
export async function listTree(
  git: Git,
  repository: GitRepository,
  tree: ObjectName,
  options: { readonly recursive: boolean; readonly directories?: boolean },
): Promise<readonly TreeEntry[]> {
  const flags = [...(options.recursive ? ["-r"] : []), ...(options.directories === true ? ["-t"] : [])];
  const args = ["ls-tree", "-z", ...flags, tree];
  const { output } = await git({ repository, args });
  return splitNul(output).flatMap((line) => {
    const [, mode, , object, path] = TREE_LINE.exec(line) ?? [];
    if (mode === undefined || object === undefined || path === undefined) return [];
    return [{ mode, object, path: path as BytePath }]; // a part of a byte path is one
  });
}

/** Makes one tree of names. `objects` of submodules need not exist. */
export async function makeTree(
  git: Git,
  repository: GitRepository,
  entries: readonly TreeEntry[],
): Promise<ObjectName> {
  const lines = entries.map(({ mode, object, path }) => `${mode} ${kindOf(mode)} ${object}\t${path}\0`);
  const input = Buffer.from(lines.join(""), "latin1");
  return lineOf(await git({ repository, args: ["mktree", "-z"], input }));
}

function kindOf(mode: string): string {
  if (mode === MODE_DIRECTORY) return "tree";
  return mode === MODE_SUBMODULE ? "commit" : "blob";
}

/** Many objects in one call. Bytes of one answer are bounded by the wrapper's cap, so they are asked for in portions. */
const PORTION = 256;

/** Throws `snapshot_failed` after the others were used, when one is missing or damaged. */
export async function readBlobs(
  git: Git,
  repository: GitRepository,
  names: readonly ObjectName[],
  use: (name: ObjectName, content: Buffer) => void,
): Promise<void> {
  const wanted = [...new Set(names)];
  const missing = new Set(wanted);
  for (let start = 0; start < wanted.length; start += PORTION) {
    const input = Buffer.from(wanted.slice(start, start + PORTION).join("\n") + "\n");
    const { output } = await git({ repository, args: ["cat-file", "--batch"], input });
    eachObject(output, (name, content) => {
      missing.delete(name);
      use(name, content);
    });
  }
  const [first] = missing;
  if (first === undefined) return;
  const happened = `${missing.size} objects of a snapshot are missing or damaged (${first}).`;
  throw new HarnessError("snapshot_failed", happened, "Restore the session's directory from a backup.");
}

const BATCH_HEADER = /^([0-9a-f]{40}) (\w+) (\d+)$/;

function eachObject(output: Buffer, use: (name: ObjectName, content: Buffer) => void): void {
  let position = 0;
  while (position < output.byteLength) {
    const end = output.indexOf(10, position);
    const [, name, , size] = BATCH_HEADER.exec(pathFromBytes(output.subarray(position, end))) ?? [];
    position = end + 1;
    if (name === undefined || size === undefined) continue; // "<name> missing": the caller notices what did not come
    use(name, output.subarray(position, position + Number(size)));
    position += Number(size) + 1;
  }
}

export async function readBlob(git: Git, repository: GitRepository, name: ObjectName): Promise<Buffer> {
  return (await git({ repository, args: ["cat-file", "blob", name] })).output;
}

/** A line for `update-index -z --index-info`. */
export function indexLine(mode: string, object: ObjectName, path: BytePath): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${object}\t`), bytesOf(path), Buffer.from([0])]);
}

/** The line that takes a path out of the index. */
export function indexRemoval(path: BytePath): Buffer {
  return indexLine("0", NO_OBJECT, path);
}
