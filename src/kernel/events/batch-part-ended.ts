/** All that the provider had to say about a part of a batch is in the file of results. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { changedPart } from "./batch-part.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    part: z.int().positive(),
    /** Jobs that failed for now, expired or were canceled: they have no result yet. */
    left: z.int().nonnegative(),
  }),
);

export const batchPartEnded: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data }) => changedPart(state, data.part, () => ({ status: "collected", left: data.left })),
};
