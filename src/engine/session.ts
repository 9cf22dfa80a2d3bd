/** Starting and resuming sessions: the row, the lease, the first events of a run, and then the loop. */
import type { EnvironmentFacts } from "../context/environment-note.ts";
import { DEFAULT_BUDGET } from "../kernel/budget.ts";
import type { SessionConfig } from "../kernel/config.ts";
import type { PlainPart } from "../kernel/content.ts";
import type { Delta } from "../kernel/delta.ts";
import type { Draft, Event, EventOf } from "../kernel/events/index.ts";
import { hashOf, type Parent } from "../kernel/envelope.ts";
import { neutralise } from "../kernel/neutralise.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_PRINCIPAL, LOCAL_TENANT, type SessionId } from "../kernel/ids.ts";
import { canonicalJson } from "../kernel/json.ts";
import { NO_FALLBACK } from "../kernel/model-policy.ts";
import { DEFAULT_CONFINEMENT, DEFAULT_FLOW, NO_RULES } from "../kernel/permissions.ts";
import { DEFAULT_WORK, type WorkPolicy } from "../kernel/work-policy.ts";
import { FOLD_VERSION, type SessionState } from "../kernel/state.ts";
import { type Journal, openJournal } from "../store/journal.ts";
import type { Lease, SessionPlace } from "../store/port.ts";
import type { AgentBirth, AgentSessions } from "./agents/agent-sessions.ts";
import { createRow, labelDrafts, onlyByParent, stopWith } from "./agents/beginning.ts";
import { drive } from "./drive.ts";
import { freshDrafts, resumedPhase, type Review, reviewDrafts } from "./going-on.ts";
import type { Host } from "./host.ts";
import { withKnownWindow } from "./known-window.ts";
import { keepLease } from "./lease-keeper.ts";
import { channel } from "./channel.ts";
import { requireNoBatch } from "./no-batch.ts";
import { type Instant, instantOf, LEASE_TTL_MS, ownership } from "./ownership.ts";
import { phaseDrafts } from "./next-phase.ts";
import { appendPinned, isHeldTo, pinDraft, promptOfSession } from "./pinned.ts";
import { type Prompt, promptOf, type PromptPart } from "./prompt.ts";
import { beginning, saidLater } from "./project-context.ts";
import { NO_NOTES, noted, type RunNotes, type RunReport, reportOf } from "./report.ts";
import { dreamWhenDue } from "./memory/auto-dream.ts";
import { withRecall } from "./memory/recall.ts";
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
type Defaulted = "models" | "budget" | "permissions" | "flow" | "confinement" | keyof WorkPolicy;

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
  /** What shapes behaviour besides prompt, tools, rules and agents (skills, rule files): journaled by hash. Default nothing. */
  readonly parts?: readonly PromptPart[];
  /** What was found about the machine and the repository. Default nothing. */
  readonly facts?: EnvironmentFacts;
  /** It is a sub-agent. Default: a person's. */
  readonly agent?: AgentBirth;
}

type Health = EventOf<"HealthChanged">["data"];

export interface ResumeRequest {
  readonly session: SessionId;
  readonly message: readonly PlainPart[] | null;
  /** Changes the configuration; null leaves it as it was. */
  readonly change: ((config: SessionConfig) => SessionConfig) | null;
  /** A person looked at the work. Default null: a session that waits for that is not resumed. */
  readonly review?: Review | null;
  /** The message is another task, and begins with a fresh conversation. Default false. */
  readonly fresh?: boolean;
  /** As of a start. */
  readonly health?: readonly Health[];
  readonly parts?: readonly PromptPart[];
  /** From now on under this version's prompt and tools: what the provider has cached is read anew. Default false. */
  readonly repin?: boolean;
  /** Its parent resumes it. Default: a person does. */
  readonly agent?: { readonly signal: AbortSignal };
}

type Versioned = Pick<SessionConfig, "permissions" | "flow">;

