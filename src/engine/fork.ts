/**
 * Forks a session: a new one whose journal is the parent's up to one event, and whose files are those that the parent had
 * there. The parent is only read; it may be driven meanwhile, and removed afterwards.
 */
import { dirname, join } from "node:path";
import type { Event } from "../kernel/events/index.ts";
import { emptyState, isUnknown } from "../kernel/fold.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../kernel/ids.ts";
import type { SessionState } from "../kernel/state.ts";
import { readEvents } from "../store/journal.ts";
import type { SessionRow } from "../store/port.ts";
import type { Host } from "./host.ts";
import { branchOf } from "./run.ts";
import { requireNoBatch } from "./no-batch.ts";
import { noSession } from "./session.ts";
import { type FilesAt, filesAfter, NO_FILES, treeToldBy } from "./transfer/files-at.ts";
import {
  addDrafts,
  addResealed,
  type Identity,
  newJournal,
  type NewJournal,
  storeJournal,
  withSessionDirectory,
} from "./transfer/new-journal.ts";

export interface ForkRequest {
  readonly session: SessionId;
  /** The last event that the fork has; null: the last there is. */
  readonly at: number | null;
}

export interface Forked {
  readonly session: SessionId;
  readonly from: SessionId;
  readonly seq: number;
  readonly turns: number;
  /** Where the fork's files are; null when the parent had no workspace yet. */
  readonly workspace: string | null;
  /** False when the last changes before `seq` were never snapshotted: they are missing in the fork. */
  readonly exact: boolean;
}

/** @throws `session_not_found`, `usage`, `event_unknown`, `workspace_missing`, `snapshot_too_large` */
export async function forkSession(host: Host, request: ForkRequest): Promise<Forked> {
  const row = await host.store.getSession(LOCAL_TENANT, request.session);
  if (row === null) throw noSession(request.session);
  const seq = request.at ?? row.last_seq;
  if (seq > row.last_seq) throw pastTheEnd(row, seq);
  const session = host.ids.session();
  const to: Identity = {
    tenant: row.tenant,
    principal: row.principal,
    session,
    root: row.root,
    trace: host.ids.trace(),
  };
  const { journal, files, hash } = await copied(host, row, to, seq);
  requireNoBatch({ ...journal.state, session: row.session }, "two of it would collect and pay for the same answers");
  const place = { ...row.place, directory: join(dirname(row.place.directory), session) };
  return withSessionDirectory(place.directory, async () => {
    await host.transfer.copySecrets(row.place.directory, place.directory);
    const made = await makeFiles(host, { row, state: journal.state, files, directory: place.directory, to });
    const redactor = await host.redactor(place.directory);
    const workspace = made && { mode: made.mode, branch: branchOf(to), tree: made.tree, exact: files.exact };
    await addDrafts(host, journal, to, redactor, [
      { kind: "SessionForked", actor: "user", data: { from: row.session, seq, hash, workspace } },
    ]);
    await redactor.flush();
    await storeJournal(host, journal, to, place);
    const { turn } = journal.state;
    return { session, from: row.session, seq, turns: turn, workspace: made?.root ?? null, exact: files.exact };
  });
}

interface Copied {
  readonly journal: NewJournal;
  readonly files: FilesAt;
  /** Of the parent's event at `seq`. */
  readonly hash: string;
}

async function copied(host: Host, row: SessionRow, to: Identity, seq: number): Promise<Copied> {
  const journal = newJournal(emptyState(to));
  let files = NO_FILES;
  let hash = "";
  for await (const event of readEvents(host.store, row.tenant, row.session)) {
    if (event.seq > seq) {
      // The changes of the last calls may be in a tree that was recorded only later.
      const told = files.exact ? "unknown" : treeToldBy(event);
      if (told === null) continue;
      if (told !== "unknown") files = { ...files, tree: told, exact: true };
      break;
    }
    addResealed(journal, known(event, row.session), to, { session: row.session, call: null });
    files = filesAfter(files, event);
    hash = event.hash;
  }
  if (journal.state.config === null) throw beforeConfiguration(row, seq);
  return { journal, files, hash };
}

function known(event: Parameters<typeof isUnknown>[0], session: SessionId): Event {
  if (!isUnknown(event)) return event;
  throw new HarnessError(
    "event_unknown",
    `Event ${event.seq} of session ${session} is of the kind ${event.kind}, which this version does not know.`,
    "Fork it with the version that wrote it, or at an earlier event with --at.",
  );
}

interface FilesRequest {
  readonly row: SessionRow;
  readonly state: SessionState;
  readonly files: FilesAt;
  readonly directory: string;
  readonly to: Identity;
}

interface MadeFiles {
  readonly root: string;
  readonly mode: "clone" | "copy" | "in_place";
  readonly tree: NonNullable<FilesAt["tree"]>;
}

/** Null when the parent had no workspace at that event: the fork makes its own when it needs one. */
async function makeFiles(host: Host, { row, state, files, directory, to }: FilesRequest): Promise<MadeFiles | null> {
  if (state.workspace === null || files.tree === null) return null;
  if (!state.workspace.snapshots) throw withoutSnapshots(row);
  try {
    const { workspace } = await host.transfer.recreate({
      directory,
      branch: branchOf(to),
      base: state.workspace.base,
      tree: files.tree,
      trees: [],
      commit: files.commit,
      from: { kind: "workspace", directory: row.place.directory },
      signal: new AbortController().signal,
    });
    return { root: workspace.root, mode: workspace.mode, tree: files.tree };
  } catch (error) {
    if (!(error instanceof HarnessError) || error.kind !== "workspace_missing") throw error;
    throw new HarnessError(
      "workspace_missing",
      `The files that a fork of session ${row.session} would start from are not here: its workspace was removed, or is on another machine.`,
      "Fork it there, or at an event before its first tool (`belay sessions export` lists them), or start a new session.",
      { cause: error },
    );
  }
}

function withoutSnapshots(row: SessionRow): HarnessError {
  return new HarnessError(
    "snapshot_too_large",
    `Session ${row.session} has too many files for snapshots, so what they were at an event is not known.`,
    "Fork it at an event before its first tool, or start a new session.",
  );
}

function pastTheEnd(row: SessionRow, seq: number): HarnessError {
  return new HarnessError(
    "usage",
    `Session ${row.session} has ${row.last_seq} events; there is no event ${seq}.`,
    "Name one of them with --at, or leave --at away for the last.",
  );
}

function beforeConfiguration(row: SessionRow, seq: number): HarnessError {
  return new HarnessError(
    "usage",
    `Session ${row.session} was not configured yet at event ${seq}.`,
    "Name a later event with --at.",
  );
}
