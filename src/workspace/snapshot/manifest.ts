/**
 * What a git tree cannot say about a directory: permission bits beyond "executable", and empty directories. Kept as a file
 * of the snapshot's own tree under a reserved name, and only when there is something to say, so that the same content has
 * the same tree on every machine. It never appears in a workspace, a diff or a delivery.
 */
import type { BytePath } from "../byte-path.ts";
import { type Git, type GitRepository } from "../git/git.ts";
import {
  listTree,
  makeTree,
  MODE_EXECUTABLE,
  MODE_FILE,
  readBlob,
  writeObject,
  type ObjectName,
} from "../git/objects.ts";

/** The name that is ours. A file of a repository that has it is left out of snapshots. */
export const MANIFEST_NAME = ".belay-manifest" as BytePath; // ASCII, so its characters are its bytes

export interface Manifest {
  /** Permission bits of files whose bits are not the ordinary ones. */
  readonly files: ReadonlyMap<BytePath, number>;
  /** Empty directories, and others whose bits are not the ordinary ones; null where the bits are ordinary. */
  readonly directories: ReadonlyMap<BytePath, number | null>;
}

export const EMPTY_MANIFEST: Manifest = { files: new Map(), directories: new Map() };

/** What new files and directories get here. Learned once from the file system, not from the process. */
export interface OrdinaryModes {
  readonly file: number;
  readonly executable: number;
  readonly directory: number;
}

/** The bits that are recorded. A directory's set-group bit is inherited from where it stands, so it belongs to the place. */
export const FILE_BITS = 0o7777;
export const DIRECTORY_BITS = 0o1777;
const EXECUTABLE_BIT = 0o100;

export function isExecutable(mode: number): boolean {
  return (mode & EXECUTABLE_BIT) !== 0;
}

/** The mode git gives a regular file. */
export function gitModeOf(mode: number): string {
  return isExecutable(mode) ? MODE_EXECUTABLE : MODE_FILE;
}

export function ordinaryFor(mode: number, ordinary: OrdinaryModes): number {
  return isExecutable(mode) ? ordinary.executable : ordinary.file;
}

const FILE = "f";
const DIRECTORY = "d";

export function encodeManifest(manifest: Manifest): Buffer {
  const lines = [
    ...[...manifest.files].map(([path, bits]) => `${path}\0${FILE}${bits.toString(8)}\0`),
    ...[...manifest.directories].map(
      ([path, bits]) => `${path}\0${DIRECTORY}${bits === null ? "" : bits.toString(8)}\0`,
    ),
  ];
  return Buffer.from(lines.sort().join(""), "latin1");
}

export function decodeManifest(content: Uint8Array): Manifest {
  const files = new Map<BytePath, number>();
  const directories = new Map<BytePath, number | null>();
  const parts = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1").split("\0");
  for (let i = 0; i + 1 < parts.length; i += 2) {
    const path = parts[i] as BytePath; // a part of a list of byte paths is one
    const value = parts[i + 1] ?? "";
    const bits = value.length > 1 ? parseInt(value.slice(1), 8) : null;
    if (value.startsWith(DIRECTORY)) directories.set(path, bits);
    else if (bits !== null) files.set(path, bits);
  }
  return { files, directories };
}

export function isEmptyManifest(manifest: Manifest): boolean {
  return manifest.files.size === 0 && manifest.directories.size === 0;
}

/** The tree with the manifest in it; the tree itself when there is nothing to say. */
export async function withManifest(
  git: Git,
  repository: GitRepository & { readonly objects: string },
  tree: ObjectName,
  manifest: Manifest,
): Promise<ObjectName> {
  if (isEmptyManifest(manifest)) return tree;
  const object = writeObject(repository.objects, "blob", encodeManifest(manifest));
  const entries = await listTree(git, repository, tree, { recursive: false });
  return makeTree(git, repository, [...entries, { mode: MODE_FILE, object, path: MANIFEST_NAME }]);
}

export interface SplitTree {
  /** Without the manifest: what a person or a repository may see. */
  readonly plain: ObjectName;
  readonly manifest: Manifest;
}

export async function splitTree(git: Git, repository: GitRepository, tree: ObjectName): Promise<SplitTree> {
  const entries = await listTree(git, repository, tree, { recursive: false });
  const found = entries.find((entry) => entry.path === MANIFEST_NAME);
  if (found === undefined) return { plain: tree, manifest: EMPTY_MANIFEST };
  const [plain, content] = await Promise.all([
    makeTree(
      git,
      repository,
      entries.filter((entry) => entry !== found),
    ),
    readBlob(git, repository, found.object),
  ]);
  return { plain, manifest: decodeManifest(content) };
}
