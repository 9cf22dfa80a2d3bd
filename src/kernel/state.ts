/** The state of a session: what the fold of its events yields. Plain JSON, so that it can be kept as a snapshot. */
import type { BatchState } from "./batch-state.ts";
import type { SessionConfig } from "./config.ts";
import type { Message, PlainPart, ToolResultPart, ToolUsePart } from "./content.ts";
import type { SessionLabel } from "./label.ts";
import type { Parent } from "./envelope.ts";
import type { Continuity } from "./continuity.ts";
import type { ErrorKind } from "./error-kind.ts";
import type {
  BlobHash,
  CheckpointId,
  MemoryId,
  ModelCallId,
  PrincipalId,
  RunId,
  SessionId,
  TenantId,
  ToolCallId,
  TraceId,
  TreeHash,
} from "./ids.ts";
import type { NanoDollars } from "./money.ts";
import type { PermissionRule, Sink } from "./permissions.ts";
import type { Outcome, Verification } from "./outcome.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import type { Tally } from "./scope.ts";
import type { Usage } from "./usage.ts";

/** Raised whenever a fold changes what it yields: kept snapshots of another version are thrown away. */
export const FOLD_VERSION = 5;

export type ToolEffect = "read" | "write" | "execute" | "network";
export type ToolStatus = "ok" | "error" | "denied" | "canceled" | "timed_out" | "stalled" | "interrupted";

/** A tool call of the current batch, from the model's request to the result. */
export interface ToolCall {
  readonly part: ToolUsePart;
  /** `seq` of the event in which the model asked for it. */
  readonly asked_seq: number;
  readonly status: "requested" | "asking" | "allowed" | "started" | "finished";
  readonly effect: ToolEffect | null;
  /** What the policy said; null before it was asked. */
  readonly judged: JudgedCall | null;
  /** Until when a person's yes counts, in milliseconds since the epoch; null where nobody was asked. */
  readonly approved_until: number | null;
  /** Present once started. */
  readonly started: StartedCall | null;
  /** Everything it started, so that a resume can prove it dead. */
  readonly processes: readonly ProcessIdentity[];
  /** A sentence for the model about an earlier attempt that a crash cut and a rollback undid. */
  readonly note: string | null;
  readonly result: ToolResultPart | null;
}

export interface JudgedCall {
  readonly reason: string;
  readonly rule: PermissionRule | null;
  /** Where it acts outside, or on what outlives the session. */
  readonly sink: { readonly sink: Sink; readonly destination: string } | null;
  /** It was allowed without the network that the session has otherwise. */
  readonly network_withheld: boolean;
  /** Why its result will be text of strangers, or hold secrets. */
  readonly brings_in: { readonly untrusted: string | null; readonly secret: string | null };
}

export interface StartedCall {
  readonly epoch: number;
  readonly at: number;
  /** The workspace before the call; null when the call cannot change it or snapshots are off. */
  readonly tree: TreeHash | null;
  /** On the workspace's file clock: what it changed is stamped later. */
  readonly file_time: number | null;
  /** Sandboxed, without network, and repeatable from its input alone: after a crash it is rolled back and run again. */
  readonly confined: boolean;
}

export const NO_FAILURES: SessionState["failures"] = {
  count: 0,
  waited_ms: 0,
  repaired: [],
  refused: { count: 0, waited_ms: 0 },
};

/** `turn`: the conversation goes on. `summary`: the model is asked what should be kept of it. */
export type CallPurpose = "turn" | "summary";

/** Where the conversation with the model stands. */
export type ModelPhase =
  | { readonly status: "idle" }
  | {
      readonly status: "calling";
      readonly call: ModelCallId;
      readonly epoch: number;
      readonly attempt: number;
      readonly purpose: CallPurpose;
    }
  | {
      readonly status: "failed";
      readonly kind: ErrorKind;
      readonly message: string;
      readonly attempt: number;
      readonly retry_after_ms: number | null;
      /** Nothing was sent: a cap, the rate or a failing model stood in the way. */
      readonly refused: boolean;
    }
  | { readonly status: "waiting"; readonly kind: ErrorKind; readonly until: number; readonly attempt: number };

