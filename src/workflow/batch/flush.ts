/** From claimed jobs to batches: made once each, whoever does it. */
import type { Budget } from "../../kernel/budget.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { SessionId } from "../../kernel/ids.ts";
import type { Host } from "../../engine/host.ts";
import { batchDirectory, createBatch, ROUNDS_DEFAULT } from "./create.ts";
import {
  claimedLines,
  claimMade,
  claims,
  firstJob,
  type FlushRule,
  isDue,
  type Queue,
  tidyQueue,
  waitingIn,
} from "./deferred.ts";
import { batchFiles } from "./files.ts";
import { JOB_OUTPUT_TOKENS_DEFAULT } from "./job.ts";
import { makeJobsFile } from "./source.ts";

export interface FlushRequest {
  readonly queue: Queue;
  /** Null: whatever waits. */
  readonly rule: FlushRule | null;
  /** The directory below which those of sessions are. */
  readonly sessions: string;
  /** Of each batch that is made. */
  readonly budget: Budget;
}

/** @returns the batches that this call made; they are still to be submitted (`driveBatch`) */
export async function flushQueue(host: Host, request: FlushRequest): Promise<readonly SessionId[]> {
  const { queue, rule, sessions, budget } = request;
  const take = rule === null || isDue(await waitingIn(queue), rule, host.clock.now());
  await tidyQueue(host, queue);
  const made: SessionId[] = [];
  for (const claim of await claims(host, queue, take)) {
    const { session } = claim;
    const first = await firstJob(claim);
    if (first === null) continue;
    try {
      const { provider, model, cwd } = first;
      const defaults = { model, system: "", max_tokens: JOB_OUTPUT_TOKENS_DEFAULT, modelOf: () => null };
      const files = batchFiles(batchDirectory(sessions, session));
      const isNew = await createBatch(
        host,
        {
          session,
          place: { cwd, sessions },
          title: `${claim.jobs.length} deferred: ${first.title}`,
          provider,
          model,
          max_tokens: JOB_OUTPUT_TOKENS_DEFAULT,
          budget,
          rounds: ROUNDS_DEFAULT,
        },
        () => makeJobsFile(files, claimedLines(claim), defaults),
      );
      await claimMade(claim);
      if (isNew) made.push(session);
    } catch (error) {
      // Another process makes it at this moment.
      if (!(error instanceof HarnessError) || error.kind !== "lease_held") throw error;
    }
  }
  return made;
}
