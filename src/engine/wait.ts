/** Waits before another attempt. The wait is journaled before it begins. */
import { seriesOf } from "../kernel/caps.ts";
import { ERROR_TABLE } from "../kernel/error-kind.ts";
import type { Draft } from "../kernel/events/index.ts";
import type { Step } from "../kernel/step.ts";
import { retryDelay } from "../model/retry.ts";
import type { Drive } from "./run.ts";

type WaitStep = Extract<Step, { readonly kind: "wait" }>;

export async function wait(step: WaitStep, run: Drive): Promise<readonly Draft[]> {
  const { clock } = run.host;
  if (step.until !== null) {
    // Cut off by a crash: only the rest is waited. A clock that was set back since must not make hours of it.
    const rest = Math.max(0, step.until - clock.now());
    await clock.sleep(Math.min(rest, ERROR_TABLE[step.error].limit?.total_ms ?? 0), run.signal);
    return [{ kind: "RetryWaited", data: {} }];
  }
  const delay = delayOf(step, run);
  const { model } = run.state();
  const reason = model.status === "failed" ? model.message : "";
  const until = clock.now() + delay;
  await run.record([
    { kind: "RetryScheduled", data: { kind: step.error, attempt: step.attempt, delay_ms: delay, until } },
  ]);
  if (step.error === "budget_held") run.delta({ type: "waiting", for: "budget", wait_ms: delay, reason });
  await clock.sleep(delay, run.signal);
  return [{ kind: "RetryWaited", data: {} }];
}

function delayOf(step: WaitStep, run: Drive): number {
  const limit = ERROR_TABLE[step.error].limit;
  if (limit === undefined) return 0;
  const series = seriesOf(run.state());
  const planned = retryDelay({
    limit,
    attempt: series.count,
    waited_ms: series.waited_ms,
    retry_after_ms: step.retry_after_ms,
    random: run.host.random,
  });
  // `decide` has already given up where the limits say so; what is left here is the last, shortened wait.
  return "delay_ms" in planned ? Math.round(planned.delay_ms) : 0;
}
