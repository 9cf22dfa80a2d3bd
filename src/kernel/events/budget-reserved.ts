/** The worst case of a model call, put aside before it is sent. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { NO_FAILURES } from "../state.ts";
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
    /** What the answer may have at most, where a cap leaves less than the session's `max_tokens`; else null. */
    max_tokens: z.int().positive().nullable(),
  }),
);

export const budgetReserved: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 2,
  schema,
  fold: (state, event) => ({
    ...state,
    failures: { ...state.failures, refused: NO_FAILURES.refused },
    reserved: {
      call: event.data.call,
      tokens: event.data.tokens,
      cost: event.data.cost,
      max_tokens: event.data.max_tokens,
    },
  }),
  upcast: (data) => ({ ...data, max_tokens: null }),
};
