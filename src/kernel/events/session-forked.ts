/**
 * This session began as a copy of another one's events up to one of them. `hash` is that of the other's event at `seq`, so
 * that the origin can be checked as long as the other exists.
 */
import * as z from "zod";
import { carriedOver } from "../carry-over.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { newWorkspace, sessionId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    from: sessionId(),
    seq: z.int().positive(),
    hash: z.string(),
    /** Null when there was none yet at that event. */
    workspace: newWorkspace().nullable(),
  }),
);

const HALF_DONE =
  "not carried over: this session was forked while this ran, and it was not repeated. What it changed is not in the files " +
  "here; what it did outside of them is unknown. Look at the state of things before you repeat any of it.";

export const sessionForked: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) =>
    carriedOver(state, {
      half_done: HALF_DONE,
      place: "This session goes on as a fork of another one.",
      workspace: event.data.workspace,
    }),
};
