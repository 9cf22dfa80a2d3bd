/**
 * The steps of a batch, taken anew: the first event of a step says which one it was, and the state says which one it had to be.
 * What the provider did is not derived, nor what needs the file of jobs: how many of them a cap left for a part, and their worst case.
 */
import { type BatchPart, type BatchState } from "../../kernel/batch-state.ts";
import { batchOutcome, type BatchStep, nextBatchStep } from "../../kernel/batch-step.ts";
import type { Event, EventKind, EventOf } from "../../kernel/events/index.ts";
import { canonicalJson } from "../../kernel/json.ts";
import { NO_MONEY } from "../../kernel/money.ts";
import { exitCodeOf } from "../../kernel/outcome.ts";
import type { SessionState } from "../../kernel/state.ts";
import { compared, type Finding, finding, type FindingKind } from "./finding.ts";

type Findings = readonly Finding[];
type Look<K extends EventKind> = (event: EventOf<K>, jobs: BatchState, before: SessionState) => Findings;
type StepOf<K extends BatchStep["kind"]> = Extract<BatchStep, { readonly kind: K }>;

/** @returns null where nothing is derived from the state: it was measured, said by the provider, or wished for */
export function checkBatchEvent(event: Event, before: SessionState, jobs: BatchState): Findings | null {
  // The entry found under the event's own kind takes exactly that event (the table's type).
  const look = LOOKS[event.kind] as Look<EventKind> | undefined;
  return look === undefined ? null : look(event, jobs, before);
}

const LOOKS: { readonly [K in EventKind]?: Look<K> } = {
  BatchPartSubmitting: (event, jobs, { session }) => {
    const { part, round, attempt, marker, from } = event.data;
    return ofStep(event, jobs, "submit", ({ again, from: at }) => {
      const number = again?.number ?? jobs.parts.reduce((most, one) => Math.max(most, one.number), 0) + 1;
      const tries = (again?.attempt ?? 0) + 1;
      return same(
        event,
        { part, round, attempt, marker, from },
        {
          part: number,
          round: jobs.round.number,
          attempt: tries,
          marker: `${session}-${number}-${tries}`,
          from: at,
        },
      );
    });
  },
  BatchResultsKept: (event, jobs) => {
    const { part } = event.data;
    if (part === null) return ofStep(event, jobs, "end", () => []);
    return ofStep(event, jobs, "collect", (step) => same(event, part, step.part.number));
  },
  BatchPartEnded: (event, jobs) =>
    ofStep(event, jobs, "collect", ({ part: { number, from, to, kept } }) =>
      same(event, event.data, { part: number, left: to - from - kept }),
    ),
  BatchJobsRetried: (event, jobs) =>
    ofStep(event, jobs, "retry", (step) =>
      same(event, event.data, {
        round: jobs.round.number + 1,
        jobs: step.jobs,
        results_bytes: jobs.results.bytes,
      }),
    ),
  BatchEnded: (event, jobs) =>
    ofStep(event, jobs, "end", () => {
      const { answered, failed } = jobs.results;
      return same(event, event.data, { answered, failed });
    }),
  BudgetSettled: (event, { parts }) => {
    const { usage, cost, unknown_tokens, unknown_cost, call } = event.data;
    const part = parts.find((one) => one.call === call);
    if (part === undefined) return [finding("budget", event.seq, call, "no part has it")];
    const recorded = { usage, cost, unknown_tokens, unknown_cost };
    const now = { usage: part.usage, cost: costOf(part), unknown_tokens: 0, unknown_cost: NO_MONEY };
    return same(event, recorded, now, "budget");
  },
  RunEnded: (event, jobs) => {
    const { outcome, error, exit_code } = event.data;
    // What failed is the provider's, the machine's or the cap's.
    if (error !== null) return [];
    const ended = batchOutcome(jobs);
    if (ended === null) return same(event, outcome, "canceled");
    return same(event, { outcome, exit_code }, { outcome: ended, exit_code: exitCodeOf(ended) });
  },
};

/** What did not arrive costs nothing. */
function costOf({ status, cost }: BatchPart): BatchPart["cost"] {
  return status === "withdrawn" ? NO_MONEY : cost;
}

function ofStep<K extends BatchStep["kind"]>(
  event: Event,
  jobs: BatchState,
  kind: K,
  check: (step: StepOf<K>) => Findings,
): Findings {
  const step = nextBatchStep(jobs, false);
  if (isOfKind(step, kind)) return check(step);
  return [finding("decision", event.seq, `${event.kind} ${canonicalJson(event.data)}`, step)];
}

function isOfKind<K extends BatchStep["kind"]>(step: BatchStep, kind: K): step is StepOf<K> {
  return step.kind === kind;
}

function same(event: Event, recorded: unknown, now: unknown, kind: FindingKind = "decision"): Findings {
  const differs = compared(kind, event.seq, recorded, now);
  return differs === null ? [] : [differs];
}
