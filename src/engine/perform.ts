/** The one switch over steps. Each arm is one call to a helper that does the work and returns what became of it, as events. */
import type { Draft } from "../kernel/events/index.ts";
import type { Step } from "../kernel/step.ts";
import { alertBudget } from "./alert-budget.ts";
import { askPerson } from "./ask.ts";
import { callModel } from "./call-model.ts";
import { mergeAgent } from "./agents/merge-agent.ts";
import { checkpoint } from "./checkpoint.ts";
import { closeCalls, judgeTools, readCalls } from "./judge-tools.ts";
import { prepareWorkspace } from "./prepare-workspace.ts";
import { recover } from "./recover.ts";
import { compact } from "./compact.ts";
import { nextPhase } from "./next-phase.ts";
import type { Drive } from "./run.ts";
import { switched } from "./switch-model.ts";
import { runTools } from "./run-tools.ts";
import { verify } from "./verify.ts";
import { wait } from "./wait.ts";

export type Doable = Exclude<Step, { readonly kind: "finish" }>;

export async function perform(step: Doable, run: Drive): Promise<readonly Draft[]> {
  switch (step.kind) {
    case "recover":
      return recover(step, run);
    case "prepare_workspace":
      return prepareWorkspace(run);
    case "call_model":
      return callModel(step, run);
    case "judge_tools":
      return judgeTools(step.calls, run, await readCalls(step.calls, run), run.host.clock.now());
    case "ask":
      return askPerson(step.calls, run);
    case "run_tools":
      return runTools(step.calls, run);
    case "close_calls":
      return closeCalls(step.calls, step.reason);
    case "wait":
      return wait(step, run);
    case "switch_model":
      return [switched(step, run)];
    case "alert":
      return alertBudget(step, run);
    case "compact":
      return compact(step, run);
    case "next_phase":
      return nextPhase(step, run.config());
    case "merge_agent":
      return mergeAgent(step.session, run);
    case "repair":
      return [{ kind: "HistoryRepaired", data: { kind: step.error, repair: step.repair } }];
    case "checkpoint":
      return checkpoint(step.label, run);
    case "verify":
      return verify(step.command, run);
  }
}
