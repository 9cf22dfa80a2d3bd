/** Every event there is. A kind that is missing here, or folds wrongly typed, does not compile. */
import type * as z from "zod";
import { agentMergeStarted } from "./agent-merge-started.ts";
import { agentMerged } from "./agent-merged.ts";
import { approvalGiven } from "./approval-given.ts";
import { approvalRequested } from "./approval-requested.ts";
import { batchCancelRequested } from "./batch-cancel-requested.ts";
import { batchCreated } from "./batch-created.ts";
import { batchEnded } from "./batch-ended.ts";
import { batchJobsRetried } from "./batch-jobs-retried.ts";
import { batchPartEnded } from "./batch-part-ended.ts";
import { batchPartPolled } from "./batch-part-polled.ts";
import { batchPartSubmitted } from "./batch-part-submitted.ts";
import { batchPartSubmitting } from "./batch-part-submitting.ts";
import { batchPartWithdrawn } from "./batch-part-withdrawn.ts";
import { batchResultsKept } from "./batch-results-kept.ts";
import { budgetAlerted } from "./budget-alerted.ts";
import { budgetReserved } from "./budget-reserved.ts";
import { budgetSettled } from "./budget-settled.ts";
import { cancelRequested } from "./cancel-requested.ts";
import { checkpointCreated } from "./checkpoint-created.ts";
import { contextAssembled } from "./context-assembled.ts";
import { contextCompacted } from "./context-compacted.ts";
import { contextTargetPassed } from "./context-target-passed.ts";
import type { EventDefinition, Sealed } from "./definition.ts";
import { healthChanged } from "./health-changed.ts";
import { historyRepaired } from "./history-repaired.ts";
import { injectionSuspected } from "./injection-suspected.ts";
import { instructionsLoaded } from "./instructions-loaded.ts";
import { labelRaised } from "./label-raised.ts";
import { limitReached } from "./limit-reached.ts";
import { memoryRecalled } from "./memory-recalled.ts";
import { memoryWritten } from "./memory-written.ts";
import { modelCallFailed } from "./model-call-failed.ts";
import { modelCallFinished } from "./model-call-finished.ts";
import { modelCallRefused } from "./model-call-refused.ts";
import { modelCallStarted } from "./model-call-started.ts";
import { modelSwitched } from "./model-switched.ts";
import { permissionRuleAdded } from "./permission-rule-added.ts";
import { phaseEntered } from "./phase-entered.ts";
import { phaseLeft } from "./phase-left.ts";
import { promptPinned } from "./prompt-pinned.ts";
import { rateWaited } from "./rate-waited.ts";
import { recoveryFinished } from "./recovery-finished.ts";
import { retryScheduled } from "./retry-scheduled.ts";
import { retryWaited } from "./retry-waited.ts";
import { reviewGiven } from "./review-given.ts";
import { rolledBack } from "./rolled-back.ts";
import { runEnded } from "./run-ended.ts";
import { runStarted } from "./run-started.ts";
import { sessionConfigured } from "./session-configured.ts";
import { sessionCreated } from "./session-created.ts";
import { sessionForked } from "./session-forked.ts";
import { sessionImported } from "./session-imported.ts";
import { settingsChanged } from "./settings-changed.ts";
import { subAgentEnded } from "./sub-agent-ended.ts";
import { subAgentStarted } from "./sub-agent-started.ts";
import { toolFinished } from "./tool-finished.ts";
import { toolJudged } from "./tool-judged.ts";
import { toolProcessStarted } from "./tool-process-started.ts";
import { toolRequeued } from "./tool-requeued.ts";
import { toolStarted } from "./tool-started.ts";
import { userMessageAdded } from "./user-message-added.ts";
import { verificationFinished } from "./verification-finished.ts";
import { workDelivered } from "./work-delivered.ts";
import { workspacePrepared } from "./workspace-prepared.ts";
import { workspaceRemoved } from "./workspace-removed.ts";
import { workspaceSnapshotted } from "./workspace-snapshotted.ts";

