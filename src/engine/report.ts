/** What a run comes to, for programs: the object that `--output json` prints. */
import type { RunId, SessionId } from "../kernel/ids.ts";
import { dollarsOf } from "../kernel/money.ts";
import type { Outcome, Verification } from "../kernel/outcome.ts";
import type { RunEnd, SessionState } from "../kernel/state.ts";
import type { ErrorKind } from "../kernel/error-kind.ts";
import type { Usage } from "../kernel/usage.ts";
import type { Tool } from "../tool/tool.ts";

export interface RunReport {
  readonly session: SessionId;
  readonly run: RunId | null;
  readonly outcome: Outcome;
  readonly verification: Verification;
  readonly exit_code: number;
  /** Turns of the session. */
  readonly turns: number;
  /** Of the session; `unknown_tokens` may have been spent by answers that were lost. */
  readonly usage: Usage & { readonly unknown_tokens: number };
  /** Of the session, in dollars; null when a price is unknown. */
  readonly cost_usd: number | null;
  /** Of this run. */
  readonly duration_ms: number;
  /** Where the work is, absolute; null when no workspace was needed. */
  readonly workspace: string | null;
  readonly branch: string | null;
  readonly checkpoints: readonly {
    readonly id: string;
    readonly label: string;
    readonly turn: number;
    readonly tree: string;
  }[];
  readonly error: { readonly kind: ErrorKind; readonly message: string } | null;
}

export interface ReportParts {
  readonly state: SessionState;
  readonly end: RunEnd;
  readonly run: RunId | null;
  readonly duration_ms: number;
  readonly workspace: string | null;
}

export function reportOf({ state, end, run, duration_ms, workspace }: ReportParts): RunReport {
  return {
    session: state.session,
    run,
    outcome: end.outcome,
    verification: end.verification,
    exit_code: end.exit_code,
    turns: state.turn,
    usage: { ...state.usage, unknown_tokens: state.unknown_tokens },
    cost_usd: state.cost === null ? null : dollarsOf(state.cost),
    duration_ms: Math.round(duration_ms),
    workspace,
    branch: state.workspace?.branch ?? null,
    checkpoints: state.checkpoints.map(({ id, label, turn, tree }) => ({ id, label, turn, tree })),
    error: end.error,
  };
}

/**
 * Whether a run that has just ended can have left nothing, so that nobody has to look: the model was given nothing but tools
 * that read, nothing was verified, and the tree in which nobody else works is the one that the session began with.
 */
export function surelyUnchanged(state: SessionState, tools: readonly Tool[]): boolean {
  const { workspace, config, dirty, verified } = state;
  if (workspace === null || !workspace.snapshots || config === null || config.workspace.mode === "in_place")
    return false;
  if (dirty || verified !== null || workspace.tree !== workspace.base) return false;
  const reading = new Set(tools.filter(({ effect }) => effect === "read").map(({ name }) => name));
  const called = state.messages.flatMap(({ parts }) => parts.filter((part) => part.type === "tool_use"));
  return called.every(({ name }) => reading.has(name));
}
