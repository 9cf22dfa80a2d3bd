/** Makes and reopens workspaces: the one entrance of this folder. */
import type { Clock } from "../kernel/clock.ts";
import { createGit, type GitSettings } from "./git/git.ts";
import { openPrepared } from "./open-workspace.ts";
import { prepareWorkspace } from "./prepare/prepare.ts";
import { packWorkspace } from "./transfer/tree-pack.ts";
import { recreateWorkspace } from "./transfer/recreate.ts";
import type { Workspaces, WorkspaceTransfer } from "./workspace.ts";
import { DEFAULT_WORKSPACE_LIMITS, type WorkspaceLimits } from "./workspace-limits.ts";

export interface WorkspacesOptions {
  readonly git: GitSettings;
  readonly clock: Clock;
  /** The user's home directory, which is refused as a tree to work in. Nothing is refused when absent. */
  readonly home?: string;
  readonly limits?: Partial<WorkspaceLimits>;
}

export function createWorkspaces(options: WorkspacesOptions): Workspaces & WorkspaceTransfer {
  const limits = { ...DEFAULT_WORKSPACE_LIMITS, ...options.limits };
  const dependencies = { git: createGit(options.git), clock: options.clock, limits };
  return {
    prepare: (request) => prepareWorkspace({ ...dependencies, home: options.home ?? null }, request),
    open: async (request) => openPrepared(dependencies, request),
    recreate: (request) => recreateWorkspace(dependencies, request),
    pack: (request) => packWorkspace(dependencies, request),
  };
}
