/** A call waited for its turn under the rate that all processes share. Recorded after the wait, which is bounded by the patience. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    provider: z.string(),
    model: z.string(),
    waited_ms: z.int().nonnegative(),
    /** One line: what was used up, and by how many. */
    reason: z.string(),
  }),
);

export const rateWaited: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state) => state,
};
