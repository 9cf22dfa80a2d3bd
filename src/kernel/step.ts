/** What the engine can do next. `decide` names one of these; the engine's `perform` does it. */
import type { ErrorKind } from "./error-kind.ts";
import type { ModelCallId, SessionId, ToolCallId } from "./ids.ts";
import type { ChosenModel } from "./model-policy.ts";
import type { Repair } from "./events/history-repaired.ts";
import type { Outcome, Verification } from "./outcome.ts";
import type { CallPurpose, CompactionLayer, LimitName } from "./state.ts";

export type Step =
  /** An older run was cut off: find out what became of what it had started. */
  | { readonly kind: "recover"; readonly model: ModelCallId | null; readonly calls: readonly ToolCallId[] }
  | { readonly kind: "prepare_workspace" }
  /** `summary`: the model is asked what should be kept of a conversation that is about to be compacted. */
  | { readonly kind: "call_model"; readonly turn: number; readonly attempt: number; readonly purpose: CallPurpose }
  | {
      readonly kind: "compact";
      readonly layer: Exclude<CompactionLayer, "fresh">;
      readonly reason: string;
      /** Of `micro`: whose results are cleared. */
      readonly calls: readonly ToolCallId[];
    }
  /** The files of a sub-agent that ended are brought in. */
  | { readonly kind: "merge_agent"; readonly session: SessionId }
  | { readonly kind: "next_phase"; readonly from: string; readonly to: string }
  | { readonly kind: "judge_tools"; readonly calls: readonly ToolCallId[] }
  | { readonly kind: "ask"; readonly calls: readonly ToolCallId[] }
  /** Several reads, or one call that may change something. */
  | { readonly kind: "run_tools"; readonly calls: readonly ToolCallId[] }
  /** Gives every open call a structured result without running it. */
  | { readonly kind: "close_calls"; readonly calls: readonly ToolCallId[]; readonly reason: string }
  /** Before attempt `attempt`. `until` is set when a wait was cut off by a crash: only its rest is waited. */
  | {
      readonly kind: "wait";
      readonly error: ErrorKind;
      readonly attempt: number;
      readonly retry_after_ms: number | null;
      readonly until: number | null;
    }
  /** Another model takes over until the run ends. */
  | { readonly kind: "switch_model"; readonly to: ChosenModel; readonly error: ErrorKind; readonly message: string }
  /** A cap is nearly used up, or a turn became dear: a person is asked where one is there, and told elsewhere. */
  | BudgetAlert
  | { readonly kind: "repair"; readonly error: ErrorKind; readonly repair: Repair }
  | { readonly kind: "checkpoint"; readonly label: string }
  | { readonly kind: "verify"; readonly command: string }
  | FinishStep;

export interface BudgetAlert {
  readonly kind: "alert";
  /** `session`, `run 2`, `turn 7`, `phase:plan`. */
  readonly scope: string;
  readonly unit: "cost" | "tokens";
  readonly value: number;
  readonly level: number;
  readonly cap: number | null;
}

export interface FinishStep {
  readonly kind: "finish";
  readonly outcome: Outcome;
  readonly verification: Verification;
  readonly error: { readonly kind: ErrorKind; readonly message: string } | null;
  readonly limit: { readonly limit: LimitName; readonly value: number; readonly max: number } | null;
}
