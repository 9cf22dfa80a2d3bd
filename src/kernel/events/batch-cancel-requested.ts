/** Somebody wants no more of a batch: what the provider has is canceled there, and what it has answered is kept. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { changedBatch } from "./batch-part.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() => z.object({ reason: z.string() }));

export const batchCancelRequested: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state) => changedBatch(state, () => ({ canceling: true })),
};
