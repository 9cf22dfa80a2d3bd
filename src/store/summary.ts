/** What a list shows of a session: derived from its folded state, never kept beside it. */
import type { SessionState } from "../kernel/state.ts";
import { totalTokens } from "../kernel/usage.ts";
import type { SessionStatus, SessionSummary } from "./port.ts";

export function summaryOf(state: SessionState): SessionSummary {
  return {
    title: state.title,
    status: statusOf(state),
    outcome: state.end?.outcome ?? null,
    verification: state.end?.verification ?? null,
    turns: state.turn,
    tokens: totalTokens(state.usage),
    cost: state.cost,
    model: state.config?.model ?? "",
  };
}

function statusOf(state: SessionState): SessionStatus {
  if (state.run) return "running";
  return state.runs === 0 ? "new" : "ended";
}
