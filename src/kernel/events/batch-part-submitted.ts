/** The provider has a part of a batch. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { changedPart } from "./batch-part.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    part: z.int().positive(),
    /** The provider's id of it. */
    batch: z.string(),
    /** The receipt was lost: it was found again by its marker. */
    found: z.boolean(),
  }),
);

export const batchPartSubmitted: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data: { part, batch } }) => changedPart(state, part, () => ({ status: "submitted", batch })),
};
