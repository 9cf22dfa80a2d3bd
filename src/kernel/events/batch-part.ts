/** What the folds of a batch's events share. */
import type { BatchPart, BatchState } from "../batch-state.ts";
import type { SessionState } from "../state.ts";

/** A journal that says something about a batch began with one. */
export function changedBatch(state: SessionState, change: (batch: BatchState) => Partial<BatchState>): SessionState {
  return state.jobs === null ? state : { ...state, jobs: { ...state.jobs, ...change(state.jobs) } };
}

export function changedPart(
  state: SessionState,
  number: number,
  change: (part: BatchPart) => Partial<BatchPart>,
): SessionState {
  return changedBatch(state, ({ parts }) => ({
    parts: parts.map((part) => (part.number === number ? { ...part, ...change(part) } : part)),
  }));
}
