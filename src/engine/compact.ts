/** Makes the conversation smaller. All of it is reckoned from the state, so a replay comes to the same. */
import { planCompaction } from "../context/plan-compaction.ts";
import type { Draft } from "../kernel/events/index.ts";
import type { SessionState } from "../kernel/state.ts";
import type { Step } from "../kernel/step.ts";

export function compact(
  step: Extract<Step, { readonly kind: "compact" }>,
  run: { state(): SessionState },
): readonly Draft[] {
  return [{ kind: "ContextCompacted", data: planCompaction(run.state(), step) }];
}
