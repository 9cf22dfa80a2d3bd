/**
 * Sets the tracked scope back to a tree (W3): bytes, modes, links, empty directories. What is outside the scope stays,
 * unless it stands where the tree needs a file or directory. Every step is reached without following a link.
 *
 * The order matters: first make directories writable, then remove, then write, then set modes from the inside out.
 */
import { HarnessError } from "../../kernel/harness-error.ts";
import type { TreeHash } from "../../kernel/ids.ts";
import { type BytePath, directoriesAbove, parentOf, textOf } from "../byte-path.ts";
import { type ChangedPath, changedPaths } from "./changed-paths.ts";
import type { Git } from "../git/git.ts";
import { DIRECTORY_BITS, type Manifest, type OrdinaryModes, type SplitTree, splitTree } from "./manifest.ts";
import { MODE_EXECUTABLE, MODE_LINK, MODE_SUBMODULE, type ObjectName, readBlobs } from "../git/objects.ts";
import { isSystemError, type RootedDirectory } from "../files/rooted.ts";
import type { Recorded, Shadow } from "./shadow.ts";

/** Permission bits belay needs to work inside a directory. */
const OWNER_BITS = 0o700;
const OWNER_READS = 0o600;

/** Directories that a command closed one inside the other and that are opened; the rest is left as it is. */
const CLOSED_DEPTH_MAX = 64;

/** @param closed what becomes of files and directories that may not be read: in belay's own tree they are opened */
export async function restoreTree(
  git: Git,
  shadow: Shadow,
  tree: TreeHash,
  closed: "open" | "leave",
): Promise<readonly string[]> {
  const now = await (closed === "open" ? snapshotOpened(shadow) : shadow.snapshot());
  if (now.tree === tree) return [];
  const target = await splitTree(git, shadow.place, tree);
  const changes = await changedPaths(git, shadow.place, now.plain, target.plain);
  const relabeled = differing(now.manifest, target.manifest);
  try {
    makeWritable(shadow.files, now.manifest);
    removeGone(shadow.files, changes, now.manifest, target.manifest);
    await writeNew(git, shadow, changes);
    for (const path of target.manifest.directories.keys()) makeRoom(shadow.files, path, { directory: true });
    setModes(shadow.files, shadow.ordinary, now.manifest, target.manifest, changes);
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    throw failed(tree, "a file could not be changed", cause);
  }
  await shadow.readTree(target.plain);
  await shadow.refresh();
  await requireReached(shadow, tree, target);
  return [...new Set([...changes.map((change) => change.path), ...relabeled])].sort().map(textOf);
}

/** What a command has closed hides what is in it: it is opened, layer by layer, until all of the scope is seen. */
async function snapshotOpened(shadow: Shadow): Promise<Recorded> {
  let now = await shadow.snapshot();
  for (let depth = 0; depth < CLOSED_DEPTH_MAX && now.unreadable.size > 0; depth++) {
    const opened = [...now.unreadable].filter((path) => open(shadow.files, path));
    if (opened.length === 0) return now;
    now = await shadow.snapshot();
  }
  return now;
}

/** False when it was open already, or is somebody else's. */
function open(files: RootedDirectory, path: BytePath): boolean {
  try {
    const stat = files.lstat(path);
    if (stat === null || (stat.mode & OWNER_BITS) === OWNER_BITS) return false;
    files.changeMode(path, (stat.mode & 0o7777) | (stat.isDirectory() ? OWNER_BITS : OWNER_READS));
    return true;
  } catch (error) {
    if (isSystemError(error, "EACCES", "EPERM")) return false;
    throw error;
  }
}

/**
 * W3 is not believed but looked at. One thing may differ: an empty directory in which something ignored lies by now is no
 * longer recorded as empty, and it stays, because what is ignored is left alone.
 */
async function requireReached(shadow: Shadow, tree: TreeHash, target: SplitTree): Promise<void> {
  const reached = await shadow.snapshot();
  if (reached.tree === tree) return;
  const differs = differing(reached.manifest, target.manifest);
  const isKept = (path: BytePath): boolean =>
    target.manifest.directories.has(path) && shadow.files.lstat(path)?.isDirectory() === true;
  if (reached.plain !== target.plain || !differs.every(isKept))
    throw failed(tree, `the files came out as ${reached.tree}`, null);
}

function failed(tree: TreeHash, why: string, cause: unknown): HarnessError {
  const happened = `The workspace could not be set back to ${tree}: ${why}.`;
  return new HarnessError("snapshot_failed", happened, "End what else writes there, look at the disk, then resume.", {
    cause,
  });
}

/** Paths whose manifest entry is not the same on both sides. */
function differing(now: Manifest, target: Manifest): readonly BytePath[] {
  const files = [...now.files.keys(), ...target.files.keys()].filter((p) => now.files.get(p) !== target.files.get(p));
  const directories = [...now.directories.keys(), ...target.directories.keys()].filter(
    (p) => now.directories.get(p) !== target.directories.get(p),
  );
  return [...files, ...directories];
}

