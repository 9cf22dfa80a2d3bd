/**
 * Every decision of the loop, taken anew. The first events of a step say which one it was: there `decide` is asked what it
 * names, and what the step alone determines (judgements, closed calls, the end) is compared to the byte.
 *
 * P1: a wish from outside (a cancel, the end of the time) may have been recorded between a decision and its first event: the
 *     decision is right when it is that of the state before the wish, or after it.
 * P2: events that are stored with one append stand together: what was begun is finished before anything else is expected.
 */
import { ERROR_TABLE } from "../../kernel/error-kind.ts";
import type { Draft, Event, EventKind, EventOf } from "../../kernel/events/index.ts";
import { invariant } from "../../kernel/harness-error.ts";
import type { ToolCallId } from "../../kernel/ids.ts";
import { canonicalJson } from "../../kernel/json.ts";
import { modelInUse } from "../../kernel/model-in-use.ts";
import type { SessionState } from "../../kernel/state.ts";
import type { Step } from "../../kernel/step.ts";
import { approvalHash, notApproved } from "../ask.ts";
import { endOf } from "../drive.ts";
import { goneCalls } from "../gone-tools.ts";
import { compact } from "../compact.ts";
import { type CallReadings, closeCalls, judgeTools, readCalls, type Judging, openCall } from "../judge-tools.ts";
import { nextPhase } from "../next-phase.ts";
import type { SessionPlace } from "../../store/port.ts";
import { rootOf } from "../run.ts";
import { lostAnswer } from "../recover.ts";
import { checkIntent, checkWait } from "./derived.ts";
import { compared, type Finding, finding } from "./finding.ts";

export interface DecisionCheck {
  /** @param before the state that the event is folded into */
  see(event: Event, before: SessionState): Promise<readonly Finding[]>;
  /** Whether the last event followed from a decision to the byte, so that nothing of it is left to derive. */
  isDetermined(): boolean;
  /** How many decisions were taken anew. */
  count(): number;
}

type Findings = readonly Finding[];
type StepOf<K extends Step["kind"]> = Extract<Step, { readonly kind: K }>;

type ReplayJudging = Pick<Judging, "host" | "redactor"> & { readonly place: SessionPlace };

/** Where the check stands. */
interface Going {
  readonly decide: (state: SessionState) => Step;
  readonly judging: ReplayJudging;
  /** Of the calls that are about to be judged. */
  readings: CallReadings;
  /** P1: the states at which the loop may have decided, the newest last. */
  candidates: readonly SessionState[];
  /** P2: what must follow, to the byte. */
  expected: readonly Draft[];
  /** Calls whose intents must follow. */
  starting: readonly ToolCallId[];
  /** What a recovery has still to say, and how many processes it looked at. */
  recovering: { readonly calls: Set<ToolCallId>; readonly processes: number } | null;
  attempt: number | null;
  waiting: boolean;
  waited: boolean;
  determined: boolean;
  count: number;
  /** Of the event before. */
  last: EventKind | null;
}

const NOTHING_BEGUN = {
  expected: [],
  starting: [],
  recovering: null,
  attempt: null,
  waiting: false,
  waited: false,
} as const;

export function createDecisionCheck(decide: (state: SessionState) => Step, judging: ReplayJudging): DecisionCheck {
  const going: Going = {
    decide,
    judging,
    readings: new Map(),
    candidates: [],
    count: 0,
    determined: false,
    last: null,
    ...NOTHING_BEGUN,
  };
  return {
    see: async (event, before) => {
      if (event.kind === "ToolJudged") await readRequested(going, before);
      // What begins a run, or a life in another place, ends whatever was under way.
      if (BEGINNINGS.includes(event.kind)) Object.assign(going, NOTHING_BEGUN);
      // Who waited for the rate had decided before: what follows the wait followed from that.
      if (!going.waited) going.candidates = [...going.candidates, before];
      going.waited = event.kind === "RateWaited";
      going.determined = before.run !== null && going.expected.length > 0;
      const found = before.run === null ? [] : going.determined ? next(going, event) : look(going, event, before);
      if (!isOutside(event)) going.candidates = [];
      going.last = event.kind;
      return found;
    },
    isDetermined: () => going.determined,
    count: () => going.count,
  };
}

