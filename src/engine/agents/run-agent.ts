/**
 * Runs one sub-agent for one call of the tool `task`: an ordinary session, driven in this process, in the same loop.
 *
 * S1: a sub-agent's id is in its parent's journal before its session exists; a call that a crash cut off finds its sub-agent again
 *     and takes it up, or collects what it had come to. A call never has two.
 * S2: in a whole tree there are never more than `agents.total`, however many are asked for at the same time.
 * S3: a sub-agent stops when its parent does; what it has come to is handed back, whatever ended it.
 */
import { dirname } from "node:path";
import { textPart } from "../../kernel/content.ts";
import { ERROR_TABLE } from "../../kernel/error-kind.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { SessionId, ToolCallId } from "../../kernel/ids.ts";
import { ledgerScopes } from "../../kernel/ledger-scopes.ts";
import type { Outcome } from "../../kernel/outcome.ts";
import type { SessionState } from "../../kernel/state.ts";
import { NO_USAGE } from "../../kernel/usage.ts";
import type { AgentDefinition } from "../../kernel/work-policy.ts";
import { loadSession } from "../../store/journal.ts";
import type { AgentRequest, AgentResult, AgentStarter } from "../../tool/agent-starter.ts";
import { wroteByUser } from "../judge-tools.ts";
import { LEASE_TTL_MS } from "../ownership.ts";
import { leftCost, leftTokens } from "../reserve.ts";
import type { Drive } from "../run.ts";
import { answerOf, resultOf } from "./agent-answer.ts";
import type { LiveAgent } from "./agent-sessions.ts";
import { schemaProblem } from "./answer-schema.ts";
import { changedFiles, hasChanged, removeFiles } from "./child-files.ts";
import { childConfig, changedByParent, mayWrite, modelOfChild } from "./child-config.ts";
import { childHost } from "./child-host.ts";
import { correction, firstMessage, wasCorrected } from "./first-message.ts";
import { aloneInTree, WaitingLine } from "./waiting-line.ts";

/** Sessions of one tree that are looked at to count the sub-agents among them: with forks there may be others. */
const TREE_SESSIONS_MAX = 5_000;

interface Task {
  readonly call: ToolCallId;
  readonly request: AgentRequest;
  readonly definition: AgentDefinition;
  readonly writes: boolean;
  readonly signal: AbortSignal;
  readonly show: (text: string) => void;
}

/** Null where the session cannot have sub-agents. */
export function agentStarter(call: ToolCallId, run: Drive): AgentStarter | null {
  const { defined, total } = run.config().agents;
  if (defined.length === 0 || total === 0) return null;
  return { run: (request, signal, show) => runAgent(call, { request, signal, show }, run) };
}

async function runAgent(
  call: ToolCallId,
  asked: Pick<Task, "request" | "signal" | "show">,
  run: Drive,
): Promise<AgentResult> {
  const { request, signal } = asked;
  const config = run.config();
  const definition = config.agents.defined.find(({ name }) => name === request.agent);
  if (definition === undefined) return refused(`There is no kind "${request.agent}". The kinds are: ${kindsOf(run)}.`);
  const writes = mayWrite(run.state(), config, definition);
  const task = { ...asked, call, definition, writes };
  const against = standsAgainst(task, run);
  if (against !== null) return refused(against);
  const leave = await lineOf(run).enter(signal);
  if (leave === null)
    return { ...refused("Not started: the run was stopped before its turn came."), status: "canceled" };
  try {
    return await taken(task, run);
  } finally {
    leave();
  }
}

function standsAgainst({ definition, request, writes }: Task, run: Drive): string | null {
  const { agents } = run.config();
  const { quarantined, name } = definition;
  if (agents.level >= agents.depth) return `Sub-agents of sub-agents end at level ${agents.depth}: do it yourself.`;
  if (quarantined && request.schema === null) return `The kind ${name} needs a schema: its text is never handed back.`;
  if (writes && run.state().workspace?.snapshots === false)
    return `There are too many files for copies of them: of the kinds only those that change nothing can be used here.`;
  const problem = request.schema === null ? null : schemaProblem(request.schema, quarantined);
  return problem === null ? null : `The schema cannot be used: ${problem}.`;
}

function kindsOf(run: Drive): string {
  return run
    .config()
    .agents.defined.map(({ name }) => name)
    .join(", ");
}

