/**
 * Admission over cells of the store: one rate and one breaker for all processes that share it. A call costs one read and one
 * write when it enters and one of each when it is settled; whoever waits reads when its turn is likely, and never in step.
 */
import type { Clock, Random } from "../../kernel/clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { TenantId } from "../../kernel/ids.ts";
import type { Cells } from "../../store/cells.ts";
import {
  type Admission,
  ADMISSION_TTL_MS,
  type AdmissionOptions,
  type AdmissionRequest,
  type Admitted,
  type CallEnd,
  type NotAdmitted,
} from "../admission.ts";
import { ended as breakerAfter, entered, shutFor, withoutDeadProbe } from "./breaker.ts";
import { type CellState, cellKey, ERROR_CHARS_MAX, PARTY_CHARS_MAX } from "./cell-state.ts";
import { countedAhead } from "./learned.ts";
import { judge, type Wait } from "./judge.ts";
import { admitted, alive, enqueued, left, type Ticket, TICKETS_MAX, withoutDead } from "./limiter.ts";
import { pollDelay } from "./poll.ts";
import { settled } from "./settle.ts";
import { type SharedCell, sharedCell } from "./shared-cell.ts";

/** How often it is said that a turn or a ticket is alive. Milliseconds. */
const BEAT_MS: number = ADMISSION_TTL_MS / 3;
/** The least time between two views of a wait. Milliseconds. */
const VIEW_MS = 1_000;
/** Accounts and models that one process keeps in line; beyond it the oldest is forgotten, which costs conflicts only. */
const CELLS_MAX = 256;

export interface AdmissionParts {
  readonly cells: Pick<Cells, "readCell" | "writeCell">;
  readonly clock: Clock;
  readonly random: Random;
}

export function createAdmission(parts: AdmissionParts): Admission {
  const { clock, random } = parts;
  const process = Math.floor(random() * 36 ** 6).toString(36);
  const known = new Map<string, SharedCell>();
  let count = 0;

  const cellOf = (tenant: TenantId, request: AdmissionRequest): SharedCell => {
    const key = `${tenant} ${cellKey(request)}`;
    const cell = known.get(key) ?? sharedCell(parts, tenant, request);
    known.set(key, cell);
    for (const oldest of known.keys()) {
      if (known.size <= CELLS_MAX) break;
      known.delete(oldest);
    }
    return cell;
  };

  return {
    enter: (request, options) => {
      const id = `${process}${(count++).toString(36)}`;
      const call: Call = { id, request, cell: cellOf(request.tenant, request), clock, random };
      return wait(call, options);
    },
  };
}

interface Call {
  readonly id: string;
  readonly request: AdmissionRequest;
  readonly cell: SharedCell;
  readonly clock: Clock;
  readonly random: Random;
}

type Step =
  | { readonly step: "enter" }
  | { readonly step: "wait"; readonly wait: Wait }
  | { readonly step: "refuse"; readonly refusal: NotAdmitted };

async function wait(call: Call, { signal, patience_ms, onWait }: AdmissionOptions): Promise<Admitted | NotAdmitted> {
  const { clock, random } = call;
  signal.throwIfAborted();
  const began = clock.monotonic();
  let reason = "";
  let viewed = Number.NEGATIVE_INFINITY;
  for (let polls = 0; ; polls++) {
    const waited_ms = Math.round(clock.monotonic() - began);
    const left_ms = patience_ms === null ? null : patience_ms - waited_ms;
    const next = await call.cell.change((state, now) => knock(state, call, left_ms, now));
    if (next.step === "refuse") return next.refusal;
    if (next.step === "enter") return turnOf(call, { waited_ms: polls === 0 ? 0 : waited_ms, reason });
    const view = { wait_ms: Math.round(next.wait.wait_ms), reason: next.wait.reason };
    try {
      if (view.reason !== reason && clock.monotonic() - viewed >= VIEW_MS) {
        viewed = clock.monotonic();
        await onWait(view);
      }
      reason = view.reason;
      await clock.sleep(pollDelay(next.wait, polls, random), signal);
      signal.throwIfAborted();
    } catch (error) {
      await call.cell.change((state) => ({ state: withLimiter(state, left(state.limiter, call.id)), result: null }));
      throw error;
    }
  }
}

/** One look at the cell: in, or a place in the queue, or told that there is no point. */
function knock(before: CellState, call: Call, left_ms: number | null, now: number): ChangeTo<Step> {
  const state = tidied(before, now);
  const { limiter, breaker } = state;
  const queued = limiter.queue.some(({ id }) => id === call.id);
  const out = queued ? withLimiter(state, left(limiter, call.id)) : null;
  const shut_ms = shutFor(breaker, now);
  if (shut_ms > 0) return { state: out, result: { step: "refuse", refusal: circuitOpen(state, shut_ms) } };
  const ticket = limiter.queue.find(({ id }) => id === call.id) ?? ticketOf(call, limiter.count, now);
  const verdict = judge(limiter, ticket, now);
  if (verdict.fits) {
    const inside = { ...withLimiter(state, admitted(limiter, ticket, now)), breaker: entered(breaker, call.id) };
    return { state: inside, result: { step: "enter" } };
  }
  if (left_ms !== null && verdict.wait_ms > left_ms) {
    return { state: out, result: { step: "refuse", refusal: impatient(state, verdict, left_ms) } };
  }
  return { state: waiting(state, ticket, queued, now), result: { step: "wait", wait: verdict } };
}

