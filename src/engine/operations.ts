/** What people do with a session between runs: roll back, look at the difference, bring the work back, remove it. */
import { existsSync } from "node:fs";
import type { Draft } from "../kernel/events/index.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_TENANT, type CheckpointId, type SessionId, type TreeHash } from "../kernel/ids.ts";
import type { Checkpoint, SessionState } from "../kernel/state.ts";
import { type Journal, loadSession } from "../store/journal.ts";
import type { SessionPlace } from "../store/port.ts";
import { layoutOf, removeParts, removeSessionDirectory } from "../workspace/layout.ts";
import type { Delivered, FileChange, Workspace } from "../workspace/workspace.ts";
import type { Host } from "./host.ts";
import { continuityDrafts } from "./continuity-file.ts";
import { notRun } from "./judge-tools.ts";
import { requireNoBatch } from "./no-batch.ts";
import { branchOf } from "./run.ts";
import { claimSession, openForWriting } from "./session.ts";

/** Sessions that one clean-up looks at, newest first. */
const PRUNED_MAX = 100_000;

/** Of the checkpoint that keeps what a rollback replaces. It is gone back to only by name. */
const BEFORE_ROLLBACK = "before rollback";

/** Why a batch has no difference, no rollback and no delivery. */
const NO_FILES = "it changes no files";

export interface RolledBackTo {
  readonly checkpoint: Checkpoint;
  /** What was there before; it can be looked at in the journal and is kept in the session's snapshots. */
  readonly from: TreeHash;
  readonly changed: readonly string[];
}

/** Sets the workspace back. @param to null: the newest checkpoint that differs from what is there. */
export async function rollbackSession(
  host: Host,
  session: SessionId,
  to: CheckpointId | null,
  reason: string,
): Promise<RolledBackTo> {
  return withJournal(host, session, async (journal, place) => {
    const { state } = journal;
    requireNoBatch(state, NO_FILES);
    const workspace = await openWorkspaceOf(host, state, place);
    await endOpenCalls(host, journal);
    const { tree: from } = await workspace.snapshot();
    const cut = cutRollback(state);
    const checkpoint = chooseCheckpoint(state, to, cut ?? from);
    // What is there becomes a checkpoint of its own first: `--to` brings it back.
    const before: Draft = {
      kind: "CheckpointCreated",
      actor: "user",
      data: { checkpoint: host.ids.checkpoint(), tree: from, commit: null, label: BEFORE_ROLLBACK },
    };
    // Also where the tree is known: it says which rollback is under way, should this one be cut off.
    const isKnown = state.checkpoints.some((known) => known.tree === from);
    if (cut === null || !isKnown) await journal.append([before]);
    const changed = await workspace.restore(checkpoint.tree);
    await journal.append([
      {
        kind: "RolledBack",
        actor: "user",
        data: {
          reason,
          tree: checkpoint.tree,
          from,
          call: null,
          checkpoint: checkpoint.label === "start" ? null : checkpoint.id,
        },
      },
    ]);
    // What the agent was told not to repeat is there for people at once, and for whoever begins anew.
    await journal.append(await continuityDrafts(workspace, journal.state));
    return { checkpoint, from, changed };
  });
}

export interface SessionDiff {
  /** Null for a session that used no tool: it has no workspace and changed nothing. */
  readonly base: TreeHash | null;
  readonly tree: TreeHash | null;
  readonly changes: readonly FileChange[];
  readonly patch: string;
}

/** The session's work so far. While it is driven, up to its last snapshot. */
export async function diffSession(host: Host, session: SessionId): Promise<SessionDiff> {
  const work = await workOf(host, session);
  if (work === null) return { base: null, tree: null, changes: [], patch: "" };
  const { base, tree, workspace } = work;
  if (base === tree) return { base, tree, changes: [], patch: "" };
  return { base, tree, changes: await workspace.changes(base, tree), patch: await workspace.diff(base, tree) };
}

/** The files of `diffSession` alone, which takes half the time. */
export async function changesOfSession(host: Host, session: SessionId): Promise<readonly FileChange[]> {
  const work = await workOf(host, session);
  if (work === null || work.base === work.tree) return [];
  const { workspace, base, tree, directory } = work;
  const [changes, redactor] = await Promise.all([workspace.changes(base, tree), host.redactor(directory)]);
  // A model chose the names.
  return changes.map((change) => ({ ...change, path: redactor.redact(change.path).text }));
}