/** @param prompt what is really sent */
export function versionsOf(
  host: Host,
  { permissions, flow }: Versioned,
  { versions, bytes }: Pick<Prompt, "versions" | "bytes"> = promptOf(host.tools),
): SessionConfig["versions"] {
  const rules = hashOf(canonicalJson({ rules: permissions.rules, grants: flow.grants }));
  return { belay: host.version, ...versions, rules, fold: FOLD_VERSION, prompt_bytes: bytes };
}

const DEFAULTS: Pick<SessionConfig, Defaulted> = {
  models: NO_FALLBACK,
  budget: DEFAULT_BUDGET,
  permissions: NO_RULES,
  flow: DEFAULT_FLOW,
  confinement: DEFAULT_CONFINEMENT,
  ...DEFAULT_WORK,
};

export async function startSession(host: Host, request: StartRequest): Promise<LiveSession> {
  const { agent } = request;
  const session = agent?.session ?? host.ids.session();
  const place: SessionPlace = {
    cwd: request.place.cwd,
    source: request.place.source,
    directory: `${request.place.sessions}/${session}`,
  };
  const wanted = await withKnownWindow({ ...DEFAULTS, ...request.config }, host.prices);
  const prompt = promptOf(host.tools);
  const config: SessionConfig = { ...wanted, versions: versionsOf(host, wanted, prompt) };
  // The row is kept like the journal: no secret in it either.
  const redactor = await host.redactor(place.directory);
  const title = redactor.redact(request.title).text;
  await redactor.flush();
  await createRow(host, agent !== undefined, {
    tenant: LOCAL_TENANT,
    principal: LOCAL_PRINCIPAL,
    session,
    root: agent?.root ?? session,
    trace: agent?.trace ?? host.ids.trace(),
    place,
    priority: 0,
    summary: newSummary(title, config.model, config.agents.kind),
  });
  const begin = await beginning(host, {
    config,
    place,
    prompt,
    task: shown(request.task),
    facts: request.facts ?? null,
  });
  const lease = await claimSession(host, session);
  return launch(host, lease, { place, repin: false, ...(agent === undefined ? {} : { agent }) }, () => [
    { kind: "SessionCreated", actor: "user", data: { title } },
    { kind: "SessionConfigured", actor: "user", data: { config } },
    pinDraft({ prompt, config, more: [...begin.versions, ...(request.parts ?? [])], reason: "start" }),
    runStarted(host, 1, "start"),
    ...phaseDrafts(null, config),
    ...healthOf(request),
    ...workspaceLabel(config),
    ...(agent === undefined ? [] : labelDrafts(agent.label)),
    ...begin.drafts,
    { kind: "UserMessageAdded", actor: "user", data: { parts: [...begin.parts] } },
  ]);
}

/** Why a batch is not resumed as a session is. */
export const GOES_ON_ELSEWHERE = "another command goes on with it";

export async function resumeSession(host: Host, request: ResumeRequest): Promise<LiveSession> {
  const { session, message, change, review = null, fresh = false } = request;
  const lease = await claimSession(host, session);
  const row = await host.store.getSession(LOCAL_TENANT, session);
  if (row === null) throw noSession(session);
  const { repin = false, parts = [] } = request;
  const agent = request.agent === undefined ? {} : { agent: request.agent };
  return launch(host, lease, { place: row.place, repin, ...agent }, (state, prompt) => {
    requireNoBatch(state, GOES_ON_ELSEWHERE);
    const { config } = state;
    if (request.agent === undefined && config?.agents.kind != null && state.workspace === null)
      throw onlyByParent(session, row.root);
    if (config === null) {
      throw new HarnessError(
        "config_changed",
        `Session ${session} ended before it was configured.`,
        "Start a new session.",
      );
    }
    if (message === null && state.messages.length === 0) throw noTask(session);
    const chosen = change?.(config) ?? config;
    const wanted: SessionConfig = { ...chosen, versions: versionsOf(host, chosen, prompt) };
    const changed = differences(config, wanted);
    const pins = state.pinned === null || !isHeldTo(state.pinned, prompt);
    const reviewed = reviewDrafts(state, wanted, review);
    const anew = fresh ? freshDrafts(state) : [];
    return [
      ...(pins ? [pinDraft({ prompt, config: wanted, more: parts, reason: repin ? "repin" : "resume" })] : []),
      ...(changed.length === 0
        ? []
        : ([{ kind: "SettingsChanged", actor: "user", data: { config: wanted, changed } }] satisfies Draft[])),
      runStarted(host, state.runs + 1, "resume"),
      ...reviewed,
      ...anew,
      ...resumedPhase(state, wanted, { more: message !== null, fresh }),
      ...healthOf(request),
      ...(message === null
        ? []
        : ([
            { kind: "UserMessageAdded", actor: "user", data: { parts: [...saidLater(shown(message), wanted, host)] } },
          ] satisfies Draft[])),
    ];
  });
}

