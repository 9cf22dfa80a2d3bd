/** Results were written to the batch's file and synced. A group of them, never one event each: jobs are many. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { addKnownMoney } from "../money.ts";
import { addUsage } from "../usage.ts";
import { changedBatch, changedPart } from "./batch-part.ts";
import type { EventDefinition } from "./definition.ts";
import { nano, usage } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    /** Null: jobs that no part answered. */
    part: z.int().positive().nullable(),
    answered: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    /** Length of the file of results with them. */
    bytes: z.int().nonnegative(),
    usage: usage(),
    /** Null without a known price. */
    cost: nano().nullable(),
  }),
);

export const batchResultsKept: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data }) => {
    const kept = changedBatch(state, ({ results }) => ({
      results: {
        bytes: data.bytes,
        answered: results.answered + data.answered,
        failed: results.failed + data.failed,
      },
    }));
    if (data.part === null) return kept;
    return changedPart(kept, data.part, (part) => ({
      kept: part.kept + data.answered + data.failed,
      usage: addUsage(part.usage, data.usage),
      cost: addKnownMoney(part.cost, data.cost),
    }));
  },
};
