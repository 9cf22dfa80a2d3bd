/**
 * Looks over the shoulder of every simulated session: what is stored, acknowledged, asked and done. The invariants, with the
 * guarantees they stand for:
 *
 *  1. (G1) What was acknowledged is stored: no event is lost, changed or reordered; `seq` has no gap; the chain of hashes holds.
 *  2. (G1) At most one process acknowledges in an epoch, and none after a later epoch began.
 *  3. (G1, G11) The state in memory is the fold of the stored journal: at ends, at resumes, and at every eighth append.
 *  4. (G2) A change in the tracked workspace is there exactly once for a call that reports success, else at most once; never
 *     for a call that was denied.
 *  5. (G2) An effect outside happens at most once.
 *  6. (G2) An effect happens only while its intent is stored: `ToolStarted`, for a command its process too; a model is asked
 *     only when its call and its reservation are.
 *  7. (G2, G3) Once a process has lost the session it asks no model and changes nothing more in the workspace; a command
 *     changes nothing after its result (unless it left its process group where there is no namespace: that is said to be unprovable).
 *  8. (G2) Every call of the model has exactly one result. Nothing of a failed, cut or truncated answer is ever run or said.
 *  9. (G2) Every request is one that a provider takes: roles alternate, results follow their calls, nothing is orphaned.
 * 10. (G3) Tokens reserved and spent stay within the limit by the journaled bound, and no turn is begun beyond the limit.
 *     In the ledger no scope is ever above its cap, and it equals the sum of the events to the last nano-dollar.
 * 11. (G5) Every wait ends: a run is over within its active time and the grace of its tools; a wait before a retry is
 *     as long as it was planned, and one that a crash cut off ends within the bound of its kind. (Live-lock: `world.ts`.)
 * 12. (G5) What a run says it was at work is what passed, whatever the wall clock did.
 * 13. (G10) After a cancel the run is over within two seconds and the grace of its tools, and is `canceled`.
 * 14. (G6, G12) A run ends with an outcome, never with a throw; its exit code is that of the table; journal and report agree.
 * 15. (G13) A request extends the one before it, within a run and to the same model.
 *     A compaction may break that, and what it begins anew with holds what must survive (17).
 * 16. (G7) No planted secret is in the store.
 * 17. (G13) What people typed, the queue and the last mistakes and learnings are in what a conversation begins anew with.
 */
import { canonicalJson } from "../../src/kernel/json.ts";
import { decide } from "../../src/kernel/decide.ts";
import { type PlainPart, plainText } from "../../src/kernel/content.ts";
import { hashOf } from "../../src/kernel/envelope.ts";
import type { Event, EventOf } from "../../src/kernel/events/index.ts";
import { emptyState, foldEvent, isUnknown } from "../../src/kernel/fold.ts";
import type { ToolCallId } from "../../src/kernel/ids.ts";
import type { SessionState, ToolStatus } from "../../src/kernel/state.ts";
import { totalTokens } from "../../src/kernel/usage.ts";
import type { ModelRequest } from "../../src/model/model.ts";
import { eventOf } from "../../src/store/event-record.ts";
import type { AppendCommand, Lease, SessionRow, Store } from "../../src/store/port.ts";
import { extendsHistory, problemOf } from "./history.ts";
import { RATE } from "../../src/kernel/error-row.ts";
import type { Effect } from "./ledger.ts";
import { POISON } from "./sim-model.ts";

/** Invariant 3 between ends: so many appends between two looks. */
const LOOK_EVERY = 8;
/** Invariant 11: the most that any kind allows, the first call and repairs included. */
const ATTEMPTS_MAX = RATE.attempts + 4;
/** Of one session: its periods, itself, its runs and turns. */
const SCOPES_MAX = 10_000;
/** Of what must survive, what a new beginning does not hold. */
function missingFrom(head: readonly PlainPart[], { messages, continuity }: SessionState): readonly string[] {
  const text = plainText(head).replaceAll(/\s+/g, " ");
  const typed = messages.flatMap((message) =>
    message.role === "user"
      ? message.parts.flatMap((part) => (part.type === "text" && part.origin.from === "user" ? [part.text] : []))
      : [],
  );
  const lessons = [...continuity.mistakes, ...continuity.learnings].map(({ what }) => what.split(":")[0] ?? "");
  return [...typed, ...continuity.queue.map((item) => item.text), ...lessons]
    .map((one) => one.replaceAll(/\s+/g, " ").trim())
    .filter((one) => !text.includes(one));
}