/** What nobody sees is no part of what somebody said. */
function shown(parts: readonly PlainPart[]): PlainPart[] {
  return parts.map((part) => (part.type === "text" ? { ...part, text: neutralise(part.text).text } : part));
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
  parent?: Parent,
): Promise<{ readonly journal: Journal; readonly redactor: Drive["redactor"] }> {
  try {
    const redactor = await host.redactor(place.directory);
    const { tenant, session } = lease;
    const of = parent === undefined ? {} : { parent };
    const journal = await openJournal({ store: host.store, tenant, session, lease, redactor, spans: host.ids, ...of });
    return { journal, redactor };
  } catch (error) {
    await host.store.release(lease);
    throw error;
  }
}

/** What a run may start besides itself. */
const SESSIONS: AgentSessions = {
  start: startSession,
  resume: resumeSession,
  open: async (host, session, place) => (await openForWriting(host, await claimSession(host, session), place)).journal,
};

interface Launch {
  readonly place: SessionPlace;
  readonly repin: boolean;
  readonly agent?: Partial<Pick<AgentBirth, "parent">> & Pick<AgentBirth, "signal">;
}

async function launch(
  host: Host,
  lease: HeldLease,
  { place, repin, agent }: Launch,
  first: (state: SessionState, prompt: Prompt) => readonly Draft[],
): Promise<LiveSession> {
  const { journal, redactor } = await openForWriting(host, lease, place, agent?.parent);
  const prompt = await promptOfRun(host, journal, repin);
  const events = channel<readonly Event[]>();
  const deltas = channel<Delta>();
  let failure: unknown = null;
  const run = createDrive({
    host,
    place,
    journal,
    redactor,
    prompt,
    sessions: SESSIONS,
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
    await appendPinned(
      journal,
      host.store,
      prompt,
      await withRecall(first(journal.state, prompt), host, journal.state),
    );
  } catch (error) {
    await journal.close();
    throw error;
  }
  const cancel = (by: CancelBy, reason: string): void => void requestStop(run, by, reason);
  stopWith(agent?.signal, run);
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

/** Gives the lease back where the session is held to texts that are gone. */
async function promptOfRun(host: Host, journal: Journal, repin: boolean): Promise<Prompt> {
  if (repin) return promptOf(host.tools);
  try {
    return await promptOfSession(journal.state, host);
  } catch (error) {
    await journal.close();
    throw error;
  }
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
  await dreamWhenDue(run.host, journal.state, run.signal);
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

function runStarted(host: Host, number: number, reason: "start" | "resume"): Draft {
  return { kind: "RunStarted", data: { run: host.ids.run(), number, reason, pid: host.owner().pid } };
}

/** Names of the members (one level deep) that differ. */
function differences(before: SessionConfig, after: SessionConfig): string[] {
  const names = Object.keys(after) as (keyof SessionConfig)[]; // a SessionConfig has no other keys
  return names.filter((name) => canonicalJson(before[name]) !== canonicalJson(after[name]));
}
