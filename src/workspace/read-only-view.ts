/**
 * Somebody else's workspace, to look at: the same files, without a copy, and no way to change them.
 *
 * V1: nothing is written below the root, recorded, or brought anywhere. Commands see the root read-only (the sandbox reads
 *     `read_only`); what they write goes to a HOME and a temporary directory of the view's own.
 */
import { rmdirSync } from "node:fs";
import { HarnessError } from "../kernel/harness-error.ts";
import type { TreeHash } from "../kernel/ids.ts";
import { isSystemError } from "./files/rooted.ts";
import { layoutOf, makeScratch, removeParts, resetScratch } from "./layout.ts";
import type { Workspace } from "./workspace.ts";

export interface ViewRequest {
  readonly of: Workspace;
  /** The newest tree of it, by which the view goes. */
  readonly tree: TreeHash;
  /** Of the session that looks. */
  readonly directory: string;
}

export function readOnlyView({ of, tree, directory }: ViewRequest): Workspace {
  const layout = layoutOf(directory);
  makeScratch(layout.scratch);
  const nothing = { files: [], commit: null };
  return {
    mode: "in_place",
    read_only: true,
    root: of.root,
    scratch: layout.scratch,
    files: {
      read: (path, max_bytes) => of.files.read(path, max_bytes),
      stat: (path) => of.files.stat(path),
      list: (path) => of.files.list(path),
      write: (path) => Promise.reject(readOnly(path)),
    },
    readable: of.readable,
    protected: [],
    snapshot: () => Promise.resolve({ tree, files: 0, left_out: [] }),
    restore: () => Promise.resolve([]),
    markFileClock: () => of.markFileClock(),
    untrackedChangedSince: () => Promise.resolve([]),
    resetScratch: () => resetScratch(layout),
    note: () => Promise.resolve("same"),
    commit: () => Promise.resolve(null),
    diff: (from, to) => of.diff(from, to),
    changes: (from, to) => of.changes(from, to),
    merge: () => Promise.resolve(nothing),
    apply: () => Promise.resolve(nothing),
    remove: () => removeView(directory),
  };
}

async function removeView(directory: string): Promise<void> {
  await removeParts(layoutOf(directory));
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!isSystemError(error, "ENOTEMPTY", "EEXIST", "ENOENT")) throw error;
  }
}

function readOnly(path: string): HarnessError {
  return new HarnessError(
    "file_failed",
    `${path} cannot be written: these files belong to the session that asked.`,
    "Say in the answer what should be changed.",
  );
}
