/** A wait before the next attempt. Journaled before the wait begins, so that it is seen and survives a crash. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { SessionState } from "../state.ts";
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
    failures: waited(state.failures, event.data.delay_ms),
  }),
};

/** A call that was refused has not begun: its waits are counted apart. */
function waited(failures: SessionState["failures"], ms: number): SessionState["failures"] {
  const { refused } = failures;
  if (refused.count === 0) return { ...failures, waited_ms: failures.waited_ms + ms };
  return { ...failures, refused: { ...refused, waited_ms: refused.waited_ms + ms } };
}
