/**
 * Whether this process may still change things for its session. One that stood still past its lease (SIGSTOP, a suspended
 * machine, a stalled disk) goes on in the middle of what it did and knows nothing of it, while another has long taken over.
 *
 * O1: what changes the workspace is called in the same instant in which the lease was seen to be this process's own: by both
 *     clocks, since one stands still while a machine is suspended and the other one jumps. A doubt is settled by a renewal.
 *
 * What remains is the one call in which a process was frozen.
 */
import type { Clock } from "../kernel/clock.ts";
import type { Journal } from "../store/journal.ts";
import type { Workspace, WorkspaceFiles } from "../workspace/workspace.ts";

/** How long a lease lasts without renewal, in milliseconds: a frozen owner is fenced after this. */
export const LEASE_TTL_MS = 15_000;

/** The same moment on both clocks. */
export interface Instant {
  readonly wall: number;
  readonly monotonic: number;
}

export function instantOf(clock: Clock): Instant {
  return { wall: clock.now(), monotonic: clock.monotonic() };
}

export interface Ownership {
  /** Extends the lease. @throws HarnessError `fenced`, a store's error */
  renew(): Promise<void>;
  /** O1. @throws HarnessError `fenced` when another process has the session, a store's error */
  whileOwned<T>(act: () => Promise<T>): Promise<T>;
}

/** @param asked before the lease was asked for: from then on it lasts at least its time. */
export function ownership(journal: Pick<Journal, "renew">, clock: Clock, asked: Instant): Ownership {
  let since = asked;
  const isFresh = (): boolean =>
    clock.monotonic() - since.monotonic < LEASE_TTL_MS && clock.now() - since.wall < LEASE_TTL_MS;
  const renew = async (): Promise<void> => {
    const before = instantOf(clock);
    await journal.renew(LEASE_TTL_MS);
    since = before;
  };
  return {
    renew,
    whileOwned: async (act) => {
      while (!isFresh()) await renew();
      return act();
    },
  };
}

/** The workspace as a run may use it. What only reads, and what records trees, is left as it is. */
export function ownedWorkspace(workspace: Workspace, { whileOwned }: Ownership): Workspace {
  const { mode, root, scratch, readable } = workspace;
  return {
    mode,
    ...(workspace.read_only === true ? { read_only: true } : {}),
    root,
    scratch,
    readable,
    protected: workspace.protected,
    files: ownedFiles(workspace.files, whileOwned),
    snapshot: () => workspace.snapshot(),
    restore: (tree) => whileOwned(() => workspace.restore(tree)),
    markFileClock: () => workspace.markFileClock(),
    untrackedChangedSince: (mark_ms, limit) => workspace.untrackedChangedSince(mark_ms, limit),
    note: (text) => whileOwned(() => workspace.note(text)),
    resetScratch: () => whileOwned(() => workspace.resetScratch()),
    commit: (tree, message) => whileOwned(() => workspace.commit(tree, message)),
    diff: (from, to) => workspace.diff(from, to),
    changes: (from, to) => workspace.changes(from, to),
    merge: (request) => whileOwned(() => workspace.merge(request)),
    apply: (request) => whileOwned(() => workspace.apply(request)),
    remove: () => whileOwned(() => workspace.remove()),
  };
}

function ownedFiles(files: WorkspaceFiles, whileOwned: Ownership["whileOwned"]): WorkspaceFiles {
  return {
    read: (path, max_bytes) => files.read(path, max_bytes),
    stat: (path) => files.stat(path),
    list: (path) => files.list(path),
    write: (path, content) => whileOwned(() => files.write(path, content)),
  };
}
