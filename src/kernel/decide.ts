/**
 * The pure heart: from a state, the next step. Every stop rule stands here and nowhere else.
 *
 * D1: a model is called only when no tool call is open, so that history is always valid.
 * D2: a limit is checked before it is crossed.
 * D3: nothing that an older run left half-done is passed over.
 * D4: `decide` ends: every step's events bring the state closer to `finish`, within the limits that the state carries.
 */
import { ERROR_TABLE, type ErrorKind } from "./error-kind.ts";
import type { Repair } from "./events/history-repaired.ts";
import { likelyTokens, worstCaseTokens } from "./bound.ts";
import { OUTPUT_TOKENS_MIN } from "./budget.ts";
import { dueAlert, nextTurn, seriesOf, usedUp } from "./caps.ts";
import { dueCompaction, noWayOut, type NoWayOut, tooManyCompactions, windowOf } from "./compaction.ts";
import { invariant } from "./harness-error.ts";
import { FALLBACK_AFTER_FAILURES, PAUSES_PER_TURN_MAX, PARALLEL_READS_MAX } from "./limits.ts";
import { nextModel } from "./model-in-use.ts";
import type { Verification } from "./outcome.ts";
import type { LimitName, RunState, SessionState, ToolCall } from "./state.ts";
import type { FinishStep, Step } from "./step.ts";
import { totalTokens } from "./usage.ts";

export function decide(state: SessionState): Step {
  const { run } = state;
  invariant(run !== null && state.config !== null, "invariant D0: only a configured session with a run is driven");
  return recovery(state, run) ?? stopping(state, run) ?? toolWork(state) ?? agentWork(state) ?? conversation(state);
}

/** D3. */
function recovery(state: SessionState, run: RunState): Step | null {
  const calls = state.batch.filter((call) => call.started !== null && call.status === "started").map(idOf);
  const model = state.model.status === "calling" && state.model.epoch !== run.epoch ? state.model.call : null;
  const processes = state.processes.some((entry) => entry.epoch !== run.epoch);
  return calls.length > 0 || model !== null || processes ? { kind: "recover", model, calls } : null;
}

/** Somebody or a limit stops the run: open calls are closed first, finished work is kept. */
function stopping(state: SessionState, run: RunState): Step | null {
  // That the context is full was decided with its reason, between two turns: it is decided again.
  const limit = run.limit === "context" ? null : run.limit;
  const why = run.cancel ? `canceled: ${run.cancel.reason}` : limit && `the limit ${limit} of the session was reached`;
  if (why === null) return null;
  const open = state.batch.filter((call) => call.result === null).map(idOf);
  if (open.length > 0) return { kind: "close_calls", calls: open, reason: why };
  if (state.dirty) return { kind: "checkpoint", label: run.cancel ? "when canceled" : "at the limit" };
  return limit === null
    ? finish(state, "canceled")
    : finish(state, "limit_reached", { limit: limitValue(state, limit) });
}

/** The open batch, in order: judged, approved, and run; reads together, changes alone. */
function toolWork(state: SessionState): Step | null {
  if (state.batch.length === 0) return null;
  if (state.workspace === null) return { kind: "prepare_workspace" };
  const open = state.batch.filter((call) => call.result === null);
  const requested = open.filter((call) => call.status === "requested");
  if (requested.length > 0) return { kind: "judge_tools", calls: requested.map(idOf) };
  const [first] = open;
  invariant(first !== undefined, "invariant D1: a batch whose calls all have results is closed by the fold");
  if (needsAnswer(first, state)) return asking(state, first, open);
  return { kind: "run_tools", calls: nextTools(state, open).map(idOf) };
}

/** At a terminal one question at a time. Where nobody is, all that can be known now is asked at once, and the run ends. */
function asking(state: SessionState, first: ToolCall, open: readonly ToolCall[]): Step {
  const { config, approvals } = state;
  if (config?.permissions.on_ask !== "wait") return { kind: "ask", calls: [first.part.call] };
  const unasked = open.filter((call) => needsAnswer(call, state) && approvals[call.part.call] !== "asked");
  return unasked.length > 0 ? { kind: "ask", calls: unasked.map(idOf) } : finish(state, "needs_approval");
}

/** A yes that was given too long ago is asked for again. */
function needsAnswer({ status, approved_until }: ToolCall, { at }: SessionState): boolean {
  return status === "asking" || (status === "allowed" && approved_until !== null && approved_until < at);
}

function nextTools(state: SessionState, open: readonly ToolCall[]): readonly ToolCall[] {
  const reads: ToolCall[] = [];
  for (const call of open) {
    if (
      call.status !== "allowed" ||
      call.effect !== "read" ||
      needsAnswer(call, state) ||
      reads.length === PARALLEL_READS_MAX
    )
      break;
    reads.push(call);
  }
  return reads.length > 0 ? reads : open.slice(0, 1);
}

