/** What the steps of a batch share while one process drives it. */
import type { BatchState } from "../../kernel/batch-state.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { SessionState } from "../../kernel/state.ts";
import type { BatchModel } from "../../model/batch/batch.ts";
import type { Host } from "../../engine/host.ts";
import type { Journal } from "../../store/journal.ts";
import type { BatchFiles } from "./files.ts";
import type { JobIndex } from "./source.ts";

export interface BatchRun {
  readonly host: Host;
  readonly provider: BatchModel;
  readonly journal: Journal;
  readonly files: BatchFiles;
  readonly index: JobIndex;
  readonly signal: AbortSignal;
  /** What is waited for, for people; null when nothing is any more. */
  readonly onWait: (reason: string | null) => void;
}

export function batchOf(state: SessionState): BatchState {
  const { jobs } = state;
  if (jobs !== null) return jobs;
  throw new HarnessError(
    "usage",
    `Session ${state.session} is no batch.`,
    "`belay batch list` shows the batches; `belay resume` goes on with a session.",
  );
}
