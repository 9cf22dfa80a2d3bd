/**
 * Handing a part of a batch in.
 *
 * B1: that it is about to be submitted is journaled, with its worst case reserved, before the first byte leaves; the receipt
 *     after. What was sent without a receipt is looked for by its marker and never sent again while it may have arrived.
 */
import { type BatchPart, isOpen } from "../../kernel/batch-state.ts";
import type { BatchStep } from "../../kernel/batch-step.ts";
import { ledgerScopes } from "../../kernel/ledger-scopes.ts";
import type { Draft } from "../../kernel/events/index.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { formatMoney, NO_MONEY, type NanoDollars } from "../../kernel/money.ts";
import type { SessionState } from "../../kernel/state.ts";
import { NO_USAGE } from "../../kernel/usage.ts";
import type { BatchFault } from "../../model/batch/batch.ts";
import { batchOf, type BatchRun } from "./batch-run.ts";
import { customId, requestOf } from "./job.ts";
import { addCase, NO_CASE, type WorstCase, worstCaseOf } from "./money.ts";
import type { JobSet } from "./job-set.ts";
import { doneIn } from "./results.ts";
import { jobsIn, type PlacedJob } from "./source.ts";

/** A part that a cap makes smaller than this is not worth a batch, unless it is all there is. Jobs. */
const PART_JOBS_MIN = 20;

type Submit = Extract<BatchStep, { readonly kind: "submit" }>;

/** `held`: what a cap leaves is reserved by the parts under way. `fault`: the provider did not take it; whether it arrived is for `find`. */
export type Submitted =
  | { readonly state: "submitted" }
  | { readonly state: "held" }
  | { readonly state: "fault"; readonly fault: BatchFault };

export async function submitPart(run: BatchRun, step: Submit): Promise<Submitted> {
  const { journal, host, provider } = run;
  const batch = batchOf(journal.state);
  const number = step.again?.number ?? batch.parts.reduce((most, part) => Math.max(most, part.number), 0) + 1;
  const attempt = (step.again?.attempt ?? 0) + 1;
  const marker = `${journal.state.session}-${number}-${attempt}`;
  const part = await partFrom(run, step, marker);
  if (part === "held") return { state: "held" };
  const call = host.ids.modelCall();
  const { from, to, bytes, worst } = part;
  const names = ledgerScopes(journal.state, journal.state.turn, await host.store.now()).map(({ scope }) => scope);
  try {
    await journal.append([
      {
        kind: "BudgetReserved",
        data: { call, scopes: names, tokens: worst.tokens, cost: worst.cost, max_tokens: null },
      },
      {
        kind: "BatchPartSubmitting",
        data: { part: number, round: batch.round.number, attempt, marker, from, to, bytes, call, reserved: worst.cost },
      },
    ]);
  } catch (error) {
    // The parts under way give back what they do not use.
    const others = error instanceof HarnessError && (error.kind === "budget_held" || error.kind === "budget_exceeded");
    if (others && batch.parts.some(isOpen)) return { state: "held" };
    throw error;
  }
  const receipt = await provider.submit(
    { marker, count: to - from, lines: linesFrom(run, marker, from, to) },
    run.signal,
  );
  if (receipt.ok) {
    await journal.append([{ kind: "BatchPartSubmitted", data: { part: number, batch: receipt.id, found: false } }]);
    return { state: "submitted" };
  }
  if (!receipt.sent) await withdraw(run, number, receipt);
  return { state: "fault", fault: receipt };
}

/** After a crash or a fault between submission and receipt. `undecided`: to be asked again later. */
export async function findPart(run: BatchRun, part: BatchPart): Promise<"settled" | "undecided" | BatchFault> {
  const { journal, provider } = run;
  const known = batchOf(journal.state).parts.flatMap(({ batch }) => (batch === null ? [] : [batch]));
  const lost = { marker: part.marker, count: part.to - part.from, at: part.at, known };
  const found = await provider.find(lost, run.signal);
  if (!found.ok) return found;
  if (found.state === "undecided") return "undecided";
  if (found.state === "found") {
    await journal.append([{ kind: "BatchPartSubmitted", data: { part: part.number, batch: found.id, found: true } }]);
  } else await withdraw(run, part.number, null);
  return "settled";
}

/** It costs nothing: what was reserved for it is given back. */
async function withdraw({ journal }: BatchRun, number: number, fault: BatchFault | null): Promise<void> {
  const part = batchOf(journal.state).parts.find((one) => one.number === number);
  if (part === undefined) return;
  await journal.append([
    {
      kind: "BatchPartWithdrawn",
      data: { part: number, kind: fault?.kind ?? null, message: fault?.message ?? "The provider does not know it." },
    },
    settled(part, NO_MONEY),
  ]);
}

