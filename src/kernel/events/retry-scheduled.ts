/** A wait before the next attempt. Journaled before the wait begins, so that it is seen and survives a crash. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { errorKind } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    kind: errorKind(),
    /** The attempt that follows the wait. */
    attempt: z.int().positive(),
    delay_ms: z.int().nonnegative(),
    /** Milliseconds since the epoch. */
    until: z.int().nonnegative(),
  }),
);

export const retryScheduled: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({
    ...state,
    model: { status: "waiting", kind: event.data.kind, until: event.data.until, attempt: event.data.attempt },
    failures: { ...state.failures, waited_ms: state.failures.waited_ms + event.data.delay_ms },
  }),
};