/** What a judgement rests on is read before it is taken anew. */
async function readRequested(going: Going, before: SessionState): Promise<void> {
  const calls = before.batch.filter(({ status }) => status === "requested").map(({ part }) => part.call);
  if (calls.some((id) => !going.readings.has(id))) going.readings = await readCalls(calls, judgingAt(going, before));
}

const BEGINNINGS: readonly EventKind[] = ["RunStarted", "SessionForked", "SessionImported"];

/** What people bring about at the beginning of a run. */
const BEFORE_A_RUN: readonly (EventKind | null)[] = ["RunStarted", "ReviewGiven", "ContextCompacted"];

type Look<K extends EventKind> = (going: Going, event: EventOf<K>, before: SessionState) => Findings;

/** What is not here came from outside, or was measured. */
const LOOKS: { readonly [K in EventKind]?: Look<K> } = {
  BudgetReserved: (going, event) => {
    const found = decided(going, "call_model", (step) => step.turn === event.turn);
    going.attempt = "step" in found ? found.step.attempt : null;
    return orOtherwise(event, found);
  },
  ModelCallRefused: (going, event) =>
    orOtherwise(
      event,
      decided(going, "call_model", (step) => step.turn === event.turn && step.attempt === event.data.attempt),
    ),
  ModelSwitched: (going, event, before) => {
    const { to, kind, message } = event.data;
    const found = decided(going, "switch_model", (step) => isSame(step.to, to) && step.error === kind);
    return "step" in found
      ? same(event, { from: modelInUse(before), message: found.step.message }, { from: event.data.from, message })
      : otherwise(event, found);
  },
  BudgetAlerted: (going, event) => {
    const { answer: _person, by: _who, ...of } = event.data;
    return orOtherwise(
      event,
      decided(going, "alert", ({ kind: _kind, ...step }) => isSame(step, of)),
    );
  },
  ModelCallStarted: (going, event) => {
    const { attempt } = going;
    going.attempt = null;
    return attempt === null ? [] : same(event, { attempt: event.data.attempt }, { attempt });
  },
  ModelCallFailed: (going, event, before) => (isOwnCall(before) ? [] : recovered(going, event)),
  ToolJudged: (going, event) => {
    const found = decided(going, "judge_tools");
    if (!("step" in found)) return otherwise(event, found);
    return group(going, event, judgeTools(found.step.calls, judgingAt(going, found.state), going.readings, event.at));
  },
  ToolStarted: (going, event, before) => {
    const begun = going.starting.length === 0 ? beginTools(going, event) : [];
    if (begun.length > 0) return begun;
    const [first, ...rest] = going.starting;
    going.starting = rest;
    if (first !== event.data.call) return [finding("decision", event.seq, event.data.call, first ?? "no call")];
    return checkIntent(event, judgingAt(going, before));
  },
  ToolFinished: toolFinished,
  ToolRequeued: (going, event) => recovered(going, event),
  RecoveryFinished: (going, event) => recovered(going, event),
  RolledBack: (going, event) => (event.data.call === null ? [] : recovered(going, event)),
  ApprovalRequested: (going, event, before) => {
    const { call, hash } = event.data;
    const found = decided(going, "ask", (step) => step.calls.includes(call));
    return "step" in found ? same(event, hash, approvalHash(openCall(before, call).part)) : otherwise(event, found);
  },
  ApprovalGiven: (going, event) => {
    if (!event.data.approved) going.expected = [notApproved(event.data.call, event.data.reason)];
    return [];
  },
  RetryScheduled: (going, event, before) => {
    going.waiting = true;
    const { kind, attempt } = event.data;
    const found = decided(going, "wait", (s) => s.until === null && s.error === kind && s.attempt === attempt);
    return "step" in found ? checkWait(event, before, found.step.retry_after_ms) : otherwise(event, found);
  },
  RetryWaited: (going, event) => {
    const { waiting } = going;
    going.waiting = false;
    return waiting
      ? []
      : orOtherwise(
          event,
          decided(going, "wait", (step) => step.until !== null),
        );
  },
  HistoryRepaired: (going, event) => {
    const { kind, repair } = event.data;
    return orOtherwise(
      event,
      decided(going, "repair", (step) => step.error === kind && step.repair === repair),
    );
  },
  ContextCompacted: (going, event) => {
    const { layer } = event.data;
    if (layer === "fresh") return []; // a person's wish
    const found = decided(going, "compact", (step) => step.layer === layer);
    if (!("step" in found)) return otherwise(event, found);
    return group(going, event, compact(found.step, { state: () => found.state }));
  },
  PhaseLeft: (going, event, before) => {
    const { phase } = event.data;
    // A set-up, and a run that begins under other settings, leave a phase that nothing was decided about.
    if (BEFORE_A_RUN.includes(going.last) || before.config?.phases.every(({ name }) => name !== phase) === true)
      return [];
    const found = decided(going, "next_phase", (step) => step.from === phase);
    if (!("step" in found)) return otherwise(event, found);
    return group(going, event, nextPhase(found.step, judgingAt(going, found.state).config()));
  },
  AgentMergeStarted: (going, event) =>
    orOtherwise(
      event,
      decided(going, "merge_agent", (step) => step.session === event.data.session),
    ),
  WorkspacePrepared: (going, event) => orOtherwise(event, decided(going, "prepare_workspace")),
  WorkspaceSnapshotted: (going, event) => {
    const { call } = event.data;
    if (call === null) return orOtherwise(event, decided(going, "checkpoint"));
    const begun = beginTools(going, event);
    if (begun.length > 0 || going.starting[0] === call) return begun;
    return [finding("decision", event.seq, call, [...going.starting])];
  },
  CheckpointCreated: (going, event, before) => {
    // The one of the start belongs to the step that made the workspace.
    if (before.checkpoints.length === 0 && event.data.label === "start") return [];
    return orOtherwise(
      event,
      decided(going, "checkpoint", (step) => step.label === event.data.label),
    );
  },
  VerificationFinished: (going, event) =>
    orOtherwise(
      event,
      decided(going, "verify", (step) => step.command === event.data.command),
    ),
  LimitReached: (going, event) => {
    if (isOutside(event)) return [];
    return orOtherwise(
      event,
      decided(going, "finish", (step) => isSame(step.limit, event.data)),
    );
  },
  RunEnded: (going, event, before) => {
    const { active_ms: _measured, ...recorded } = event.data;
    const found = decided(going, "finish", (step, state) => isSame(endOf(step, state), recorded));
    // What was performed failed: nobody decided that.
    if (!("step" in found) && found.kind !== "finish" && isOperatingError(event, before)) return [];
    return orOtherwise(event, found);
  },
};