export interface WorkspaceState {
  /** The tree the work started from. */
  readonly base: TreeHash;
  /** The newest snapshot. */
  readonly tree: TreeHash;
  /** False above the file limit: nothing can be rolled back, and that is shown. */
  readonly snapshots: boolean;
  readonly branch: string | null;
}

export interface Checkpoint {
  readonly id: CheckpointId;
  readonly tree: TreeHash;
  readonly label: string;
  readonly turn: number;
  readonly seq: number;
  readonly at: number;
}

export interface RunState {
  readonly id: RunId;
  readonly number: number;
  readonly epoch: number;
  readonly started_at: number;
  /** `canceled` and limits end a run, not the session: they belong here. */
  readonly cancel: { readonly by: "user" | "sigint" | "sigterm" | "sighup"; readonly reason: string } | null;
  /** Set by the watch over the run's time; the other limits are checked by `decide` before they are crossed. */
  readonly limit: LimitName | null;
  /** A person was asked about the money and said stop. */
  readonly budget_stop: boolean;
  readonly turns: number;
}

/** `context`: what the model can read is full, and nothing more can be taken out. */
export type LimitName = "turns" | "active_ms" | "tokens" | "context";

/** A sub-agent that this session started. */
export interface AgentRecord {
  readonly session: SessionId;
  readonly call: ToolCallId;
  /** The kind of agent. */
  readonly agent: string;
  /** It works in files of its own, which are brought back when it ended. */
  readonly writes: boolean;
  readonly outcome: Outcome | null;
  /** Whether it left files that differ; null while it runs. */
  readonly changed: boolean | null;
  /** What became of its files. Null: nothing yet. */
  readonly merged: AgentMergeStatus | null;
}

/** `red`: the verification failed with them, so they were taken out again. `kept`: left in the sub-agent's own session. */
export type AgentMergeStatus = "merged" | "conflict" | "red" | "kept";

/** Sub-agents that a state remembers, the newest last. */
export const AGENTS_KEPT_MAX = 1_000;

/** What was taken out of the conversation, newest last. */
export interface Compaction {
  readonly layer: CompactionLayer;
  readonly run: number;
  readonly turn: number;
  /** Likely tokens of the prompt. */
  readonly before: number;
  readonly after: number;
}
export type CompactionLayer = "micro" | "auto" | "reactive" | "fresh";
export const COMPACTIONS_KEPT_MAX = 20;

export interface RunEnd {
  readonly outcome: Outcome;
  readonly verification: Verification;
  readonly exit_code: number;
  readonly error: { readonly kind: ErrorKind; readonly message: string } | null;
}

export interface PinnedPrompt {
  /** Of the system prompt's text, and of the printed tool schemas. */
  readonly system: BlobHash;
  readonly tools: BlobHash;
}