const lines = new WeakMap<Drive, WaitingLine>();

function lineOf(run: Drive): WaitingLine {
  const line = lines.get(run) ?? new WaitingLine(run.config().agents.width);
  lines.set(run, line);
  return line;
}

/** How a sub-agent stands when nobody drives it. */
interface Ended {
  readonly state: SessionState;
  readonly outcome: Outcome;
  readonly error: string | null;
}

/** S1, S3. */
async function taken(task: Task, run: Drive): Promise<AgentResult> {
  const known = run.state().agents.find(({ call }) => call === task.call) ?? null;
  let session = known?.session ?? null;
  try {
    const first = await driven(task, run, (named) => (session = named));
    if (first === null) return refused(totalReached(run));
    return await handedBack(task, await corrected(task, first, run), run);
  } catch (error) {
    if (!(error instanceof HarnessError) || ERROR_TABLE[error.kind].subsystem === "store") throw error;
    // Without a session there is nothing to end; one that could not be begun is ended here, so that nobody waits for it.
    if (session === null) return refused(error.message);
    const row = await run.host.store.getSession(run.state().tenant, session);
    const state = row === null ? run.state() : (await loadSession(run.host.store, row.tenant, session)).state;
    await recordEnd(task, { session, outcome: "failed", state: row === null ? null : state }, run);
    return refused(`The sub-agent could not be run: ${error.message}`);
  }
}

/** Null where the tree has all the sub-agents that it may have. @param onSession hears its name as soon as it is journaled */
async function driven(task: Task, run: Drive, onSession: (session: SessionId) => void): Promise<Ended | null> {
  const { host } = run;
  const { tenant, root } = run.state();
  const known = run.state().agents.find(({ call }) => call === task.call)?.session ?? null;
  const row = known === null ? null : await host.store.getSession(tenant, known);
  if (known !== null && row !== null && row.last_seq > 0) {
    const { state } = await loadSession(host.store, tenant, known);
    const { end } = state;
    if (state.run === null && end !== null) return { state, outcome: end.outcome, error: end.error?.message ?? null };
    return ended(await resumed(task, known, null, run));
  }
  const live = await aloneInTree(host.store, root, async () => {
    const rows = await host.store.listSessions({ tenant, root, limit: TREE_SESSIONS_MAX });
    const others = rows.filter(({ summary, session }) => summary.agent !== undefined && session !== known).length;
    if (others >= run.config().agents.total) return null;
    const session = known ?? (await named(task, others + 1, run));
    onSession(session);
    return begun(task, session, run);
  });
  if (live !== null) return ended(live);
  if (known !== null) await recordEnd(task, { session: known, outcome: "failed", state: null }, run);
  return null;
}

/** S1: before anything of it exists. */
async function named({ call, request, definition, writes }: Task, number: number, run: Drive): Promise<SessionId> {
  const session = run.host.ids.session();
  const chosen = modelOfChild(run.config(), definition);
  const level = run.config().agents.level + 1;
  const data = {
    call,
    session,
    agent: definition.name,
    description: request.description,
    level,
    writes,
    ...chosen,
    number,
  };
  await run.record([{ kind: "SubAgentStarted", data }]);
  return session;
}

async function begun(task: Task, session: SessionId, run: Drive): Promise<LiveAgent> {
  const { host, place, root } = run;
  const { request, definition, writes, call, signal, show } = task;
  const state = run.state();
  const config = run.config();
  const sessions = dirname(place.directory);
  // Tokens of its parent's secrets mean the same to it; who reads strangers has none.
  if (!definition.quarantined) await host.transfer.copySecrets(place.directory, `${sessions}/${session}`);
  const live = await run.sessions.start(hostOf(task, run), {
    task: firstMessage({
      definition,
      prompt: request.prompt,
      schema: request.schema,
      writes,
      untrusted: config.flow.untrusted !== null,
      userWrote: (text) => wroteByUser(state.messages, text),
    }),
    title: `${definition.name}: ${request.description}`,
    config: childConfig({ parent: state, config, definition, tools: host.tools, left: await leftOf(run) }),
    place: { cwd: root, source: root, sessions },
    agent: {
      session,
      parent: { session: state.session, call },
      root: state.root,
      trace: state.trace,
      label: state.label,
      signal,
    },
  });
  follow(live, definition, show);
  return live;
}

