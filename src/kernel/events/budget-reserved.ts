/** The worst case of a model call, put aside before it is sent. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { modelCallId, nano } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    call: modelCallId(),
    /** Names of the scopes it was reserved in, outermost first. */
    scopes: z.array(z.string()),
    tokens: z.int().nonnegative(),
    /** Null when the model has no known price. */
    cost: nano().nullable(),
  }),
);

export const budgetReserved: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({
    ...state,
    reserved: { call: event.data.call, tokens: event.data.tokens, cost: event.data.cost },
  }),
};