function look(going: Going, event: Event, before: SessionState): Findings {
  // The entry found under the event's own kind takes exactly that event (the table's type).
  const one = LOOKS[event.kind] as Look<EventKind> | undefined;
  return one === undefined ? [] : one(going, event, before);
}

/** The step named at one of the candidates, when it is of that kind and fits; else what is named at the newest. */
function decided<K extends Step["kind"]>(
  going: Going,
  kind: K,
  fits: (step: StepOf<K>, state: SessionState) => boolean = () => true,
): { readonly step: StepOf<K>; readonly state: SessionState } | Step {
  going.count += 1;
  for (const state of going.candidates.toReversed()) {
    const step = going.decide(state);
    if (isOfKind(step, kind) && fits(step, state)) return { step, state };
  }
  const newest = going.candidates.at(-1);
  invariant(newest !== undefined, "invariant P1: an event follows a state");
  return going.decide(newest);
}

function isOfKind<K extends Step["kind"]>(step: Step, kind: K): step is StepOf<K> {
  return step.kind === kind;
}

function judgingAt({ judging }: Going, state: SessionState): Judging {
  const { config } = state;
  invariant(config !== null, "invariant D0: only a configured session is driven");
  return { ...judging, root: rootOf(judging.place, state), state: () => state, config: () => config };
}

function otherwise(event: Event, step: Step): Findings {
  return [finding("decision", event.seq, `${event.kind} ${canonicalJson(event.data)}`, step)];
}

function orOtherwise(event: Event, found: { readonly step: Step } | Step): Findings {
  return "step" in found ? [] : otherwise(event, found);
}

