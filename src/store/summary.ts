/** What a list shows of a session: derived from its folded state, never kept beside it. */
import { NO_MONEY } from "../kernel/money.ts";
import type { SessionState } from "../kernel/state.ts";
import { totalTokens } from "../kernel/usage.ts";
import type { SessionStatus, SessionSummary } from "./port.ts";

/** Of a session whose row is there and whose journal is not yet. */
export function newSummary(title: string, model: string, agent: string | null = null): SessionSummary {
  return {
    ...(agent === null ? {} : { agent }),
    title,
    status: "new",
    outcome: null,
    verification: null,
    turns: 0,
    tokens: 0,
    cost: NO_MONEY,
    model,
  };
}

export function summaryOf(state: SessionState): SessionSummary {
  const agent = state.config?.agents.kind ?? null;
  return {
    ...(agent === null ? {} : { agent }),
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
