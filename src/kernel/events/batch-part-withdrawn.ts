/** A part of a batch is known not to have arrived: it costs nothing, and may be handed in again. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { changedPart } from "./batch-part.ts";
import type { EventDefinition } from "./definition.ts";
import { errorKind } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    part: z.int().positive(),
    /** Why it was not taken; null where a crash came in between. */
    kind: errorKind().nullable(),
    message: z.string(),
  }),
);

export const batchPartWithdrawn: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data }) => changedPart(state, data.part, () => ({ status: "withdrawn" })),
};
