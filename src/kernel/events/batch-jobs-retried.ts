/** The jobs of a batch that have no result yet are handed in again. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { changedBatch } from "./batch-part.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    round: z.int().positive(),
    jobs: z.int().positive(),
    /** Length of the file of results: the jobs without a result in it are meant. */
    results_bytes: z.int().nonnegative(),
  }),
);

export const batchJobsRetried: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data: { round, jobs, results_bytes } }) =>
    changedBatch(state, () => ({ round: { number: round, jobs, results_bytes } })),
};
