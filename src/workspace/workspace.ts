/**
 * The workspace port: where the agent works. Everything under one root; the user's own repository is only read, except by
 * `merge` and `apply`, which a person calls.
 *
 * W1: nothing of the repository is executed or read as configuration by belay: no hook, filter, fsmonitor, pager, alias.
 * W2: the user's HEAD, index, stash, hooks, configuration and files are byte for byte as before, until `merge` or `apply`.
 * W3: `restore(tree)` makes the tracked scope equal to the tree (bytes, modes, empty directories) and leaves the rest alone.
 */
import type { WorkspaceMode } from "../kernel/config.ts";
import type { TreeHash } from "../kernel/ids.ts";
import type { NoteEnd } from "./own-note.ts";
import type { LeftOut } from "./snapshot/left-out.ts";

/** Makes and reopens workspaces. `directory` is the session's own directory under belay's home. */
export interface Workspaces {
  /**
   * Makes the workspace from scratch; what an earlier, unfinished attempt left in `directory` is removed first. Throws
   * `repo_unsupported`, `workspace_refused`, `git_missing`, `git_failed`, `snapshot_failed`.
   */
  prepare(request: PrepareRequest): Promise<PreparedWorkspace>;
  /** Opens one that `prepare` made. Throws `workspace_missing`. */
  open(request: OpenRequest): Promise<Workspace>;
}

/** Brings what workspaces recorded to another place: a fork, or another machine. */
export interface WorkspaceTransfer {
  /**
   * Makes a workspace from what another one recorded: of this machine (a fork), or of another one (an import). The other one
   * is only read. Throws `workspace_missing`, `archive_invalid`, `git_missing`, `git_failed`, `snapshot_failed`.
   */
  recreate(request: RecreateRequest): Promise<RecreatedWorkspace>;
  /** Writes the objects of trees into one pack below `to`, for another machine. Throws `workspace_missing`, `git_failed`. */
  pack(request: PackRequest): Promise<PackedWorkspace>;
}

export interface RecreateRequest {
  /** The session's directory: the new workspace's place. */
  readonly directory: string;
  readonly branch: string;
  /** The trees it works from and has now, and the others that can be gone back to. */
  readonly base: TreeHash;
  readonly tree: TreeHash;
  readonly trees: readonly TreeHash[];
  /** The newest commit of the other one's branch; a new branch is begun where it cannot be had. */
  readonly commit: string | null;
  /**
   * Where the work is brought back to, absolute. Absent: where the other one's is. With it the new workspace is a copy, whatever
   * the other one is: nothing of a repository that stands there is ever read.
   */
  readonly source?: string;
  readonly from:
    | { readonly kind: "workspace"; readonly directory: string }
    /** `source`: where the user is. When that is a repository with the commit `head`, the workspace is connected with it. */
    | { readonly kind: "pack"; readonly path: string | null; readonly facts: WorkspaceFacts; readonly source: string };
  readonly signal: AbortSignal;
}

/** What is true of a workspace besides its trees. Paths are relative, one character per byte. */
export interface WorkspaceFacts {
  readonly head: string | null;
  readonly submodules: readonly string[];
  readonly ignored_but_tracked: readonly string[];
  readonly sparse: readonly string[];
  /** The ignore rules as they were frozen, in the syntax of git, one character per byte. */
  readonly rules: string;
}

export interface RecreatedWorkspace {
  readonly workspace: Workspace;
  /** The user's repository or directory. */
  readonly source: string;
  /** Whether the work can be merged into the user's repository. */
  readonly connected: boolean;
}

export interface PackRequest {
  readonly directory: string;
  readonly trees: readonly TreeHash[];
  readonly commit: string | null;
  /** A directory that is there. */
  readonly to: string;
  readonly signal: AbortSignal;
}

export interface PackedWorkspace {
  /** Null when there is no object to pack: all trees are empty. */
  readonly path: string | null;
  readonly facts: WorkspaceFacts;
  /** The commit, when the pack holds it. */
  readonly commit: string | null;
}

export interface PrepareRequest {
  readonly mode: WorkspaceMode;
  /** The user's repository or directory, absolute. */
  readonly source: string;
  readonly directory: string;
  /** Start from this revision instead of the tree as it stands; only in mode `clone`. */
  readonly base: string | null;
  /** `belay/<session>`. */
  readonly branch: string;
  readonly signal: AbortSignal;
}

export interface OpenRequest {
  readonly mode: WorkspaceMode;
  readonly source: string;
  readonly directory: string;
  readonly branch: string;
}

export interface PreparedWorkspace {
  readonly workspace: Workspace;
  readonly base: TreeHash;
  /** The user's HEAD commit; null without one. */
  readonly head: string | null;
  /** Null in modes without a branch of ours. */
  readonly branch: string | null;
  readonly files: number;
  /** False above the file limit. */
  readonly snapshots: boolean;
  readonly left_out: readonly LeftOut[];
}