interface ChangeTo<Result> {
  readonly state: CellState | null;
  readonly result: Result;
}

/** Written only when there is something to say: a place taken, or a sign of life that is due. */
function waiting(state: CellState, ticket: Ticket, queued: boolean, now: number): CellState | null {
  const { limiter } = state;
  if (!queued) return limiter.queue.length < TICKETS_MAX ? withLimiter(state, enqueued(limiter, ticket)) : null;
  return now - ticket.seen < BEAT_MS ? null : withLimiter(state, alive(limiter, ticket.id, now));
}

function ticketOf({ id, request }: Call, count: number, now: number): Ticket {
  const { provider, output_tokens } = request;
  const input_tokens = countedAhead(provider, request.input_tokens, request.cached_tokens);
  const party = request.party.slice(-PARTY_CHARS_MAX);
  return { id, party, at: now, seen: now, input_tokens, output_tokens, count };
}

function turnOf(call: Call, waited: { readonly waited_ms: number; readonly reason: string }): Admitted {
  const { cell, clock, id } = call;
  const over = new AbortController();
  const kept = keep(call, over.signal);
  return {
    ok: true,
    ...waited,
    settle: async (end) => {
      over.abort();
      await kept;
      const report_age_ms = reportAge(end, clock);
      const jitter = call.random();
      const { provider } = call.request;
      await unlessBusy(
        cell.change((state, now) => ({
          state: afterCall(tidied(state, now), { provider, turn: id, end, report_age_ms, jitter }, now),
          result: null,
        })),
      );
    },
  };
}

/** Says that the turn is alive for as long as it is held. */
async function keep({ cell, clock, id }: Call, over: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(BEAT_MS, over);
    if (over.aborted) return;
    await unlessBusy(
      cell.change((state, now) => ({ state: withLimiter(state, alive(state.limiter, id, now)), result: null })),
    );
  }
}

/** A beat or an end that could not be written costs nothing but time: the turn is forgotten (A3), and an answer is not lost for it. */
async function unlessBusy(written: Promise<null>): Promise<void> {
  try {
    await written;
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
  }
}

/** A report cannot be older than its call, whatever clocks say. */
function reportAge({ rate, duration_ms }: CallEnd, clock: Clock): number {
  return rate === null ? 0 : Math.min(Math.max(0, clock.now() - rate.at), duration_ms);
}

function afterCall(state: CellState, ended: Parameters<typeof settled>[1], now: number): CellState {
  const { end, turn, jitter } = ended;
  const { failure, sent, duration_ms } = end;
  return {
    ...state,
    limiter: settled(state.limiter, ended, now),
    breaker: breakerAfter(state.breaker, turn, end, now, jitter),
    last_latency_ms: sent && failure === null ? Math.round(duration_ms) : state.last_latency_ms,
    last_error:
      failure === null || failure.kind === "interrupted"
        ? state.last_error
        : { kind: failure.kind, message: failure.message.slice(0, ERROR_CHARS_MAX), at: now },
  };
}

function tidied(state: CellState, now: number): CellState {
  const limiter = withoutDead(state.limiter, now);
  const breaker = withoutDeadProbe(state.breaker, new Set(limiter.turns.map(({ id }) => id)));
  return limiter === state.limiter && breaker === state.breaker ? state : { ...state, limiter, breaker };
}

function withLimiter(state: CellState, limiter: CellState["limiter"]): CellState {
  return { ...state, limiter };
}

function circuitOpen({ provider, model, last_error }: CellState, shut_ms: number): NotAdmitted {
  const why = last_error === null ? "" : ` Last: ${last_error.kind}.`;
  return {
    ok: false,
    kind: "circuit_open",
    message: `${model} of ${provider} failed so often in a row that it is left alone for ${seconds(shut_ms)}.${why}`,
    retry_after_ms: Math.ceil(shut_ms),
  };
}

function impatient({ provider, model }: CellState, { wait_ms, reason }: Wait, left_ms: number): NotAdmitted {
  const patience = seconds(Math.max(0, left_ms));
  return {
    ok: false,
    kind: "rate_limit",
    message: `${model} of ${provider} is likely free in ${seconds(wait_ms)}, later than the ${patience} that are waited: ${reason}.`,
    retry_after_ms: Math.ceil(wait_ms),
  };
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}
