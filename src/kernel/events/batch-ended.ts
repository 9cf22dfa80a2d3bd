/** Every job of a batch has exactly one result. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { changedBatch } from "./batch-part.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() => z.object({ answered: z.int().nonnegative(), failed: z.int().nonnegative() }));

export const batchEnded: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state) => changedBatch(state, () => ({ ended: true })),
};