interface Work {
  readonly base: TreeHash;
  readonly tree: TreeHash;
  readonly workspace: Workspace;
  /** Of the session. */
  readonly directory: string;
}

async function workOf(host: Host, session: SessionId): Promise<Work | null> {
  const { row, state } = await loadSession(host.store, LOCAL_TENANT, session);
  requireNoBatch(state, NO_FILES);
  if (state.workspace === null) return null;
  const { base, tree: known } = state.workspace;
  const workspace = await openWorkspaceOf(host, state, row.place);
  const driven = row.owner !== null && (await host.ownerAlive(row.owner)) !== false;
  return { base, tree: driven ? known : (await workspace.snapshot()).tree, workspace, directory: row.place.directory };
}

/**
 * Brings the work into the user's repository.
 * @param steering also what steers other programs: a person has looked at it
 * @throws `merge_conflict`, `work_would_be_lost`, `usage` where it was not looked at: then nothing was changed
 */
export async function deliverSession(
  host: Host,
  session: SessionId,
  how: "merge" | "apply",
  steering = false,
): Promise<Delivered> {
  return withJournal(host, session, async (journal, place) => {
    const { state } = journal;
    requireNoBatch(state, NO_FILES);
    const workspace = await openWorkspaceOf(host, state, place);
    const { base } = workspaceState(state);
    const { tree } = await workspace.snapshot();
    const delivered = await workspace[how]({ base, tree, message: state.title, protected: steering });
    await journal.append([
      {
        kind: "WorkDelivered",
        actor: "user",
        data: { how, tree, commit: delivered.commit, files: delivered.files.length },
      },
    ]);
    return delivered;
  });
}

/** Sub-agents of one session that are removed with it. */
const AGENTS_REMOVED_MAX = 5_000;

/** Removes a session with its sub-agents, its workspace and its secrets. The user's repository is left alone. @throws `lease_held` */
export async function removeSession(host: Host, session: SessionId): Promise<void> {
  const tree = await host.store.listSessions({ tenant: LOCAL_TENANT, root: session, limit: AGENTS_REMOVED_MAX });
  for (const one of tree)
    if (one.summary.agent !== undefined && one.session !== session) await removeOne(host, one.session);
  await removeOne(host, session);
  await host.store.pruneBlobs(LOCAL_TENANT);
}

async function removeOne(host: Host, session: SessionId): Promise<void> {
  const lease = await claimSession(host, session);
  const row = await host.store.getSession(LOCAL_TENANT, session);
  try {
    if (row !== null) await removeSessionDirectory(row.place.directory);
  } finally {
    await host.store.release(lease);
  }
  await host.store.deleteSession(LOCAL_TENANT, session);
}

export interface Pruned {
  readonly session: SessionId;
  /** `kept`: it holds work that was not brought back. */
  readonly what: "removed" | "kept";
}

export interface PruneRequest {
  /** Sessions without an event for this long, in milliseconds. */
  readonly idle_ms: number;
  /** Also those whose work was not brought back. */
  readonly force: boolean;
  /** Only says what would be done. */
  readonly dry_run: boolean;
}

/** Removes the workspaces of old sessions; journals stay. Work that was not brought back is kept. */
export async function pruneWorkspaces(host: Host, request: PruneRequest): Promise<readonly Pruned[]> {
  const before = (await host.store.now()) - request.idle_ms;
  const rows = await host.store.listSessions({ tenant: LOCAL_TENANT, limit: PRUNED_MAX });
  const pruned: Pruned[] = [];
  for (const { session, updated_at, place } of rows) {
    if (updated_at > before || !existsSync(place.directory)) continue;
    const what = await pruneOne(host, session, request);
    if (what !== null) pruned.push({ session, what });
  }
  return pruned;
}

