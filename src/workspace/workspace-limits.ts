/** Every bound of the workspace, in one place. A test hands in smaller ones. */
export interface WorkspaceLimits {
  /** Files in the tracked scope. Above it snapshots are off. */
  readonly files: number;
  /** Bytes. A file above it is left out of snapshots. */
  readonly file_bytes: number;
  /** Entries of a directory that is no repository, for a private copy; also of what `.worktreeinclude` brings. */
  readonly copy_files: number;
  /** Bytes of the same. */
  readonly copy_bytes: number;
  /** Entries looked at outside the tracked scope, when asked what changed there. */
  readonly untracked_entries: number;
}

export const DEFAULT_WORKSPACE_LIMITS: WorkspaceLimits = {
  files: 100_000,
  file_bytes: 50 * 1024 * 1024,
  copy_files: 100_000,
  copy_bytes: 2 * 1024 * 1024 * 1024,
  untracked_entries: 200_000,
};