/** The files of sub-agents come in one after the other, when the calls of the batch are done. */
function agentWork({ agents, merging }: SessionState): Step | null {
  const next = merging?.session ?? agents.find(({ outcome, merged }) => outcome !== null && merged === null)?.session;
  return next === undefined ? null : { kind: "merge_agent", session: next };
}

function conversation(state: SessionState): Step {
  const { model } = state;
  if (model.status === "failed") return afterFailure(state, model);
  if (model.status === "waiting") {
    return { kind: "wait", error: model.kind, attempt: model.attempt, retry_after_ms: null, until: model.until };
  }
  if (state.verified?.passed === false) return finish(state, "verification_failed", { verification: "failed" });
  switch (state.stop) {
    case "end_turn":
    case "stop_sequence":
      return done(state);
    case "refusal":
    case "content_filter": {
      const to = nextModel(state, state.stop);
      if (to === null) return finish(state, "refused");
      return { kind: "switch_model", to, error: state.stop, message: "The model refused." };
    }
    case "max_tokens":
      return repaired(state, "truncated", "continue", "The answer reached max_tokens twice in a row.");
    case "context_window":
      return overflowed(state, "The conversation filled the model's context window.");
    case "pause_turn":
      if (state.pauses > PAUSES_PER_TURN_MAX) {
        return finish(state, "failed", {
          error: { kind: "pause", message: `The model paused more than ${PAUSES_PER_TURN_MAX} times in one turn.` },
        });
      }
      return callModel(state);
    case "tool_use":
    case null:
      return callModel(state);
  }
}

/** The model says it is done. Whether that is true is not its decision. */
function done(state: SessionState): Step {
  const to = phaseAfter(state);
  if (to !== null && state.phase !== null) return { kind: "next_phase", from: state.phase, to };
  const verify = state.config?.verify ?? null;
  if (verify !== null && state.workspace === null) return { kind: "prepare_workspace" };
  if (state.dirty) return { kind: "checkpoint", label: "task done" };
  if (verify !== null && state.verified === null) return { kind: "verify", command: verify };
  const changed =
    state.workspace !== null && (!state.workspace.snapshots || state.workspace.tree !== state.workspace.base);
  const proof: Verification = state.verified?.passed ? "passed" : changed ? "none_found" : "not_applicable";
  return finish(state, "completed", { verification: proof });
}

/** D2. */
function callModel(state: SessionState): Step {
  const limits = state.config?.limits;
  invariant(limits !== undefined, "invariant D0: only a configured session is driven");
  // A retry belongs to the turn it began in; a new turn begins after an answer.
  const attempt = state.failures.count + 1;
  const turn = nextTurn(state);
  if (turn > limits.turns) return finish(state, "limit_reached", { limit: limitValue(state, "turns") });
  const tokens = spentTokens(state) + worstCaseTokens(state);
  if (tokens > limits.tokens) return finish(state, "limit_reached", { limit: limitValue(state, "tokens") });
  const used = usedUp(state);
  if (used !== null) return finish(state, "budget_exhausted", { error: { kind: "budget_exceeded", message: used } });
  const alert = dueAlert(state);
  if (alert !== null) return alert;
  if (reviewDue(state, turn)) return finish(state, "needs_review");
  return compaction(state, turn) ?? { kind: "call_model", turn, attempt, purpose: "turn" };
}

/** A limit counts turns, so a retry or a turn that goes on is never stopped for a review. */
function reviewDue({ config, turn, reviewed_turn }: SessionState, next: number): boolean {
  const every = config?.review_every ?? null;
  return every !== null && next > turn && turn - reviewed_turn >= every;
}

/** X1, and what is due before the next call; null where nothing is. */
function compaction(state: SessionState, turn: number): Step | null {
  // What a turn began with, it ends with: an attempt or a paused turn sends the same again.
  if (turn === state.turn && state.stop === "pause_turn") return null;
  const stuck = noWayOut(state);
  if (stuck !== null) return full(state, stuck);
  const due = dueCompaction(state, turn);
  if (due === null) return null;
  if (due.layer === "micro") return { kind: "compact", ...due };
  const many = tooManyCompactions(state);
  if (many !== null) return full(state, many);
  // A summary needs room for an answer that is worth having.
  if (state.summary === null && state.config?.context.summary === true && state.max_tokens >= OUTPUT_TOKENS_MIN)
    return { kind: "call_model", turn: Math.max(1, state.turn), attempt: 1, purpose: "summary" };
  return { kind: "compact", ...due };
}

/** Once in a row of failures the conversation is made smaller and sent again. */
function overflowed(state: SessionState, message: string): Step {
  const stuck = state.failures.repaired.includes("context_overflow") ? null : tooManyCompactions(state);
  if (stuck !== null) return full(state, stuck);
  if (!state.failures.repaired.includes("context_overflow"))
    return { kind: "compact", layer: "reactive", reason: message, calls: [] };
  const reason = `The conversation was compacted and still does not fit: ${message}`;
  return full(state, { reason, value: likelyTokens(state).prompt, max: windowOf(state) });
}