export const EVENTS = {
  SessionCreated: sessionCreated,
  SessionConfigured: sessionConfigured,
  SettingsChanged: settingsChanged,
  SessionForked: sessionForked,
  SessionImported: sessionImported,
  RunStarted: runStarted,
  RunEnded: runEnded,
  UserMessageAdded: userMessageAdded,
  BudgetReserved: budgetReserved,
  BudgetSettled: budgetSettled,
  BudgetAlerted: budgetAlerted,
  ModelCallStarted: modelCallStarted,
  ModelCallFinished: modelCallFinished,
  ModelCallFailed: modelCallFailed,
  ModelCallRefused: modelCallRefused,
  ModelSwitched: modelSwitched,
  RateWaited: rateWaited,
  RetryScheduled: retryScheduled,
  RetryWaited: retryWaited,
  HistoryRepaired: historyRepaired,
  ToolJudged: toolJudged,
  ApprovalRequested: approvalRequested,
  ApprovalGiven: approvalGiven,
  PermissionRuleAdded: permissionRuleAdded,
  LabelRaised: labelRaised,
  InjectionSuspected: injectionSuspected,
  ToolStarted: toolStarted,
  ToolProcessStarted: toolProcessStarted,
  ToolFinished: toolFinished,
  ToolRequeued: toolRequeued,
  WorkspacePrepared: workspacePrepared,
  WorkspaceSnapshotted: workspaceSnapshotted,
  CheckpointCreated: checkpointCreated,
  RolledBack: rolledBack,
  RecoveryFinished: recoveryFinished,
  VerificationFinished: verificationFinished,
  CancelRequested: cancelRequested,
  LimitReached: limitReached,
  PhaseEntered: phaseEntered,
  PhaseLeft: phaseLeft,
  HealthChanged: healthChanged,
  ContextAssembled: contextAssembled,
  ContextTargetPassed: contextTargetPassed,
  ContextCompacted: contextCompacted,
  PromptPinned: promptPinned,
  InstructionsLoaded: instructionsLoaded,
  MemoryRecalled: memoryRecalled,
  MemoryWritten: memoryWritten,
  SubAgentStarted: subAgentStarted,
  SubAgentEnded: subAgentEnded,
  AgentMergeStarted: agentMergeStarted,
  AgentMerged: agentMerged,
  ReviewGiven: reviewGiven,
  WorkDelivered: workDelivered,
  WorkspaceRemoved: workspaceRemoved,
  BatchCreated: batchCreated,
  BatchPartSubmitting: batchPartSubmitting,
  BatchPartSubmitted: batchPartSubmitted,
  BatchPartWithdrawn: batchPartWithdrawn,
  BatchPartPolled: batchPartPolled,
  BatchResultsKept: batchResultsKept,
  BatchPartEnded: batchPartEnded,
  BatchJobsRetried: batchJobsRetried,
  BatchCancelRequested: batchCancelRequested,
  BatchEnded: batchEnded,
} as const;

export type EventKind = keyof typeof EVENTS;
export type EventData<K extends EventKind> = z.infer<ReturnType<(typeof EVENTS)[K]["schema"]>>;

/** A sealed event of a kind that this version knows. */
export type Event = { [K in EventKind]: Sealed<EventData<K>> & { readonly kind: K } }[EventKind];
export type EventOf<K extends EventKind> = Extract<Event, { readonly kind: K }>;

/** An event of a kind that this version does not know, as a reader sees it. */
export interface UnknownEvent extends Sealed<unknown> {
  readonly unknown: true;
}

/** An event as it is handed to the journal: the envelope is put on there. */
export type Draft = {
  [K in EventKind]: {
    readonly kind: K;
    readonly data: EventData<K>;
    readonly actor?: "belay" | "model" | "user" | "tool";
    readonly causation?: number;
    readonly turn?: number;
  };
}[EventKind];

// The table agrees with the union: every kind has a definition of its own payload.
EVENTS satisfies { [K in EventKind]: EventDefinition<EventData<K>> };

export function isEventKind(kind: string): kind is EventKind {
  return Object.hasOwn(EVENTS, kind);
}
