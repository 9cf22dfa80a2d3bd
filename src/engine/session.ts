/** Starting and resuming sessions: the row, the lease, the first events of a run, and then the loop. */
import { relative } from "node:path";
import { environmentNote } from "../context/environment-note.ts";
import { DEFAULT_BUDGET } from "../kernel/budget.ts";
import type { SessionConfig } from "../kernel/config.ts";
import type { PlainPart } from "../kernel/content.ts";
import type { Delta } from "../kernel/delta.ts";
import type { Draft, Event, EventOf } from "../kernel/events/index.ts";
import { hashOf } from "../kernel/envelope.ts";
import { neutralise } from "../kernel/neutralise.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_PRINCIPAL, LOCAL_TENANT, type SessionId } from "../kernel/ids.ts";
import { canonicalJson } from "../kernel/json.ts";
import { phaseOfRun } from "../kernel/model-in-use.ts";
import { NO_FALLBACK } from "../kernel/model-policy.ts";
import { DEFAULT_CONFINEMENT, DEFAULT_FLOW, NO_RULES } from "../kernel/permissions.ts";
import { FOLD_VERSION, type SessionState } from "../kernel/state.ts";
import { type Journal, openJournal } from "../store/journal.ts";
import type { Lease, SessionPlace } from "../store/port.ts";
import { drive } from "./drive.ts";
import type { Host } from "./host.ts";
import { keepLease } from "./lease-keeper.ts";
import { channel } from "./channel.ts";
import { requireNoBatch } from "./no-batch.ts";
import { type Instant, instantOf, LEASE_TTL_MS, ownership } from "./ownership.ts";
import { promptOf } from "./prompt.ts";
import { NO_NOTES, noted, type RunNotes, type RunReport, reportOf } from "./report.ts";
import { createDrive, type Drive } from "./run.ts";
import { type CancelBy, requestStop, watchTime } from "./stopping.ts";
import { newSummary } from "../store/summary.ts";

/** How long the first request has the machine to itself, in milliseconds. */
const PREPARE_AFTER_MS = 15;

/** A session that this process drives. */
export interface LiveSession {
  readonly session: SessionId;
  /** Settles when the run ended; never rejects. The journal is closed and the lease given up. */
  readonly done: Promise<RunReport>;
  /** Durable events. What came before the first listener is handed to it at once. */
  onEvents(listener: (events: readonly Event[]) => void): () => void;
  /** Tokens and progress, as they come; may be dropped. */
  onDelta(listener: (delta: Delta) => void): () => void;
  cancel(by: CancelBy, reason: string): void;
  state(): SessionState;
  /** The error behind a failed run, with its cause and stack; null when there is none. */
  failure(): unknown;
}

/** What a program that uses the library may leave away. */
type Defaulted = "models" | "budget" | "permissions" | "flow" | "confinement";

export interface StartRequest {
  readonly task: readonly PlainPart[];
  readonly title: string;
  /** Without `models` nothing takes over for the one that is named; without `budget` the default cap of $5 holds; without `permissions` no
   * rules; `flow` and `confinement` have defaults too. */
  readonly config: Omit<SessionConfig, "versions" | Defaulted> & Partial<Pick<SessionConfig, Defaulted>>;
  /** `directory` names the directory below which the session's own is made. */
  readonly place: Omit<SessionPlace, "directory"> & { readonly sessions: string };
  /** What the face found about its surroundings: journaled as the run begins. Default nothing. */
  readonly health?: readonly Health[];
}

type Health = EventOf<"HealthChanged">["data"];

export interface ResumeRequest {
  readonly session: SessionId;
  readonly message: readonly PlainPart[] | null;
  /** Changes the configuration; null leaves it as it was. */
  readonly change: ((config: SessionConfig) => SessionConfig) | null;
  /** As of a start. */
  readonly health?: readonly Health[];
}

type Versioned = Pick<SessionConfig, "permissions" | "flow">;

export function versionsOf(host: Host, { permissions, flow }: Versioned): SessionConfig["versions"] {
  const { versions, bytes } = promptOf(host.tools);
  const rules = hashOf(canonicalJson({ rules: permissions.rules, grants: flow.grants }));
  return { belay: host.version, ...versions, rules, fold: FOLD_VERSION, prompt_bytes: bytes };
}

const DEFAULTS: Pick<SessionConfig, Defaulted> = {
  models: NO_FALLBACK,
  budget: DEFAULT_BUDGET,
  permissions: NO_RULES,
  flow: DEFAULT_FLOW,
  confinement: DEFAULT_CONFINEMENT,
};