function full(state: SessionState, { reason, value, max }: NoWayOut): Step {
  const error = { kind: "context_overflow" as const, message: reason };
  return finish(state, "limit_reached", { limit: { limit: "context", value, max }, error });
}

/** The phase after the present one; null where there is none. */
function phaseAfter({ config, phase }: SessionState): string | null {
  const phases = config?.phases ?? [];
  const at = phases.findIndex(({ name }) => name === phase);
  return at === -1 ? null : (phases[at + 1]?.name ?? null);
}

const REPAIRS: { readonly [Kind in ErrorKind]?: Repair } = {
  max_tokens_overflow: "lower_max_tokens",
  orphan_tool_use: "rebuild",
  orphan_tool_result: "rebuild",
  thinking_signature: "drop_thinking",
  thinking_modified: "drop_thinking",
  thinking_order: "drop_thinking",
  reasoning_pairing: "drop_thinking",
  truncated: "continue",
  truncated_tool_call: "raise_max_tokens",
  empty_response: "continue",
};

type Failed = Extract<SessionState["model"], { status: "failed" }>;

function afterFailure(state: SessionState, failed: Failed): Step {
  const { handling } = ERROR_TABLE[failed.kind];
  const error = { kind: failed.kind, message: failed.message };
  const to = mayTakeOver(state, failed) ? nextModel(state, failed.kind) : null;
  if (to !== null) return { kind: "switch_model", to, error: failed.kind, message: failed.message };
  switch (handling) {
    case "retry":
    case "wait":
      return waited(state, failed);
    case "repair": {
      const repair = REPAIRS[failed.kind];
      return repair === undefined
        ? finish(state, "failed", { error })
        : repaired(state, failed.kind, repair, failed.message);
    }
    case "surface":
      return finish(state, "refused", { error });
    case "fall_back":
      return finish(state, endOfFailed(failed.kind), { error });
    case "compact":
      return overflowed(state, failed.message);
    // Escalation has nobody yet who could do it: the run ends resumable.
    case "escalate":
    case "pause":
    case "abort":
      return finish(state, "failed", { error });
  }
}

/** Within the limits of the kind's row: by number, and by the sum of the waits. */
function waited(state: SessionState, failed: Failed): Step {
  const { kind, message, attempt, refused, retry_after_ms } = failed;
  const { limit } = ERROR_TABLE[kind];
  const series = seriesOf(state);
  const attempts = limit?.attempts ?? 0;
  const wait = Math.max(retry_after_ms ?? 0, 0);
  const left = (limit?.total_ms ?? 0) - series.waited_ms;
  if (series.count > attempts || wait > left || (left <= 0 && wait > 0))
    return finish(state, endOfFailed(kind), { error: { kind, message } });
  return { kind: "wait", error: kind, attempt: refused ? attempt : attempt + 1, retry_after_ms, until: null };
}

/** A run that money ended says so. */
function endOfFailed(kind: ErrorKind): "budget_exhausted" | "failed" {
  return kind === "budget_held" || kind === "budget_exceeded" ? "budget_exhausted" : "failed";
}

/** Another model takes over at once where waiting cannot help, else after the same failure came again and again. */
function mayTakeOver({ failures, config }: SessionState, { kind, retry_after_ms, refused }: Failed): boolean {
  if (failures.count >= FALLBACK_AFTER_FAILURES) return true;
  if (kind === "rate_limit") return refused || (retry_after_ms ?? 0) > (config?.models.patience_ms ?? 0);
  return refused || kind === "not_found" || kind === "refusal" || kind === "content_filter";
}

function repaired(state: SessionState, kind: ErrorKind, repair: Repair, message: string): Step {
  if (state.failures.repaired.includes(kind)) return finish(state, "failed", { error: { kind, message } });
  return { kind: "repair", error: kind, repair };
}

function finish(
  state: SessionState,
  outcome: FinishStep["outcome"],
  more: Partial<Pick<FinishStep, "verification" | "error" | "limit">> = {},
): Step {
  const { verification = "not_applicable", error = null, limit = null } = more;
  // Work that was done stays reachable however the run ends.
  if (state.dirty && state.workspace !== null) return { kind: "checkpoint", label: `before ${outcome}` };
  return { kind: "finish", outcome, verification, error, limit };
}

function limitValue(state: SessionState, limit: Exclude<LimitName, "context">): FinishStep["limit"] {
  const max = state.config?.limits[limit] ?? 1;
  const value = {
    turns: state.turn,
    tokens: spentTokens(state),
    active_ms: state.active_ms + state.at - (state.run?.started_at ?? state.at),
  }[limit];
  return { limit, value, max };
}

function spentTokens(state: SessionState): number {
  return totalTokens(state.usage) + state.unknown_tokens;
}

function idOf(call: ToolCall): ToolCall["part"]["call"] {
  return call.part.call;
}
