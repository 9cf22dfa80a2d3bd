/**
 * What of a session does not come along when it goes on in another place: as a fork, or on another machine.
 *
 * C1: nothing that runs elsewhere is taken for ours: no run, no process, no model call, no reservation, no wish to cancel.
 * C2: a call that was started and not finished has a result that says so, and is never run again.
 * C3: a yes of a person was for the other place: a call that was approved and not started is asked about again.
 */
import { textPart } from "./content.ts";
import { closeBatch, note } from "./conversation.ts";
import type { WorkspaceMode } from "./config.ts";
import type { TreeHash } from "./ids.ts";
import type { SessionState, ToolCall } from "./state.ts";

/** The workspace in the new place, made from a tree of the old one. */
export interface NewWorkspace {
  readonly mode: WorkspaceMode;
  readonly branch: string | null;
  readonly tree: TreeHash;
  /** Whether every change that the session knows of is in the tree. */
  readonly exact: boolean;
}

export interface CarryOver {
  /** For the model, as the result of a call that was under way. */
  readonly half_done: string;
  /** For the model, about where it is now. */
  readonly place: string;
  /** Null when there was none yet. */
  readonly workspace: NewWorkspace | null;
}

export function carriedOver(state: SessionState, { half_done, place, workspace }: CarryOver): SessionState {
  const cut = state.run === null ? 0 : Math.max(0, state.previous_at - state.run.started_at);
  const alone: SessionState = {
    ...state,
    run: null,
    active_ms: state.active_ms + cut,
    model: state.model.status === "failed" ? state.model : { status: "idle" },
    reserved: null,
    processes: [],
    batch: state.batch.map((call) => leftAlone(call, state, half_done)),
    approvals: answeredOnly(state),
    delivered: null,
  };
  const moved = closeBatch(workspace === null ? alone : inWorkspace(alone, workspace));
  return workspace === null ? moved : note(moved, [textPart(told(place, workspace), { from: "belay" })]);
}

/** C2, C3. */
function leftAlone(call: ToolCall, { approvals }: SessionState, half_done: string): ToolCall {
  if (call.status === "allowed" && approvals[call.part.call] !== undefined) return { ...call, status: "asking" };
  if (call.status !== "started") return call;
  const { call: id, provider_id, name } = call.part;
  return {
    ...call,
    status: "finished",
    processes: [],
    result: {
      type: "tool_result",
      call: id,
      provider_id,
      is_error: true,
      content: [textPart(half_done, { from: "belay" })],
      origin: { from: "tool", by: name },
    },
  };
}

/** Answers for calls that are still open count no more. */
function answeredOnly({ approvals, batch }: SessionState): SessionState["approvals"] {
  const open = new Set<string>(batch.filter((call) => call.result === null).map((call) => call.part.call));
  return Object.fromEntries(Object.entries(approvals).filter(([call]) => !open.has(call)));
}

function inWorkspace(state: SessionState, { mode, branch, tree }: NewWorkspace): SessionState {
  return {
    ...state,
    config: state.config && { ...state.config, workspace: { ...state.config.workspace, mode } },
    workspace: state.workspace && { ...state.workspace, tree, branch },
  };
}

function told(place: string, { exact }: NewWorkspace): string {
  const files =
    "The files were made anew from the last snapshot: ignored files (dependencies, build output, caches) are not there, " +
    "and neither is what was in $HOME and /tmp.";
  const missing = " The last changes before it were not in a snapshot and are missing: look before you go on.";
  return `${place} ${files}${exact ? "" : missing}`;
}
