/** What a simulation must have met, so that its silence means something: every fault, step, outcome and error that can occur. */
import { EVENTS } from "../../src/kernel/events/index.ts";
import type { ErrorKind } from "../../src/kernel/error-kind.ts";
import type { Step } from "../../src/kernel/step.ts";
import { PROVIDER_KINDS } from "./sim-model.ts";
import { BEHAVIOURS } from "./tools.ts";

/** Members of the closed lists; one that is added has to be given a place here. */
const STEPS = {
  recover: true,
  prepare_workspace: true,
  call_model: true,
  // There are no sub-agents: test/fault/sub-agents.test.ts.
  merge_agent: false,
  compact: true,
  // Stored together with the answer before it: no state between them is ever stored. `event:PhaseLeft` is.
  next_phase: false,
  judge_tools: true,
  ask: true,
  run_tools: true,
  close_calls: true,
  wait: true,
  switch_model: true,
  alert: true,
  repair: true,
  checkpoint: true,
  verify: true,
  finish: true,
} satisfies Record<Step["kind"], boolean>;

const OUTCOMES = [
  "completed",
  "verification_failed",
  "limit_reached",
  "budget_exhausted",
  "refused",
  "canceled",
  "failed",
];
const STATUSES = ["ok", "error", "denied", "canceled", "timed_out", "interrupted"];
const STORE_KINDS: readonly ErrorKind[] = ["store_busy", "store_full", "store_io", "store_read_only"];
const ENDS: readonly ErrorKind[] = [
  "context_overflow",
  "git_failed",
  "sandbox_failed",
  "sandbox_missing",
  "setup_failed",
  "snapshot_failed",
  "workspace_missing",
];
const DISTURBANCES = [
  "crash",
  "freeze",
  "cancel",
  "cancel from elsewhere",
  "clock back",
  "clock forward",
  "suspend",
  "rival",
];

/** Not written by a session that is simulated: people write them between runs, batches do, or the shared rate, which is not there. */
const NOT_DRIVEN: ReadonlySet<string> = new Set([
  "WorkDelivered",
  "WorkspaceRemoved",
  "SessionForked",
  "SessionImported",
  "RateWaited",
  "ContextTargetPassed",
  "InstructionsLoaded",
  "MemoryRecalled",
  "MemoryWritten",
  "SubAgentStarted",
  "SubAgentEnded",
  "AgentMergeStarted",
  "AgentMerged",
  "ReviewGiven",
  "BatchCreated",
  "BatchPartSubmitting",
  "BatchPartSubmitted",
  "BatchPartWithdrawn",
  "BatchPartPolled",
  "BatchResultsKept",
  "BatchPartEnded",
  "BatchJobsRetried",
  "BatchCancelRequested",
  "BatchEnded",
]);

export const WHAT_CAN_BE_MET: readonly string[] = [
  ...Object.keys(EVENTS)
    .filter((kind) => !NOT_DRIVEN.has(kind))
    .map((kind) => `event:${kind}`),
  ...Object.entries(STEPS).flatMap(([kind, met]) => (met ? [`step:${kind}`] : [])),
  ...OUTCOMES.map((outcome) => `outcome:${outcome}`),
  ...STATUSES.map((status) => `status:${status}`),
  ...PROVIDER_KINDS.map((kind) => `error:${kind}`),
  ...ENDS.map((kind) => `end error:${kind}`),
  ...STORE_KINDS.flatMap((kind) => [`fault:store ${kind} before`, `fault:store ${kind} after`]),
  ...STORE_KINDS.map((kind) => `report:failed ${kind}`),
  "report:failed fenced",
  "refused:lease_held",
  "refused:fenced",
  "fault:store slow",
  "fault:workspace slow",
  "fault:workspace file_failed",
  "fault:workspace git_failed",
  "fault:workspace snapshot_failed",
  "fault:workspace workspace_missing",
  "fault:shell sandbox_failed",
  "fault:shell process_failed",
  "fault:crash before",
  "fault:crash after",
  "fault:crash within",
  "fault:crash while",
  "fault:freeze past the lease",
  "effect:of a process that escaped",
  "person:approves",
  "person:refuses",
  "person:does not come",
  ...["end_turn", "tool_use", "max_tokens", "pause_turn", "stop_sequence", "context_window", "refusal", "hang"].map(
    (stop) => `model:${stop}`,
  ),
  ...["note", "post", "look"].flatMap((tool) => BEHAVIOURS.map((behave) => `tool:${tool} ${behave}`)),
  ...["micro", "auto", "auto with a summary", "reactive"].map((layer) => `compaction:${layer}`),
  ...DISTURBANCES.map((what) => `disturbance:${what}`),
];

/** Too rare for some hundred seeds. */
export const SEEN_RARELY =
  /^(error:|end error:|tool:|person:|fault:|refused:fenced|report:|effect:|step:(repair|judge_tools|switch_model)|disturbance:)/;

/** Would mean that a defect of ours, not the weather, ended a run. */
export const NEVER_MET: readonly string[] = ["end error:internal", "report:failed internal", "end error:store_corrupt"];