/** Null when there is nothing to remove, or somebody drives it. */
async function pruneOne(
  host: Host,
  session: SessionId,
  { force, dry_run }: PruneRequest,
): Promise<Pruned["what"] | null> {
  const { row, state } = await loadSession(host.store, LOCAL_TENANT, session);
  if (row.owner !== null && (await host.ownerAlive(row.owner)) !== false) return null;
  if (state.workspace === null) {
    if (state.run !== null || !hasParts(row.place)) return null;
    return dry_run ? "removed" : withJournal(host, session, (_journal, place) => partsRemoved(place));
  }
  const { base, tree } = state.workspace;
  // A run that was cut off may have changed more than its last snapshot knows.
  const open = tree !== base && state.delivered !== tree;
  if ((open || state.run !== null || !state.workspace.snapshots) && !force) return "kept";
  if (dry_run) return "removed";
  return withJournal(host, session, async (journal, place) => {
    let workspace: Workspace;
    try {
      workspace = await openWorkspaceOf(host, journal.state, place);
    } catch (error) {
      if (error instanceof HarnessError && error.kind === "workspace_missing")
        return hasParts(place) ? partsRemoved(place) : null;
      throw error;
    }
    await journal.append([{ kind: "WorkspaceRemoved", actor: "user", data: { reason: "cleaned up" } }]);
    await workspace.remove();
    return "removed" as const;
  });
}

/** A crash leaves parts of a workspace that never was whole, or is none any more. */
function hasParts({ directory }: SessionPlace): boolean {
  const { tree, objects_git } = layoutOf(directory);
  return existsSync(tree) || existsSync(objects_git);
}

async function partsRemoved({ directory }: SessionPlace): Promise<"removed"> {
  await removeParts(layoutOf(directory));
  return "removed";
}

async function withJournal<T>(
  host: Host,
  session: SessionId,
  work: (journal: Journal, place: SessionPlace) => Promise<T>,
): Promise<T> {
  const { row } = await loadSession(host.store, LOCAL_TENANT, session);
  const lease = await claimSession(host, session);
  const { journal } = await openForWriting(host, lease, row.place);
  try {
    return await work(journal, row.place);
  } finally {
    await journal.close();
  }
}

/** A run was cut off in the middle of a call: its processes end and it gets a result, so that no later resume undoes the rollback. */
async function endOpenCalls(host: Host, journal: Journal): Promise<void> {
  const { state } = journal;
  const open = state.batch.filter((call) => call.result === null);
  const processes = [...open.flatMap((call) => call.processes), ...state.processes.map((entry) => entry.process)];
  await Promise.all(processes.map((process) => host.endProcess(process)));
  const closed = open.map((call): Draft =>
    call.status === "started"
      ? notRun(
          call.part.call,
          "interrupted",
          "interrupted: belay was stopped while this ran, and the user then set the files back.",
        )
      : notRun(call.part.call, "canceled", "Not run: the user set the files back."),
  );
  if (closed.length > 0) await journal.append(closed);
}

/** The tree that an older rollback was about to replace when it was cut off: repeated, it goes where that one went. */
function cutRollback(state: SessionState): TreeHash | null {
  const last = state.checkpoints.at(-1);
  return last?.label === BEFORE_ROLLBACK && last.tree === state.workspace?.tree ? last.tree : null;
}

function chooseCheckpoint(state: SessionState, to: CheckpointId | null, current: TreeHash): Checkpoint {
  const chosen =
    to === null
      ? state.checkpoints.findLast(({ tree, label }) => tree !== current && label !== BEFORE_ROLLBACK)
      : state.checkpoints.find((checkpoint) => checkpoint.id === to);
  if (chosen !== undefined) return chosen;
  throw to === null
    ? new HarnessError(
        "usage",
        `Session ${state.session} has no checkpoint that differs from its files.`,
        "There is nothing to roll back.",
      )
    : new HarnessError(
        "usage",
        `Session ${state.session} has no checkpoint ${to}.`,
        "`belay sessions show` lists its checkpoints.",
      );
}

async function openWorkspaceOf(host: Host, state: SessionState, place: SessionPlace): Promise<Workspace> {
  workspaceState(state);
  const mode = state.config?.workspace.mode ?? "clone";
  return host.workspaces.open({ mode, source: place.source, directory: place.directory, branch: branchOf(state) });
}

function workspaceState(state: SessionState): NonNullable<SessionState["workspace"]> {
  if (state.workspace !== null) return state.workspace;
  throw new HarnessError(
    "workspace_missing",
    `Session ${state.session} has no workspace: it ended before its first tool.`,
    "Resume it, or start a new session.",
  );
}