export async function startSession(host: Host, request: StartRequest): Promise<LiveSession> {
  const session = host.ids.session();
  const place: SessionPlace = {
    cwd: request.place.cwd,
    source: request.place.source,
    directory: `${request.place.sessions}/${session}`,
  };
  const wanted = { ...DEFAULTS, ...request.config };
  const config: SessionConfig = { ...wanted, versions: versionsOf(host, wanted) };
  // The row is kept like the journal: no secret in it either.
  const redactor = await host.redactor(place.directory);
  const title = redactor.redact(request.title).text;
  await redactor.flush();
  await host.store.createSession({
    tenant: LOCAL_TENANT,
    principal: LOCAL_PRINCIPAL,
    session,
    root: session,
    trace: host.ids.trace(),
    place,
    priority: 0,
    summary: newSummary(title, config.model),
  });
  const lease = await claimSession(host, session);
  return launch(host, lease, place, () => [
    { kind: "SessionCreated", actor: "user", data: { title } },
    { kind: "SessionConfigured", actor: "user", data: { config } },
    runStarted(host, 1, "start"),
    ...phaseDrafts(null, config),
    ...healthOf(request),
    ...workspaceLabel(config),
    {
      kind: "UserMessageAdded",
      actor: "user",
      data: {
        parts: [
          environmentNote(config.workspace.mode, isoDay(host.clock.now()), relative(place.source, place.cwd)),
          ...shown(request.task),
        ],
      },
    },
  ]);
}

/** Why a batch is not resumed as a session is. */
export const GOES_ON_ELSEWHERE = "another command goes on with it";

export async function resumeSession(host: Host, request: ResumeRequest): Promise<LiveSession> {
  const { session, message, change } = request;
  const lease = await claimSession(host, session);
  const row = await host.store.getSession(LOCAL_TENANT, session);
  if (row === null) throw noSession(session);
  return launch(host, lease, row.place, (state) => {
    requireNoBatch(state, GOES_ON_ELSEWHERE);
    const { config } = state;
    if (config === null) {
      throw new HarnessError(
        "config_changed",
        `Session ${session} ended before it was configured.`,
        "Start a new session.",
      );
    }
    if (message === null && state.messages.length === 0) throw noTask(session);
    const chosen = change?.(config) ?? config;
    const wanted: SessionConfig = { ...chosen, versions: versionsOf(host, chosen) };
    const changed = differences(config, wanted);
    return [
      ...(changed.length === 0
        ? []
        : ([{ kind: "SettingsChanged", actor: "user", data: { config: wanted, changed } }] satisfies Draft[])),
      runStarted(host, state.runs + 1, "resume"),
      ...phaseDrafts(state.phase, wanted),
      ...healthOf(request),
      ...(message === null
        ? []
        : ([{ kind: "UserMessageAdded", actor: "user", data: { parts: shown(message) } }] satisfies Draft[])),
    ];
  });
}

/** What nobody sees is no part of what somebody said. */
function shown(parts: readonly PlainPart[]): PlainPart[] {
  return parts.map((part) => (part.type === "text" ? { ...part, text: neutralise(part.text).text } : part));
}

/** What a run may do names its phase: `plan`, or `work`. */
function phaseDrafts(present: string | null, config: SessionConfig): readonly Draft[] {
  const phase = phaseOfRun(config);
  if (phase === present) return [];
  return [
    ...(present === null ? [] : [{ kind: "PhaseLeft", data: { phase: present } } satisfies Draft]),
    ...(phase === null ? [] : [{ kind: "PhaseEntered", data: { phase } } satisfies Draft]),
  ];
}

/** What the workspace holds from its start on. */
function workspaceLabel({ flow }: SessionConfig): readonly Draft[] {
  if (flow.untrusted === null) return [];
  return [{ kind: "LabelRaised", data: { label: "untrusted", what: `the workspace: ${flow.untrusted}`, call: null } }];
}

function healthOf({ health = [] }: { readonly health?: readonly Health[] }): readonly Draft[] {
  return health.map((data): Draft => ({ kind: "HealthChanged", data }));
}

/** A lease, and the moment before it was asked for. */
export interface HeldLease extends Lease {
  readonly asked: Instant;
}

/** Claims the lease; an owner on this machine that is proven dead is superseded at once. @throws `lease_held`, `session_not_found` */
export async function claimSession(host: Host, session: SessionId): Promise<HeldLease> {
  const row = await host.store.getSession(LOCAL_TENANT, session);
  if (row === null) throw noSession(session);
  const dead = row.owner !== null && (await host.ownerAlive(row.owner)) === false;
  const asked = instantOf(host.clock);
  const lease = await host.store.claim({
    tenant: LOCAL_TENANT,
    session,
    owner: host.owner(),
    ttl_ms: LEASE_TTL_MS,
    ...(dead && row.owner ? { supersede: row.owner.token } : {}),
  });
  return { ...lease, asked };
}