function makeWritable(files: RootedDirectory, now: Manifest): void {
  const closed = [...now.directories].filter(([, bits]) => bits !== null && (bits & OWNER_BITS) !== OWNER_BITS);
  // From the outside in: an inner one is reached only through the outer.
  for (const [path, bits] of closed.sort(([a], [b]) => (a < b ? -1 : 1)))
    files.changeMode(path, (bits ?? 0) | OWNER_BITS);
}

function removeGone(files: RootedDirectory, changes: readonly ChangedPath[], now: Manifest, target: Manifest): void {
  const emptied = new Set<BytePath>();
  for (const { path, before, after } of changes) {
    if (before === null || before.mode === MODE_SUBMODULE) continue;
    if (after !== null && after.mode !== MODE_SUBMODULE) continue; // it is replaced in place
    files.removeFile(path);
    for (const directory of directoriesAbove(path)) emptied.add(directory);
  }
  for (const path of now.directories.keys()) {
    if (target.directories.has(path)) continue;
    emptied.add(path);
    for (const directory of directoriesAbove(path)) emptied.add(directory);
  }
  // Deepest first; those that are not empty stay, those that the tree has come back when it is written.
  for (const path of [...emptied].sort((a, b) => (a < b ? 1 : -1))) files.removeEmptyDirectory(path);
}

async function writeNew(git: Git, shadow: Shadow, changes: readonly ChangedPath[]): Promise<void> {
  const wanted = new Map<ObjectName, ChangedPath[]>();
  for (const change of changes) {
    const { before, after, path } = change;
    if (after === null || after.mode === MODE_SUBMODULE) continue;
    if (before?.object === after.object && before.mode !== MODE_LINK && after.mode !== MODE_LINK) {
      shadow.files.changeMode(path, ordinaryMode(after.mode, shadow.ordinary)); // only the executable bit differs
      continue;
    }
    wanted.set(after.object, [...(wanted.get(after.object) ?? []), change]);
  }
  await readBlobs(git, shadow.place, [...wanted.keys()], (name, content) => {
    for (const change of wanted.get(name) ?? []) writeOne(shadow, change, content);
  });
}

function writeOne(shadow: Shadow, { path, after }: ChangedPath, content: Buffer): void {
  if (after === null) return;
  makeRoom(shadow.files, path, { directory: false });
  if (after.mode === MODE_LINK) shadow.files.replaceLink(path, content);
  else shadow.files.replaceFile(path, content, ordinaryMode(after.mode, shadow.ordinary));
}

function ordinaryMode(mode: string, ordinary: OrdinaryModes): number {
  return mode === MODE_EXECUTABLE ? ordinary.executable : ordinary.file;
}

/** Removes what stands where a directory of the path must be, and a directory where a file must be. */
export function makeRoom(files: RootedDirectory, path: BytePath, last: { readonly directory: boolean }): void {
  const directories = last.directory ? [path, ...directoriesAbove(path)] : directoriesAbove(path);
  try {
    files.makeDirectory(last.directory ? path : parentOf(path));
  } catch (error) {
    if (!isSystemError(error, "ENOTDIR", "ELOOP", "EEXIST")) throw error;
    const blocking = [...directories].reverse().find((at) => files.lstat(at)?.isDirectory() === false);
    if (blocking !== undefined) files.removeFile(blocking);
    files.makeDirectory(last.directory ? path : parentOf(path));
  }
  if (!last.directory && files.lstat(path)?.isDirectory() === true) files.removeAll(path);
}

function setModes(
  files: RootedDirectory,
  ordinary: OrdinaryModes,
  now: Manifest,
  target: Manifest,
  changes: readonly ChangedPath[],
): void {
  const removed = new Set(changes.filter((change) => change.after === null).map((change) => change.path));
  for (const path of new Set([...now.files.keys(), ...target.files.keys()])) {
    if (removed.has(path)) continue;
    const bits = target.files.get(path);
    const stat = files.lstat(path);
    if (stat === null || !stat.isFile()) continue;
    files.changeMode(path, bits ?? ((stat.mode & 0o100) !== 0 ? ordinary.executable : ordinary.file));
  }
  const directories = [...new Set([...now.directories.keys(), ...target.directories.keys()])];
  for (const path of directories.sort((a, b) => (a < b ? 1 : -1))) {
    const stat = files.lstat(path);
    if (stat === null || !stat.isDirectory()) continue;
    const bits = target.directories.get(path) ?? ordinary.directory;
    files.changeMode(path, (bits & DIRECTORY_BITS) | (stat.mode & ~DIRECTORY_BITS & 0o7777));
  }
}
