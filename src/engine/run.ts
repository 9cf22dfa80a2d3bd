/** What one run carries while it is driven: the journal, its surroundings, and the signal that stops everything. */
import type { Delta } from "../kernel/delta.ts";
import type { Draft, Event } from "../kernel/events/index.ts";
import type { SessionConfig } from "../kernel/config.ts";
import { invariant } from "../kernel/harness-error.ts";
import type { SessionState } from "../kernel/state.ts";
import type { Journal } from "../store/journal.ts";
import type { SessionPlace } from "../store/port.ts";
import type { Redactor } from "../store/redaction.ts";
import { redactedDeltas } from "../store/redaction-stream.ts";
import type { RunningCommand, Shell } from "../workspace/shell.ts";
import type { PreparedWorkspace, Workspace } from "../workspace/workspace.ts";
import type { Host } from "./host.ts";
import type { AgentSessions } from "./agents/agent-sessions.ts";
import { type ProjectContext, projectContext } from "./project-context.ts";
import type { Prompt } from "./prompt.ts";
import { layoutOf } from "../workspace/layout.ts";
import { ownedWorkspace, type Ownership } from "./ownership.ts";

export type StopReason = "canceled" | "limit" | "failed";

export interface Drive {
  readonly host: Host;
  readonly place: SessionPlace;
  /** Where the session works, absolute. */
  readonly root: string;
  readonly redactor: Redactor;
  /** What every request of this run begins with: what the session is held to. */
  readonly prompt: Prompt;
  /** What the project tells agents. */
  readonly project: ProjectContext;
  /** Starts what the run hands on. */
  readonly sessions: AgentSessions;
  /** When this run began, monotonic. */
  readonly began: number;
  readonly ownership: Ownership;
  /** Aborted when the run has to stop; the reason is a `StopReason`. */
  readonly signal: AbortSignal;
  readonly interactive: Map<string, RunningCommand>;
  state(): SessionState;
  config(): SessionConfig;
  record(drafts: readonly Draft[]): Promise<readonly Event[]>;
  /** For results, when what follows at once begins with a record of its own: both are stored with one sync. */
  stage(drafts: readonly Draft[]): Promise<void>;
  /** Stores what is staged. Before anything that takes time. */
  settle(): Promise<void>;
  delta(delta: Delta): void;
  abort(reason: StopReason): void;
  /** Keeps the error for `--debug`. */
  failedWith(error: unknown): void;
  /** What `failedWith` heard first; null for nothing. */
  failure(): unknown;
  /** Starts making the workspace, or gives the attempt under way: it runs beside the first model call. */
  preparing(): Promise<PreparedWorkspace>;
  /** Stops a preparation that nobody needs any more, and settles when nothing of it is at work. */
  endPreparing(): Promise<void>;
  /** The workspace of this session; opens it when an older run made it. */
  workspace(): Promise<Workspace>;
  shell(): Promise<Shell>;
  endInteractive(): Promise<void>;
}

export interface DriveParts {
  readonly host: Host;
  readonly place: SessionPlace;
  readonly journal: Journal;
  readonly redactor: Redactor;
  readonly prompt: Prompt;
  readonly sessions: AgentSessions;
  readonly ownership: Ownership;
  readonly onDelta: (delta: Delta) => void;
  readonly onError: (error: unknown) => void;
}

export function createDrive(parts: DriveParts): Drive {
  const { host, place, journal } = parts;
  const stop = new AbortController();
  const over = new AbortController();
  const interactive = new Map<string, RunningCommand>();
  let preparing: Promise<PreparedWorkspace> | null = null;
  let workspace: Promise<Workspace> | null = null;
  let shell: Promise<Shell> | null = null;
  let project: ProjectContext | null = null;
  let failure: unknown = null;
  // What is shown may be kept by whoever shows it (a log of CI, say), as a journal is.
  const deltas = redactedDeltas(parts.redactor, parts.onDelta);

  const drive: Drive = {
    host,
    place,
    get root() {
      return rootOf(place, journal.state);
    },
    redactor: parts.redactor,
    prompt: parts.prompt,
    get project() {
      return (project ??= projectContext(drive));
    },
    sessions: parts.sessions,
    began: host.clock.monotonic(),
    ownership: parts.ownership,
    signal: stop.signal,
    interactive,
    state: () => journal.state,
    config: () => {
      const { config } = journal.state;
      invariant(config !== null, "invariant D0: only a configured session is driven");
      return config;
    },
    record: async (drafts) => {
      deltas.ended(drafts);
      return drafts.length === 0 ? [] : journal.append(drafts);
    },
    stage: async (drafts) => {
      deltas.ended(drafts);
      return journal.stage(drafts);
    },
    settle: async () => journal.flush(),
    delta: (delta) => {
      deltas.push(delta);
    },
    abort: (reason) => {
      if (!stop.signal.aborted) stop.abort(reason);
    },
    failedWith: (error) => {
      failure ??= error;
      parts.onError(error);
    },
    failure: () => failure,
    preparing: () => (preparing ??= unhandledLater(prepare(drive, over.signal))),
    endPreparing: async () => {
      over.abort("ended");
      await preparing?.catch(() => undefined); // whoever needed it has seen its failure
    },
    workspace: () => (workspace ??= openWorkspace(drive)),
    shell: () => (shell ??= drive.workspace().then((opened) => openShell(opened, drive))),
    endInteractive: async () => {
      await Promise.all([...interactive.values()].map((command) => command.kill("stopped")));
      interactive.clear();
    },
  };
  return drive;
}

function openShell(workspace: Workspace, { host, config }: Drive): Promise<Shell> {
  const { sandbox, confinement } = config();
  return host.shell(workspace, sandbox.mode, confinement);
}

function prepare(drive: Drive, over: AbortSignal): Promise<PreparedWorkspace> {
  const { workspace } = drive.config();
  const request = {
    mode: workspace.mode,
    source: drive.place.source,
    directory: drive.place.directory,
    base: workspace.base,
    branch: branchOf(drive.state()),
    signal: AbortSignal.any([drive.signal, over]),
  };
  // It begins with the removal of whatever stands there.
  return drive.ownership.whileOwned(() => drive.host.workspaces.prepare(request));
}

async function openWorkspace(drive: Drive): Promise<Workspace> {
  if (drive.state().workspace === null) return ownedWorkspace((await drive.preparing()).workspace, drive.ownership);
  const opened = await drive.host.workspaces.open({
    mode: drive.config().workspace.mode,
    source: drive.place.source,
    directory: drive.place.directory,
    branch: branchOf(drive.state()),
  });
  return ownedWorkspace(opened, drive.ownership);
}

/** Where commands run and relative paths start. */
export function rootOf({ directory, source }: SessionPlace, { config }: Pick<SessionState, "config">): string {
  return config?.workspace.mode === "in_place" ? source : layoutOf(directory).tree;
}

export function branchOf(state: Pick<SessionState, "session">): string {
  return `belay/${state.session}`;
}

/** The work begins before anybody awaits it, and perhaps nobody will: its failure is seen by whoever does, and ends no process. */
function unhandledLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
