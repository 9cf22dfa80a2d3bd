/** A cap is nearly used up, or a turn was dear: a person is asked where one is there; elsewhere it is journaled, and so shown. */
import { alertText } from "../kernel/caps.ts";
import type { Draft } from "../kernel/events/index.ts";
import type { BudgetAlert } from "../kernel/step.ts";
import type { Drive } from "./run.ts";

export async function alertBudget(step: BudgetAlert, run: Drive): Promise<readonly Draft[]> {
  const { kind: _step, ...of } = step;
  const { prompter } = run.host;
  const title = `${step.scope}: ${alertText(step)}`;
  const answer =
    prompter === null ? null : await prompter.askBudget({ session: run.state().session, title }, run.signal);
  // Who stopped the run meanwhile has journaled that, and has answered nothing.
  const stopped = run.state().run;
  if (run.signal.aborted && (stopped?.cancel != null || stopped?.limit != null)) return [];
  return [
    {
      kind: "BudgetAlerted",
      actor: answer === null ? "belay" : "user",
      data: { ...of, answer: answer === null ? null : answer.approved ? "go_on" : "stop", by: answer?.by ?? null },
    },
  ];
}
