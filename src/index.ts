/**
 * belay-harness: the library behind the `belay` command. A program builds a `Host` (store, model, workspaces, shell,
 * tools, clock) and starts or resumes sessions with it; what happens is read from events, the truth is the journal.
 */
export { startSession, resumeSession } from "./engine/session.ts";
export type { LiveSession, ResumeRequest, StartRequest } from "./engine/session.ts";
export { deliverSession, diffSession, pruneWorkspaces, removeSession, rollbackSession } from "./engine/operations.ts";
export type { Pruned, PruneRequest, RolledBackTo, SessionDiff } from "./engine/operations.ts";
export { forkSession } from "./engine/fork.ts";
export type { Forked, ForkRequest } from "./engine/fork.ts";
export { replaySession } from "./engine/replay/replay.ts";
export type { Replay, ReplayRequest } from "./engine/replay/replay.ts";
export { exportSession } from "./engine/transfer/export.ts";
export type { Exported } from "./engine/transfer/export.ts";
export { importSession } from "./engine/transfer/import.ts";
export type { Imported, ImportRequest } from "./engine/transfer/import.ts";
export type { ApprovalQuestion, Host, Prompter } from "./engine/host.ts";
export type { CancelBy } from "./engine/stopping.ts";
export type { RunReport } from "./engine/report.ts";

export { createLocalHost } from "./host/local-host.ts";
export type { LocalHostOptions } from "./host/local-host.ts";
export { systemClock } from "./host/system-clock.ts";

export type { Clock, Random } from "./kernel/clock.ts";
export type { SessionConfig } from "./kernel/config.ts";
export type { ContentPart, Message, ModelPart, Origin, PlainPart } from "./kernel/content.ts";
export { textPart } from "./kernel/content.ts";
export { decide } from "./kernel/decide.ts";
export type { Delta } from "./kernel/delta.ts";
export { ERROR_TABLE } from "./kernel/error-kind.ts";
export type { ErrorKind, ErrorRow, Handling } from "./kernel/error-kind.ts";
export type { Draft, Event, EventData, EventKind, EventOf, UnknownEvent } from "./kernel/events/index.ts";
export { emptyState, foldAll, foldEvent } from "./kernel/fold.ts";
export { HarnessError } from "./kernel/harness-error.ts";
export { createIds, LOCAL_PRINCIPAL, LOCAL_TENANT, parseCheckpointId, parseSessionId } from "./kernel/ids.ts";
export type { Ids, SessionId } from "./kernel/ids.ts";
export { DEFAULT_LIMITS, LIMITS_MAX } from "./kernel/limits.ts";
export type { Limits } from "./kernel/limits.ts";
export { EXIT_TABLE, exitCodeOf } from "./kernel/outcome.ts";
export type { Outcome, Verification } from "./kernel/outcome.ts";
export type { SessionState } from "./kernel/state.ts";
export type { Step } from "./kernel/step.ts";

export { createAiSdkModel } from "./model/ai-sdk/adapter.ts";
export type { AiSdkOptions, LanguageModelFactory } from "./model/ai-sdk/adapter.ts";
export { createAnthropicModel } from "./model/anthropic/adapter.ts";
export { createOpenAIModel } from "./model/openai/adapter.ts";
export { classifyProviderError } from "./model/classify.ts";
export { oneModel } from "./model/model.ts";
export type { Model, ModelAnswer, ModelDelta, ModelRequest, Models, PriceTable } from "./model/model.ts";
export { createPriceTable } from "./model/prices.ts";
export { createModels } from "./model/providers.ts";
export type { ModelsSettings } from "./model/providers.ts";

export { loadSession, openJournal, readEvents } from "./store/journal.ts";
export type { Journal } from "./store/journal.ts";
export { createMemoryStore } from "./store/memory/memory-store.ts";
export type { Lease, Owner, SessionRow, Store } from "./store/port.ts";
export { openPostgresStore } from "./store/postgres/postgres-store.ts";
export type { PostgresStoreOptions } from "./store/postgres/postgres-store.ts";
export { createRedactor } from "./store/redaction.ts";
export type { Redactor } from "./store/redaction.ts";
export { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
export { memoryVault, openVault } from "./store/vault.ts";

export { builtInTools } from "./tool/registry.ts";
export type { Tool, ToolContext, ToolOutput } from "./tool/tool.ts";

export { createBwrapShell } from "./workspace/sandbox/bwrap-shell.ts";
export { endProcess, identityOf, isAlive } from "./workspace/process/identity.ts";
export { createPlainShell } from "./workspace/process/plain-shell.ts";
export { probeSandbox } from "./workspace/sandbox/probe.ts";
export type { RunningCommand, Shell, ShellCommand } from "./workspace/shell.ts";
export type { Workspace, WorkspaceFiles, Workspaces } from "./workspace/workspace.ts";
export { createWorkspaces } from "./workspace/workspaces.ts";
