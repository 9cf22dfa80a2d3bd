/**
 * The loop. State is a fold over journaled events; `decide` is pure; `perform` is the only place with effects.
 *
 * E1: the intent of an effect is durable before the effect (each helper of `perform` records it first).
 * E2: nobody but `record` and `stage` changes the state.
 * E3: an operating error ends the run with its kind; a lost lease or a failed store ends it without another write.
 * E4: a result is durable before anything that takes time begins: the step after it starts with a record, which stores both,
 *     or it is settled first.
 */
import { decide } from "../kernel/decide.ts";
import { ERROR_TABLE, type ErrorKind } from "../kernel/error-kind.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { Draft } from "../kernel/events/index.ts";
import { exitCodeOf } from "../kernel/outcome.ts";
import type { RunEnd, SessionState } from "../kernel/state.ts";
import type { FinishStep } from "../kernel/step.ts";
import { leaveContinuity, writeContinuity } from "./continuity-file.ts";
import { learnedDrafts } from "./memory/consolidate-run.ts";
import { type Doable, perform } from "./perform.ts";
import type { Drive } from "./run.ts";

/** E4. Steps that take no time, or begin with a record before anything else. */
const GOES_ON: { readonly [Kind in Doable["kind"]]: boolean } = {
  call_model: true,
  judge_tools: true,
  run_tools: true,
  close_calls: true,
  repair: true,
  switch_model: true,
  compact: true,
  next_phase: true,
  merge_agent: false,
  recover: false,
  prepare_workspace: false,
  ask: false,
  alert: false,
  wait: false,
  checkpoint: false,
  verify: false,
};

export async function drive(run: Drive): Promise<RunEnd> {
  try {
    for (;;) {
      if (isStoppedUnheard(run)) throw run.failure();
      const step = decide(run.state());
      if (step.kind === "finish") return await finish(run, step);
      if (step.kind === "call_model" && step.purpose === "turn") await writeContinuity(run);
      if (!GOES_ON[step.kind]) await run.settle();
      await run.stage(await perform(step, run));
    }
  } catch (error) {
    return await fail(run, error);
  } finally {
    await run.endInteractive();
  }
}

/** E3. What stopped the run is not in the journal, so `decide` does not know of it and would wait for it for ever. */
function isStoppedUnheard(run: Drive): boolean {
  const stopped = run.state().run;
  return run.signal.aborted && stopped?.cancel == null && stopped?.limit == null && run.failure() !== null;
}

async function finish(run: Drive, step: FinishStep): Promise<RunEnd> {
  const state = run.state();
  const reached: readonly Draft[] =
    step.limit && state.run?.limit == null ? [{ kind: "LimitReached", data: step.limit }] : [];
  const end = endOf(step, state);
  const learned = await learnedDrafts(step.outcome, run);
  await run.record([...reached, ...learned, { kind: "RunEnded", data: { ...end, active_ms: activeMs(run) } }]);
  await leaveContinuity(run);
  return end;
}

/** How a run ends that was decided to end. */
export function endOf(step: FinishStep, { run }: SessionState): RunEnd {
  const terminated = run?.cancel != null && ["sigterm", "sighup"].includes(run.cancel.by);
  return {
    outcome: step.outcome,
    verification: step.verification,
    error: step.error,
    exit_code: exitCodeOf(step.outcome, terminated ? "terminated" : (step.error?.kind ?? null)),
  };
}

/** E3. */
async function fail(run: Drive, error: unknown): Promise<RunEnd> {
  run.abort("failed");
  const kind: ErrorKind = error instanceof HarnessError ? error.kind : "internal";
  const message = error instanceof Error ? error.message : String(error);
  const end: RunEnd = {
    outcome: "failed",
    verification: "not_applicable",
    error: { kind, message },
    exit_code: exitCodeOf("failed", kind),
  };
  run.failedWith(error);
  if (ERROR_TABLE[kind].subsystem === "store") return end;
  try {
    await run.record([{ kind: "RunEnded", data: { ...end, active_ms: activeMs(run) } }]);
  } catch (second) {
    // The first reason stands. A journal that cannot take it is found unended by the next run, which recovers.
    if (!(second instanceof HarnessError)) throw second;
  }
  return end;
}

/** By the clock that limits are measured with: hours in which the machine was suspended were no work. */
function activeMs(run: Drive): number {
  return Math.max(0, Math.round(run.host.clock.monotonic() - run.began));
}
