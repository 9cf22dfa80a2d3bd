/** A limit of the session was reached. Finished work is kept; a higher limit and a resume go on. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    limit: z.enum(["turns", "active_ms", "tokens", "context"]),
    value: z.int().nonnegative(),
    max: z.int().positive(),
  }),
);

export const limitReached: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 2,
  schema,
  fold: (state, event) => ({ ...state, run: state.run && { ...state.run, limit: event.data.limit } }),
  upcast: (data) => data, // version 2 may also name the context
};