export interface SessionState {
  readonly fold: number;
  readonly tenant: TenantId;
  readonly principal: PrincipalId;
  readonly session: SessionId;
  readonly root: SessionId;
  /** Null for a session that is no part of another and no fork. */
  readonly parent: Parent | null;
  readonly trace: TraceId;
  /** Of the last event folded; 0 when none was. */
  readonly seq: number;
  readonly hash: string;
  readonly at: number;
  /** `at` of the event before the last. */
  readonly previous_at: number;
  readonly created_at: number;
  readonly title: string;
  readonly config: SessionConfig | null;
  readonly run: RunState | null;
  readonly runs: number;
  /** How the last run ended; null while one is under way or was cut off. */
  readonly end: RunEnd | null;
  readonly turn: number;
  readonly phase: string | null;
  readonly active_ms: number;
  readonly messages: readonly Message[];
  /** Calls of the last answer; empty when their results are in `messages`. */
  readonly batch: readonly ToolCall[];
  /** What a user said while calls were open: it follows their results. */
  readonly inbox: readonly PlainPart[];
  readonly model: ModelPhase;
  /** Of the failures in a row: what was tried, and how long was waited. */
  readonly failures: {
    readonly count: number;
    readonly waited_ms: number;
    readonly repaired: readonly ErrorKind[];
    /** Of the call that was not sent yet: how often it was refused, and how long was waited for that. */
    readonly refused: { readonly count: number; readonly waited_ms: number };
  };
  /** What the last answer ended with; null before the first and after something new was said. */
  readonly stop: StopReason | null;
  /** `max_tokens` of the next call. */
  readonly max_tokens: number;
  /** Thinking of messages before this index is not sent again. */
  readonly thinking_from: number;
  /** What the provider counted, up to and with its last answer; null before the first. */
  readonly counted: {
    readonly messages: number;
    readonly tokens: number;
    /** Of them, what was likely taken out since; and what of the beginning is as it was sent. Tokens. */
    readonly cleared?: { readonly freed: number; readonly same: number };
    /** What was read for that answer, by whom. Absent where the count is reckoned. */
    readonly reported?: {
      readonly run: number;
      readonly provider: string;
      readonly model: string;
      readonly prompt: number;
    };
  } | null;
  /** How often in a row the model paused its turn. */
  readonly pauses: number;
  readonly usage: Usage;
  readonly cost: NanoDollars | null;
  /** Of the calls whose price is known: a call without one makes no other free. */
  readonly priced_cost: NanoDollars;
  /** Tokens reserved for calls whose answer was lost. */
  readonly unknown_tokens: number;
  /** Nano-dollars reserved for them. */
  readonly unknown_cost: NanoDollars;
  readonly tally: Tally;
  /** Tokens that are reserved for the call under way. */
  readonly reserved: {
    readonly call: ModelCallId;
    readonly tokens: number;
    readonly cost: NanoDollars | null;
    /** What the call may answer at most, where a cap leaves less than `max_tokens`. */
    readonly max_tokens: number | null;
  } | null;
  /** The model that took over in this run, and where it stands in the list of fallbacks; null while the first one answers. */
  readonly using: {
    readonly provider: string;
    readonly model: string;
    readonly fallback: number;
    /** It took over in the middle of a turn and has not answered yet: its first call belongs to that turn. */
    readonly mid_turn: boolean;
  } | null;
  /** Caps (`scope unit`) of which somebody was told that they are nearly used up, or that a turn is dear. */
  readonly alerted: readonly string[];
  /** Turns and time of the session when the present phase began. */
  readonly phase_began: { readonly turn: number; readonly active_ms: number } | null;
  readonly workspace: WorkspaceState | null;
  /** The tree that was last brought into the user's repository. */
  readonly delivered: TreeHash | null;
  readonly checkpoints: readonly Checkpoint[];
  /** Processes of belay's own steps that were not yet seen to end, with the epoch that started them. */
  readonly processes: readonly { readonly epoch: number; readonly process: ProcessIdentity }[];
  /** Whether a changing call finished since the last checkpoint. */
  readonly dirty: boolean;
  readonly verified: { readonly passed: boolean; readonly tree: TreeHash | null } | null;
  /** What it has taken in: text of strangers, secrets. Only ever rises. */
  readonly label: SessionLabel;
  readonly approvals: { readonly [call: ToolCallId]: "asked" | "approved" | "denied" };
  readonly health: {
    readonly [subsystem: string]: { readonly status: "ok" | "degraded" | "down"; readonly reason: string };
  };
  /** What must not be forgotten, whatever is taken out of the conversation. */
  readonly continuity: Continuity;
  readonly compactions: readonly Compaction[];
  /** What the model wrote for a compaction that is about to be made; empty where it could not. Null: it was not asked. */
  readonly summary: string | null;
  /** The texts of prompt and tools that the session is held to; null: those of this version. */
  readonly pinned: PinnedPrompt | null;
  /** Turn of the last review by a person, or of the start. */
  readonly reviewed_turn: number;
  readonly agents: readonly AgentRecord[];
  /** The sub-agent whose files are being brought in, and the tree from before it. */
  readonly merging: { readonly session: SessionId; readonly tree: TreeHash | null } | null;
  /** Names of the project's rules that came to apply while the session ran. */
  readonly rules_loaded: readonly string[];
  /** Memories that the conversation shows, by reference. */
  readonly recalled: readonly MemoryId[];
  /** The jobs of a batch; null for a session. */
  readonly jobs: BatchState | null;
  /** Kinds of events that this version does not know: they are shown, and the session is not driven. */
  readonly unknown_kinds: readonly string[];
}

export type StopReason =
  | "end_turn"
  | "tool_use"
  | "max_tokens"
  | "stop_sequence"
  | "pause_turn"
  | "refusal"
  | "context_window"
  | "content_filter";