const TOKEN = /\bT\d+\b/g;

/** What is known of one call of the model. */
export interface KnownCall {
  readonly id: ToolCallId;
  readonly name: string;
  readonly tokens: readonly string[];
  readonly interactive: boolean;
  started: boolean;
  /** Pids of its commands, as journaled. */
  processes: number[];
  results: ToolStatus[];
}

/** What is known of one run, in virtual time. */
export interface KnownRun {
  readonly started_at: number;
  readonly slowed: number;
  /** Of the session, before this run. */
  readonly active_ms: number;
  readonly active_ms_max: number;
  cancel: { readonly at: number; readonly slowed: number } | null;
  /** Its time was over before anybody canceled it: then that is how it ends. */
  limited_first: boolean;
  ended: (EventOf<"RunEnded">["data"] & { readonly at: number }) | null;
}

export interface Auditor {
  /** Whatever was found, in order; a session stops at the first. */
  readonly violations: string[];
  readonly calls: ReadonlyMap<ToolCallId, KnownCall>;
  readonly runs: ReadonlyMap<string, KnownRun>;
  /** The fold of what is stored. */
  state(): SessionState | null;
  /** Pid of the process that claimed the session last. */
  owner(): number;
  claimed(lease: Lease, pid: number): void;
  stored(store: Store, row: SessionRow, command: AppendCommand): Promise<void>;
  acknowledged(command: AppendCommand, inMemory: SessionState | null): void;
  asked(pid: number, request: ModelRequest): void;
  effect(effect: Effect): void;
  callOf(token: string): KnownCall | undefined;
  /** The hash stored at a position. */
  hashAt(seq: number): string | undefined;
  acknowledgedHashes(): ReadonlyMap<number, string>;
  violated(invariant: number, what: string): void;
  sameState(inMemory: SessionState, where: string): void;
}

export interface AuditorParts {
  readonly time: () => number;
  /** Virtual milliseconds by which faults slowed things down so far. */
  readonly slowed: () => number;
  readonly secret: string;
  readonly met: (what: string) => void;
  readonly tell: (line: string) => void;
}

