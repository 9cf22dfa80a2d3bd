/** A batch began to exist: its jobs stand in a file of its own, which nothing changes any more. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    provider: z.string(),
    jobs: z.int().positive(),
    /** Of the file of jobs: SHA-256 in hex, and its length. */
    source: z.string(),
    bytes: z.int().positive(),
    /** How often jobs are handed in at most. */
    rounds: z.int().positive(),
  }),
);

export const batchCreated: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data: { provider, jobs, source, rounds } }) => ({
    ...state,
    jobs: {
      provider,
      jobs,
      source,
      rounds,
      round: { number: 1, jobs, results_bytes: 0 },
      parts: [],
      results: { bytes: 0, answered: 0, failed: 0 },
      canceling: false,
      ended: false,
    },
  }),
};
