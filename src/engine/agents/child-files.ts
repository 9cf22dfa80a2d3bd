/** The files that a sub-agent worked in: what it changed there, and removing them. */
import { HarnessError } from "../../kernel/harness-error.ts";
import type { SessionState } from "../../kernel/state.ts";
import type { SessionPlace } from "../../store/port.ts";
import type { Workspace } from "../../workspace/workspace.ts";
import type { Host } from "../host.ts";
import { branchOf, type Drive } from "../run.ts";

/** Also what no snapshot has seen, where a failure left no time for one. */
export function hasChanged({ workspace, dirty }: SessionState): boolean {
  return workspace !== null && (dirty || workspace.tree !== workspace.base);
}

/** Opens a workspace that belongs to a session nobody drives. @throws `workspace_missing` */
export function openFiles(
  state: SessionState,
  place: SessionPlace,
  host: Pick<Host, "workspaces">,
): Promise<Workspace> {
  const mode = state.config?.workspace.mode ?? "copy";
  const { source, directory } = place;
  return host.workspaces.open({ mode, source, directory, branch: branchOf(state) });
}

/** Paths, in order; none where the files are gone. */
export async function changedFiles(state: SessionState, { host, redactor }: Drive): Promise<readonly string[]> {
  const row = await host.store.getSession(state.tenant, state.session);
  if (row === null || state.workspace === null) return [];
  const { base, tree } = state.workspace;
  try {
    const workspace = await openFiles(state, row.place, host);
    // A model chose the names.
    return (await workspace.changes(base, tree)).map(({ path }) => redactor.redact(path).text);
  } catch (error) {
    if (error instanceof HarnessError && error.kind === "workspace_missing") return [];
    throw error;
  }
}

/** Nothing of it is needed any more: its work is in its parent's files, or there is none. The journal stays. */
export async function removeFiles(state: SessionState, childHost: Host, run: Drive): Promise<void> {
  const row = await run.host.store.getSession(state.tenant, state.session);
  if (row === null || state.workspace === null) return;
  try {
    const journal = await run.sessions.open(childHost, state.session, row.place);
    try {
      const workspace = await openFiles(state, row.place, childHost);
      await journal.append([{ kind: "WorkspaceRemoved", data: { reason: "its parent has what it came to" } }]);
      await workspace.remove();
    } finally {
      await journal.close();
    }
  } catch (error) {
    // It is a matter of space alone: `belay sessions prune` finds what stayed.
    if (!(error instanceof HarnessError) || !["workspace_missing", "lease_held"].includes(error.kind)) throw error;
  }
}
