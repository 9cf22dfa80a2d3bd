/** Where the parts of a workspace are in the session's directory, and the record that says that they are complete. */
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { HarnessError } from "../kernel/harness-error.ts";
import type { WorkspaceMode } from "../kernel/config.ts";
import type { TreeHash } from "../kernel/ids.ts";
import { pathFromBytes } from "./byte-path.ts";
import { readIfThere } from "./git/link-objects.ts";
import type { OrdinaryModes } from "./snapshot/manifest.ts";
import { isSystemError, RootedDirectory } from "./files/rooted.ts";
import type { ScopeFacts, ShadowPlace } from "./snapshot/shadow.ts";
import type { ScratchDirectories } from "./workspace.ts";

export interface Layout {
  readonly directory: string;
  /** The agent's tree; in mode `in_place` not there. */
  readonly tree: string;
  /** Git objects, beside the tree and never below it: a confined command can read them and not write them. */
  readonly objects_git: string;
  readonly shadow_git: string;
  readonly scratch: ScratchDirectories;
  readonly record: string;
  /** Temporary files of a delivery. */
  readonly delivery: string;
  /** Names the tree that was last brought back. */
  readonly delivered: string;
}

const SCRATCH = "scratch";
const PARTS = [
  "workspace.json",
  "tree",
  "shadow.git",
  "objects.git",
  SCRATCH,
  "delivery",
  "delivered",
  "file-clock",
] as const;

export function layoutOf(directory: string): Layout {
  return {
    directory,
    tree: join(directory, "tree"),
    objects_git: join(directory, "objects.git"),
    shadow_git: join(directory, "shadow.git"),
    scratch: { home: join(directory, SCRATCH, "home"), tmp: join(directory, SCRATCH, "tmp") },
    record: join(directory, "workspace.json"),
    delivery: join(directory, "delivery"),
    delivered: join(directory, "delivered"),
  };
}

export function shadowPlace(layout: Layout, root: string): ShadowPlace {
  return {
    git_dir: layout.shadow_git,
    work_tree: root,
    index: join(layout.shadow_git, "index"),
    objects: join(layout.objects_git, "objects"),
  };
}

/** Written last, so that a workspace without it was never finished. No secrets; absolute paths only of this machine. */
export interface WorkspaceRecord {
  readonly version: 1;
  readonly mode: WorkspaceMode;
  readonly source: string;
  readonly base: TreeHash;
  readonly head: string | null;
  readonly branch: string;
  readonly snapshots: boolean;
  readonly ordinary: OrdinaryModes;
  readonly facts: ScopeFacts;
}

export function writeRecord(layout: Layout, record: WorkspaceRecord): void {
  const temporary = `${layout.record}.tmp`;
  const fd = fs.openSync(temporary, "w", 0o600);
  try {
    // Byte paths hold one character per byte, so JSON keeps them as they are.
    fs.writeFileSync(fd, JSON.stringify(record));
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(temporary, layout.record);
}

/** Throws `workspace_missing` when there is none, or it was never finished. */
export function readRecord(layout: Layout): WorkspaceRecord {
  const content = readIfThere(layout.record);
  if (content === null) throw missing(layout, null);
  try {
    const record = JSON.parse(content.toString("utf8")) as WorkspaceRecord; // written by `writeRecord`; checked just below
    if (record.version === 1) return record;
  } catch (cause) {
    throw missing(layout, cause);
  }
  throw missing(layout, null);
}

function missing(layout: Layout, cause: unknown): HarnessError {
  return new HarnessError(
    "workspace_missing",
    `There is no finished workspace in ${layout.directory} on this machine.`,
    "If the session was begun on another one, go on there, or bring it here with `belay sessions export ID -o FILE` and " +
      "`belay sessions import FILE`. If its workspace was removed, start a new session.",
    { cause },
  );
}

/** Removes a workspace, and only what is a part of one. */
export async function removeParts(layout: Layout): Promise<void> {
  for (const part of PARTS) await removeRobustly(layout.directory, part);
}

/** Also directories that their maker has closed. Links are removed, never followed. */
async function removeRobustly(directory: string, name: string): Promise<void> {
  try {
    await fs.promises.rm(join(directory, name), { recursive: true, force: true });
  } catch (error) {
    if (!isSystemError(error, "EACCES", "EPERM", "ENOTEMPTY")) throw error;
    new RootedDirectory(directory).removeAll(pathFromBytes(Buffer.from(name)));
  }
}

/** Removes a session's directory with all that is in it, as `removeParts` removes its parts. */
export async function removeSessionDirectory(directory: string): Promise<void> {
  await removeRobustly(dirname(directory), basename(directory));
}

export function makeScratch(scratch: ScratchDirectories): void {
  for (const directory of [scratch.home, scratch.tmp]) fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
}

export async function resetScratch(layout: Layout): Promise<void> {
  await removeRobustly(layout.directory, SCRATCH);
  makeScratch(layout.scratch);
}

/** What a new file and a new directory get here: asked of the file system, which knows umask and defaults. */
export function learnOrdinaryModes(directory: string): OrdinaryModes {
  const probe = join(directory, "mode-probe");
  const bits = (mode: number): number => {
    fs.closeSync(fs.openSync(probe, "wx", mode));
    const found = fs.statSync(probe).mode & 0o777;
    fs.rmSync(probe);
    return found;
  };
  fs.rmSync(probe, { recursive: true, force: true });
  const file = bits(0o666);
  const executable = bits(0o777);
  fs.mkdirSync(probe);
  const found = fs.statSync(probe).mode & 0o777;
  fs.rmdirSync(probe);
  return { file, executable, directory: found };
}