export function createAuditor({ time, slowed, secret, met, tell }: AuditorParts): Auditor {
  const violations: string[] = [];
  const calls = new Map<ToolCallId, KnownCall>();
  const runs = new Map<string, KnownRun>();
  const byToken = new Map<string, KnownCall>();
  const hashes: string[] = [];
  const acked = new Map<number, string>();
  const writers = new Map<number, string>();
  const pidOf = new Map<string, number>();
  let state: SessionState | null = null;
  let session = "";
  let epoch = 0;
  let owner = 0;
  let slowedAtClaim = 0;
  let waiting: {
    readonly delay: number;
    readonly most: number;
    readonly since: number;
    readonly slowed: number;
  } | null = null;
  let appends = 0;
  let last: { readonly run: string | null; readonly request: ModelRequest } | null = null;

  const violated = (invariant: number, what: string): void => {
    violations.push(`invariant ${invariant}: ${what}`);
    tell(`VIOLATION of invariant ${invariant}: ${what}`);
  };

  const note = (event: Event): void => {
    met(`event:${event.kind}`);
    tell(`  ${String(event.seq).padStart(4)} ${event.kind}${shortly(event)}`);
    switch (event.kind) {
      case "RunStarted":
        if (waiting !== null) waiting = { ...waiting, most: RATE.total_ms, since: time(), slowed: slowed() };
        runs.set(event.data.run, {
          started_at: time(),
          slowed: slowedAtClaim,
          active_ms: state?.active_ms ?? 0,
          active_ms_max: state?.config?.limits.active_ms ?? 0,
          cancel: null,
          limited_first: false,
          ended: null,
        });
        return;
      case "RetryScheduled":
        waiting = { delay: event.data.delay_ms, most: event.data.delay_ms, since: time(), slowed: slowedAtClaim };
        return;
      case "RetryWaited":
        if (waiting !== null && time() - waiting.since > waiting.most + slowed() - waiting.slowed)
          violated(11, `a wait of ${waiting.delay} ms took ${time() - waiting.since} ms`);
        waiting = null;
        return;
      case "CancelRequested":
        updateRun(event.run, (run) => {
          if (run.cancel !== null) violated(13, "one run was canceled twice");
          run.cancel = { at: time(), slowed: slowed() };
        });
        return;
      case "LimitReached":
        updateRun(event.run, (run) => (run.limited_first = run.cancel === null));
        return;
      case "ContextCompacted":
        met(`compaction:${event.data.layer}${event.data.summarized ? " with a summary" : ""}`);
        last = null;
        if (state !== null && event.data.head.length > 0)
          for (const missing of missingFrom(event.data.head, state)) violated(17, `a compaction lost ${missing}`);
        return;
      case "ModelCallFailed":
        met(`error:${event.data.kind}`);
        return;
      case "ModelCallFinished":
        // In an answer that was asked for as a summary nothing is a call.
        if (state?.model.status === "calling" && state.model.purpose === "summary") return;
        for (const part of event.data.parts) {
          if (part.type !== "tool_use") continue;
          const tokens = JSON.stringify(part.input).match(TOKEN) ?? [];
          const call: KnownCall = {
            id: part.call,
            name: part.name,
            tokens,
            interactive: part.input["interactive"] === true,
            started: false,
            processes: [],
            results: [],
          };
          calls.set(part.call, call);
          for (const token of tokens) byToken.set(token, call);
        }
        return;
      case "ToolStarted":
        update(event.data.call, (call) => (call.started = true));
        return;
      case "ToolProcessStarted":
        if (event.data.call !== null) update(event.data.call, (call) => call.processes.push(event.data.process.pid));
        return;
      case "ToolRequeued":
        update(event.data.call, (call) => Object.assign(call, { started: false, processes: [] }));
        return;
      case "ToolFinished":
        met(`status:${event.data.status}`);
        update(event.data.call, (call) => {
          call.results.push(event.data.status);
          if (call.results.length > 1) violated(8, `call ${call.id} has ${call.results.length} results`);
        });
        return;
      case "BudgetReserved": {
        const limit = state?.config?.limits.tokens ?? 0;
        const spent = state === null ? 0 : totalTokens(state.usage) + state.unknown_tokens;
        if (spent + event.data.tokens > limit)
          violated(10, `${spent} spent and ${event.data.tokens} reserved of ${limit}`);
        return;
      }
      case "ModelCallStarted":
        if (event.data.attempt > ATTEMPTS_MAX) violated(11, `attempt ${event.data.attempt} of one turn`);
        if (event.turn > (state?.config?.limits.turns ?? 0)) violated(10, `turn ${event.turn} was begun`);
        return;
      case "RunEnded":
        met(`outcome:${event.data.outcome}`);
        met(`verification:${event.data.verification}`);
        if (event.data.error) met(`end error:${event.data.error.kind}`);
        updateRun(event.run, (run) => (run.ended = { ...event.data, at: time() }));
        return;
      default:
    }
  };
  const update = (id: ToolCallId, change: (call: KnownCall) => void): void => {
    const call = calls.get(id);
    if (call === undefined) violated(8, `call ${id} was never asked for`);
    else change(call);
  };

  const updateRun = (id: string | null, change: (run: KnownRun) => void): void => {
    const run = runs.get(id ?? "");
    if (run !== undefined) change(run);
  };

  const checkLedger = async (store: Store, { tenant, session: id, config, cost, unknown_cost }: SessionState) => {
    for (const at of await store.listScopes(tenant, "", SCOPES_MAX)) {
      const kind = at.scope.split(":")[0] ?? "";
      const phase = at.scope.split("/")[1] ?? "";
      const cap = config?.budget.caps.find(({ scope }) => scope === kind || scope === `${kind}:${phase}`);
      if (cap?.cost != null && at.cost + at.unknown_cost + at.reserved_cost > cap.cost)
        violated(10, `${at.scope} stands above its cap of ${cap.cost} nano-dollars: ${JSON.stringify(at)}`);
      if (cap?.tokens != null && at.tokens + at.unknown_tokens + at.reserved_tokens > cap.tokens)
        violated(10, `${at.scope} stands above its cap of ${cap.tokens} tokens: ${JSON.stringify(at)}`);
      if (at.scope === `session:${id}` && (at.cost !== cost || at.unknown_cost !== unknown_cost))
        violated(10, `the ledger has ${at.cost} + ${at.unknown_cost}, the events ${cost ?? 0} + ${unknown_cost}`);
    }
  };

  const auditor: Auditor = {
    violations,
    calls,
    runs,
    state: () => state,
    owner: () => owner,
    claimed: (lease, pid) => {
      if (lease.session !== session) epoch = 0; // a start that failed before its first event leaves an empty session
      session = lease.session;
      if (lease.epoch <= epoch) violated(2, `epoch ${lease.epoch} was claimed after ${epoch}`);
      epoch = lease.epoch;
      owner = pid;
      slowedAtClaim = slowed();
      pidOf.set(lease.token, pid);
      tell(`process ${pid} claims epoch ${epoch}`);
    },
    stored: async (store, row, { records }) => {
      state ??= emptyState(row);
      for (const record of records) {
        if (record.seq !== state.seq + 1) violated(1, `event ${record.seq} follows ${state.seq}`);
        if (hashOf(record.body) !== record.hash) violated(1, `event ${record.seq} does not match its hash`);
        const event = await eventOf(store, row, record);
        if (event.prev_hash !== state.hash) violated(1, `event ${event.seq} does not follow the chain`);
        if (event.at < state.at) violated(1, `event ${event.seq} is older than the one before`);
        if (record.body.includes(secret)) violated(16, `event ${event.seq} (${event.kind}) holds the secret`);
        hashes[event.seq] = event.hash;
        if (!isUnknown(event)) note(event);
        state = foldEvent(state, event);
      }
      if (state.run !== null && state.config !== null) met(`step:${decide(state).kind}`);
      if (records.some(({ kind }) => kind.startsWith("Budget"))) await checkLedger(store, state);
    },
    acknowledged: ({ lease, records }, inMemory) => {
      const writer = writers.get(lease.epoch) ?? lease.token;
      writers.set(lease.epoch, writer);
      if (writer !== lease.token) violated(2, `two processes write in epoch ${lease.epoch}`);
      for (const { seq, hash } of records) {
        acked.set(seq, hash);
        if (hashes[seq] !== hash) violated(1, `event ${seq} was acknowledged and is not stored`);
      }
      if (inMemory !== null && ++appends % LOOK_EVERY === 0) auditor.sameState(inMemory, "between two appends");
    },
    asked: (pid, request) => {
      const problem = problemOf(request.messages);
      if (problem !== null) violated(9, problem);
      const text = JSON.stringify(request.messages.at(-1));
      if (text.includes(POISON)) violated(8, "a request holds a part of an answer that failed");
      if (pid !== owner) return violated(7, "the model is asked by a process that lost the session");
      if (state?.model.status !== "calling" || state.reserved?.call !== state.model.call)
        violated(6, "the model is asked before its call and reservation are stored");
      const run = state?.run?.id ?? null;
      const before = last !== null && last.run === run && last.request.model === request.model ? last : null;
      if (before !== null && !extendsHistory(before.request.messages, request.messages))
        violated(15, "a request does not extend the one before it");
      // What asks for a summary is no part of the conversation.
      if (state?.model.status === "calling" && state.model.purpose === "turn") last = { run, request };
    },
    effect: ({ token, kind, by, command }) => {
      const call = byToken.get(token);
      if (call === undefined) return violated(8, `${token} is done and was never asked for`);
      if (call.results.length === 0 && !call.started) violated(6, `${token} is done before its intent is stored`);
      if (command === null && by !== owner && kind === "tracked")
        violated(7, `process ${by} does ${token} after process ${owner} took the session over`);
      if (command === null) return;
      if (command.escaped) return met("effect:of a process that escaped");
      // A command with a terminal goes on in the calls that answer it.
      const goesOn =
        call.interactive &&
        [...calls.values()].some((one) => one.name === "bash" && one.started && one.results.length === 0);
      if (call.results.length > 0 && !goesOn)
        violated(7, `a command does ${token} after its result (${call.results.join()})`);
      if (!call.processes.includes(command.pid)) violated(6, `${token} is done before its process is journaled`);
    },
    callOf: (token) => byToken.get(token),
    hashAt: (seq) => hashes[seq],
    acknowledgedHashes: () => acked,
    violated,
    sameState: (inMemory, where) => {
      if (state === null || inMemory.seq !== state.seq) return; // what is staged is not stored yet
      if (canonicalJson(inMemory) !== canonicalJson(state))
        violated(3, `the state in memory is not the fold (${where})`);
    },
  };
  return auditor;
}

function shortly(event: Event): string {
  const { data } = event;
  const words = ["outcome", "kind", "status", "decision", "stop", "reason", "limit", "repair", "call"] as const;
  const facts = words.flatMap((word) =>
    word in data ? [`${word}=${String((data as Record<string, unknown>)[word])}`] : [],
  );
  const error =
    event.kind === "RunEnded" && event.data.error ? ` ${event.data.error.kind}: ${event.data.error.message}` : "";
  return ` ${facts.join(" ")}${error}`;
}