/** What was reserved for a part becomes what it cost. */
export function settled(part: BatchPart, cost: NanoDollars | null, price: string | null = null): Draft {
  const usage = part.kept === 0 ? NO_USAGE : part.usage;
  return {
    kind: "BudgetSettled",
    data: { call: part.call, usage, cost, price, unknown_tokens: 0, unknown_cost: NO_MONEY },
  };
}

interface PlannedPart {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly worst: WorstCase;
}

/** As much as the provider's limits and the cap allow; jobs of one model. @throws `budget_exceeded`, `request_too_large` */
async function partFrom(run: BatchRun, { again, from }: Submit, marker: string): Promise<PlannedPart | "held"> {
  const { provider, host, journal } = run;
  const { round, parts } = batchOf(journal.state);
  const end = again?.to ?? round.jobs;
  const room = roomOf(journal.state);
  let planned: PlannedPart = { from, to: from, bytes: 0, worst: NO_CASE };
  let model: string | null = null;
  let stopped: "provider" | "cap" | null = null;
  for await (const { n, job } of roundFrom(run, from, end)) {
    model ??= job.model;
    if (job.model !== model || planned.to - from === provider.limits.requests) break;
    const line = await provider.line({ custom_id: customId(marker, n), request: requestOf(job) });
    const bytes = planned.bytes + Buffer.byteLength(line) + 1;
    const worst = addCase(planned.worst, await worstCaseOf(host.prices, provider.provider, job));
    stopped = bytes > provider.limits.bytes ? "provider" : worst.cost !== null && worst.cost > room ? "cap" : null;
    if (stopped === "provider" && planned.to === from) throw tooLarge(job.id, provider.limits.bytes);
    if (stopped !== null) break;
    planned = { from, to: planned.to + 1, bytes, worst };
  }
  const few = planned.to - from < PART_JOBS_MIN && planned.to < end;
  if (stopped !== "cap" || !few) return planned;
  if (parts.some(isOpen)) return "held";
  if (planned.to === from) throw usedUp(journal.state, room);
  return planned;
}

/** What the cap of the batch leaves, in nano-dollars; without one there is no end of it. The ledger has the last word. */
function roomOf(state: SessionState): number {
  const cap = state.config?.budget.caps.find(({ scope }) => scope === "session")?.cost;
  if (cap == null) return Infinity;
  const reserved = batchOf(state).parts.reduce((sum, part) => (isOpen(part) ? sum + (part.reserved ?? 0) : sum), 0);
  return cap - state.priced_cost - state.unknown_cost - reserved;
}

/** The jobs of the round at the positions from `from` up to `end`. */
async function* roundFrom(run: BatchRun, from: number, end: number): AsyncGenerator<PlacedJob> {
  const { round, jobs } = batchOf(run.journal.state);
  const done = await doneIn(run.files.results, round.results_bytes, jobs, run.journal.state.session);
  const n = placeAt(done, from, jobs);
  let position = from;
  for await (const placed of jobsIn(run.files, { n, start: run.index.start(n) })) {
    if (position >= end) return;
    if (done.has(placed.n)) continue;
    position += 1;
    yield placed;
  }
}

/** The place in the file of the job at this position among those that are not done: what comes before is not read. */
function placeAt(done: JobSet, position: number, jobs: number): number {
  let n = 0;
  for (let before = position; n < jobs && (before > 0 || done.has(n)); n += 1) if (!done.has(n)) before -= 1;
  return n;
}

async function* linesFrom(run: BatchRun, marker: string, from: number, to: number): AsyncGenerator<string> {
  for await (const { n, job } of roundFrom(run, from, to)) {
    yield await run.provider.line({ custom_id: customId(marker, n), request: requestOf(job) });
  }
}

function tooLarge(id: string, bytes: number): HarnessError {
  return new HarnessError(
    "request_too_large",
    `The job ${id} alone is larger than a batch of the provider may be (${bytes} bytes).`,
    "Take it out of the file, and run the batch anew.",
  );
}

function usedUp({ session }: SessionState, room: number): HarnessError {
  const left = formatMoney(Math.max(0, Math.floor(room)) as NanoDollars); // whole: a difference of whole amounts
  return new HarnessError(
    "budget_exceeded",
    `The next job of batch ${session} may cost more than its cap leaves (${left}).`,
    `Raise the cap: \`belay batch resume ${session} --budget DOLLARS\`.`,
  );
}