/** What every cap above the next call leaves. */
async function leftOf(run: Drive): Promise<{ readonly cost: number | null; readonly tokens: number | null }> {
  const state = run.state();
  const { store } = run.host;
  const positions = await store.positions(state.tenant, ledgerScopes(state, state.turn, await store.now()));
  const least = (of: readonly number[]): number | null => {
    const left = Math.min(...of);
    return Number.isFinite(left) ? left : null;
  };
  return { cost: least(positions.map(leftCost)), tokens: least(positions.map(leftTokens)) };
}

/** One that an older run of the parent left, or whose answer did not fit. */
async function resumed(
  task: Task,
  session: SessionId,
  message: ReturnType<typeof correction> | null,
  run: Drive,
): Promise<LiveAgent> {
  const change = changedByParent(run.state());
  const request = { session, message, change, agent: { signal: task.signal } };
  const resume = async (): Promise<LiveAgent> => run.sessions.resume(hostOf(task, run), request);
  try {
    const live = await resume();
    follow(live, task.definition, task.show);
    return live;
  } catch (error) {
    if (!(error instanceof HarnessError) || error.kind !== "lease_held") throw error;
    // Whoever drove it cannot be proven dead from here: then its lease has to run out first.
    await run.host.clock.sleep(LEASE_TTL_MS, task.signal);
    return resume();
  }
}

function hostOf({ writes }: Task, run: Drive): Drive["host"] {
  return childHost(run, writes, async () => (await run.workspace()).snapshot());
}

function follow(live: LiveAgent, { name }: AgentDefinition, show: Task["show"]): void {
  live.onEvents((events) => {
    for (const event of events) if (event.kind === "ToolStarted") show(`${name}: ${event.data.tool}\n`);
  });
}

async function ended(live: LiveAgent): Promise<Ended> {
  const { outcome, error } = await live.done;
  return { state: live.state(), outcome, error: error?.message ?? null };
}

/** An answer that does not fit is asked for once more. */
async function corrected(task: Task, first: Ended, run: Drive): Promise<Ended> {
  const answer = answerOf(first.state, task.request.schema);
  if (answer.is !== "unfit" || first.outcome !== "completed" || wasCorrected(first.state) || task.signal.aborted)
    return first;
  return ended(await resumed(task, first.state.session, correction(answer.problem), run));
}

async function handedBack(task: Task, { state, outcome, error }: Ended, run: Drive): Promise<AgentResult> {
  const { request, definition, writes } = task;
  const { session } = state;
  const changed = writes && hasChanged(state);
  const files = changed ? await changedFiles(state, run) : [];
  await recordEnd(task, { session, outcome, state }, run);
  if (!changed && outcome !== "needs_approval") await removeFiles(state, hostOf(task, run), run);
  const answer = answerOf(state, request.schema);
  const merging = changed && outcome === "completed";
  return resultOf({ session, definition, state, outcome, error, answer, files, writes, merging }, async (text) =>
    run.host.store.putBlob(run.state().tenant, Buffer.from(run.redactor.redact(text).text, "utf8")),
  );
}

interface End {
  readonly session: SessionId;
  readonly outcome: Outcome;
  /** Null for one that never began. */
  readonly state: SessionState | null;
}

/** Once, whoever collects. What a quarantined one read stays with it. */
async function recordEnd({ writes, definition }: Task, { session, outcome, state }: End, run: Drive): Promise<void> {
  const record = run.state().agents.find((agent) => agent.session === session);
  if (record === undefined || record.outcome !== null) return;
  const brought = definition.quarantined ? null : (state?.label ?? null);
  await run.record([
    {
      kind: "SubAgentEnded",
      data: {
        session,
        outcome,
        turns: state?.turn ?? 0,
        usage: state?.usage ?? NO_USAGE,
        cost: state === null ? 0 : state.cost,
        changed: writes && state !== null && hasChanged(state),
        untrusted: (brought?.untrusted.length ?? 0) > 0,
        secret: (brought?.secret.length ?? 0) > 0,
      },
    },
  ]);
}

function totalReached(run: Drive): string {
  return `The whole task has had all its ${run.config().agents.total} sub-agents: do the rest yourself.`;
}

function refused(say: string): AgentResult {
  return { status: "error", content: [textPart(say, { from: "belay" })], output: null };
}