function noTask(session: SessionId): HarnessError {
  return new HarnessError(
    "usage",
    `Session ${session} has no task yet: it is a fork from before its parent's.`,
    `Say what to do: \`belay resume ${session} --message "…"\`.`,
  );
}

export function noSession(session: SessionId): HarnessError {
  return new HarnessError(
    "session_not_found",
    `There is no session ${session}.`,
    "List the sessions with `belay sessions list`.",
  );
}

/** Opens a session's journal for writing; gives the lease back when that fails. */
export async function openForWriting(
  host: Host,
  lease: Lease,
  place: SessionPlace,
): Promise<{ readonly journal: Journal; readonly redactor: Drive["redactor"] }> {
  try {
    const redactor = await host.redactor(place.directory);
    const { tenant, session } = lease;
    const journal = await openJournal({ store: host.store, tenant, session, lease, redactor, spans: host.ids });
    return { journal, redactor };
  } catch (error) {
    await host.store.release(lease);
    throw error;
  }
}

async function launch(
  host: Host,
  lease: HeldLease,
  place: SessionPlace,
  first: (state: SessionState) => readonly Draft[],
): Promise<LiveSession> {
  const { journal, redactor } = await openForWriting(host, lease, place);
  const events = channel<readonly Event[]>();
  const deltas = channel<Delta>();
  let failure: unknown = null;
  const run = createDrive({
    host,
    place,
    journal,
    redactor,
    ownership: ownership(journal, host.clock, lease.asked),
    onDelta: deltas.emit,
    onError: (error) => (failure = error),
  });
  let notes = NO_NOTES;
  journal.onAppend((all) => {
    notes = all.reduce(noted, notes);
  });
  journal.onAppend(events.emit);
  try {
    // Before anything is paid for: without its files a session cannot go on.
    if (journal.state.workspace !== null) await run.workspace();
    await journal.append(first(journal.state));
  } catch (error) {
    await journal.close();
    throw error;
  }
  const cancel = (by: CancelBy, reason: string): void => void requestStop(run, by, reason);
  return {
    session: lease.session,
    done: driveToEnd(run, journal, cancel, () => notes),
    onEvents: events.listen,
    onDelta: deltas.listen,
    cancel,
    state: () => journal.state,
    failure: () => failure,
  };
}

async function driveToEnd(
  run: Drive,
  journal: Journal,
  cancel: LiveSession["cancel"],
  notes: () => RunNotes,
): Promise<RunReport> {
  const { clock, store } = run.host;
  const started = clock.monotonic();
  const runId = journal.state.run?.id ?? null;
  const keeper = keepLease(
    { store, lease: journal.lease, ownership: run.ownership, clock },
    {
      onCancelRequested: () => cancel("user", "canceled from another terminal"),
      onLost: (error) => {
        run.failedWith(error);
        run.abort("failed");
      },
    },
  );
  const watch = watchTime(run);
  if (journal.state.workspace === null) void prepareBeside(run, watch.signal);
  const end = await drive(run);
  watch.abort();
  // Nothing of a run is at work when it is done: its directory may be removed, or another process may go on.
  await run.endPreparing();
  await keeper.stop();
  await closeQuietly(journal);
  return reportOf({
    state: journal.state,
    notes: notes(),
    end,
    run: runId,
    duration_ms: clock.monotonic() - started,
    workspace: await rootOf(run),
  });
}

/** Where the work is; null where it is gone or cannot be opened: that is no reason not to report how the run ended. */
async function rootOf(run: Drive): Promise<string | null> {
  if (run.state().workspace === null) return null;
  try {
    return (await run.workspace()).root;
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return null;
  }
}

/**
 * The workspace is begun early, so that it is ready when the first answer asks for a tool; but not before the first request
 * had time to leave: making a workspace keeps both processor and disk busy.
 */
async function prepareBeside(run: Drive, over: AbortSignal): Promise<void> {
  await run.host.clock.sleep(PREPARE_AFTER_MS, over);
  if (!over.aborted && !run.signal.aborted) void run.preparing();
}

/** The journal is durable without its closing snapshot; a store that failed has already been reported as the run's end. */
async function closeQuietly(journal: Journal): Promise<void> {
  try {
    await journal.close();
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
  }
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, "2026-01-31".length);
}

function runStarted(host: Host, number: number, reason: "start" | "resume"): Draft {
  return { kind: "RunStarted", data: { run: host.ids.run(), number, reason, pid: host.owner().pid } };
}

/** Names of the members (one level deep) that differ. */
function differences(before: SessionConfig, after: SessionConfig): string[] {
  const names = Object.keys(after) as (keyof SessionConfig)[]; // a SessionConfig has no other keys
  return names.filter((name) => canonicalJson(before[name]) !== canonicalJson(after[name]));
}