export interface Workspace {
  readonly mode: WorkspaceMode;
  /** Its files belong to somebody else: nothing is written to them, and its commands see them read-only. Absent is false. */
  readonly read_only?: boolean;
  /** Absolute path of the tree the agent works in. */
  readonly root: string;
  /** The private HOME and temporary directory of its commands. Volatile: emptied when a half-done call is rolled back. */
  readonly scratch: ScratchDirectories;
  readonly files: WorkspaceFiles;
  /** Directories outside `root` that its commands need to read (git objects). Absolute. */
  readonly readable: readonly string[];
  /** Paths under `root` that its commands must not change (the user's `.git` in mode `in_place`). Absolute. */
  readonly protected: readonly string[];

  /** Records the tracked scope. The same content has the same tree on every machine. */
  snapshot(): Promise<Snapshot>;
  /** W3. Returns the paths that changed. */
  restore(tree: TreeHash): Promise<readonly string[]>;
  /** An instant on the clock of the workspace's file system, to tell later changes from earlier ones. */
  markFileClock(): FileClockMark;
  /** Paths outside the tracked scope (ignored files, `.git`) whose inode changed after the mark; at most `limit`. */
  untrackedChangedSince(mark_ms: number, limit: number): Promise<readonly string[]>;
  /**
   * Writes belay's own note for people and the model, `.belay/CONTINUITY.md`: no part of the work, so no snapshot, difference,
   * delivery or `untrackedChangedSince` has it. What cannot be written is said and not thrown.
   */
  note(text: string): Promise<NoteEnd>;
  /** Empties HOME and temp, as after a reboot. */
  resetScratch(): Promise<void>;
  /** Commits a tree to the session's branch and returns the commit; null where there is no branch or nothing new. */
  commit(tree: TreeHash, message: string): Promise<string | null>;
  /** A unified diff between two trees, as `git diff` prints it (binary files named only, no colour). */
  diff(from: TreeHash, to: TreeHash): Promise<string>;
  /** What changed between two trees, with counts of lines. */
  changes(from: TreeHash, to: TreeHash): Promise<readonly FileChange[]>;
  /**
   * Brings base → tree into the user's repository as one commit on the user's branch (a merge when that has moved on).
   * Throws `merge_conflict` or `work_would_be_lost`, and then nothing was changed.
   */
  merge(request: DeliverRequest): Promise<Delivered>;
  /** Brings base → tree into the user's files, uncommitted. Throws as `merge`. */
  apply(request: DeliverRequest): Promise<Delivered>;
  /** Removes the workspace's directory (never the user's tree). */
  remove(): Promise<void>;
}

export interface FileClockMark {
  /** In milliseconds of the file system's clock, with fractions. */
  readonly at_ms: number;
  /** Resolves when that clock has moved on: what changes from then on is stamped later than `at_ms`. */
  readonly passed: Promise<void>;
}

export interface ScratchDirectories {
  readonly home: string;
  readonly tmp: string;
}

export interface Snapshot {
  readonly tree: TreeHash;
  readonly files: number;
  readonly left_out: readonly LeftOut[];
}

export interface FileChange {
  readonly path: string;
  readonly status: "added" | "modified" | "deleted";
  /** Null for a binary file. */
  readonly added: number | null;
  readonly removed: number | null;
}

export interface DeliverRequest {
  readonly base: TreeHash;
  readonly tree: TreeHash;
  readonly message: string;
  /** A person has looked at what steers other programs (`isProtectedPath`) and wants that, too. Absent or false: such work is refused. */
  readonly protected?: boolean;
}

export interface Delivered {
  readonly files: readonly string[];
  /** The commit in the user's repository; null for an apply. */
  readonly commit: string | null;
}

/**
 * Race-free file access below the root: every path is walked directory by directory without following links, so that a
 * directory swapped for a link in between leads nowhere. Paths are relative to the root or absolute below it; `..` out of
 * it, links out of it, and anything that is not a regular file or directory throw `path_outside` or `file_failed`.
 * A link that stays inside the root is followed, at most 8 deep, each hop walked in the same way.
 */
export interface WorkspaceFiles {
  /** Throws `file_failed` when larger than `max_bytes` (the message says how large). */
  read(path: string, max_bytes: number): Promise<Uint8Array>;
  stat(path: string): Promise<FileStat | null>;
  /** Names in a directory, sorted. */
  list(path: string): Promise<readonly DirectoryEntry[]>;
  /** Atomic: a temporary file in the same directory, synced, renamed. Keeps the mode of a file it replaces. Makes directories. */
  write(path: string, content: Uint8Array): Promise<void>;
}

export interface FileStat {
  readonly type: "file" | "directory" | "other";
  readonly size: number;
  readonly mtime_ms: number;
  readonly mode: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly type: "file" | "directory" | "link" | "other";
}