function same(event: Event, recorded: unknown, now: unknown): Findings {
  const differs = compared("decision", event.seq, recorded, now);
  return differs === null ? [] : [differs];
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/** Begins a group whose every byte follows from the step. */
function group(going: Going, event: Event, drafts: readonly Draft[]): Findings {
  going.expected = drafts;
  return next(going, event);
}

function next(going: Going, event: Event): Findings {
  const [draft, ...rest] = going.expected;
  going.expected = rest;
  if (draft === undefined) return [];
  const kind = event.kind === "ToolJudged" || draft.kind === "ToolJudged" ? "judgement" : "decision";
  const differs = compared(kind, event.seq, { [event.kind]: event.data }, { [draft.kind]: asWritten(draft, event) });
  if (differs === null) return [];
  going.expected = []; // what would have followed is another group
  return [differs];
}

/** What the version that wrote the event could say of it. */
function asWritten(draft: Draft, { version }: Event): Draft["data"] {
  if (draft.kind === "ToolJudged" && version === 1) {
    const brings_in = { untrusted: null, secret: null };
    return { ...draft.data, rule: null, parts: [], sink: null, network_withheld: false, brings_in };
  }
  return draft.kind === "BudgetSettled" && version === 1 ? { ...draft.data, unknown_cost: null } : draft.data;
}

function beginTools(going: Going, event: Event): Findings {
  const found = decided(going, "run_tools");
  if (!("step" in found)) return otherwise(event, found);
  going.starting = found.step.calls;
  return [];
}

function toolFinished(going: Going, event: EventOf<"ToolFinished">, before: SessionState): Findings {
  const call = before.batch.find((one) => one.part.call === event.data.call);
  if (call === undefined) return [finding("decision", event.seq, event.data.call, "no such call is open")];
  if (call.status === "started") {
    const own = call.started?.epoch === before.run?.epoch;
    return own && going.recovering === null ? [] : recovered(going, event);
  }
  // A version without the tool ran nothing of it.
  if (call.status === "allowed" && goneCalls([call.part.call], judgingAt(going, before)).length > 0)
    return orOtherwise(event, decided(going, "run_tools"));
  const found = decided(going, "close_calls");
  if (!("step" in found)) return otherwise(event, found);
  return group(going, event, closeCalls(found.step.calls, found.step.reason));
}

/** An event of a recovery: the first one asks for the decision, the last one says that nothing was passed over. */
function recovered(going: Going, event: Event): Findings {
  if (going.recovering === null) {
    const found = decided(going, "recover");
    if (!("step" in found)) return otherwise(event, found);
    const { step, state } = found;
    const ofCalls = step.calls.reduce((sum, id) => sum + openCall(state, id).processes.length, 0);
    going.recovering = { calls: new Set(step.calls), processes: ofCalls + state.processes.length };
    if (step.model !== null) return group(going, event, lostAnswer(step.model, state));
  }
  const { calls, processes } = going.recovering;
  if (event.kind === "RecoveryFinished") {
    going.recovering = null;
    return same(event, { open: [], processes: event.data.processes }, { open: [...calls], processes });
  }
  if (event.kind !== "ToolRequeued" && event.kind !== "ToolFinished") return [];
  return calls.delete(event.data.call) ? [] : [finding("decision", event.seq, event.data.call, [...calls])];
}

/** A call of the run itself: how it failed is no decision. */
function isOwnCall({ model, run }: SessionState): boolean {
  return model.status === "calling" && model.epoch === run?.epoch;
}

/** P1. */
function isOutside(event: Event): boolean {
  if (event.kind === "CancelRequested" || event.kind === "RateWaited") return true;
  return event.kind === "LimitReached" && event.data.limit === "active_ms";
}

/** An end that no rule names: an effect failed. Where the state holds the very error, a rule was there. */
function isOperatingError({ data }: EventOf<"RunEnded">, { model, stop }: SessionState): boolean {
  const { outcome, error } = data;
  if (outcome !== "failed" || error === null) return false;
  if (model.status === "failed" && model.kind === error.kind && model.message === error.message) return false;
  const ended = stop === "max_tokens" || stop === "context_window" || stop === "pause_turn";
  return !(ended && ERROR_TABLE[error.kind].subsystem === "provider");
}
