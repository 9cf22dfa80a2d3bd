/** This session came from another machine, or from another store, in a file. What ran there is not ours. */
import * as z from "zod";
import { carriedOver } from "../carry-over.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { newWorkspace, sessionId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    /** The session that was exported: this one, or the one that this is a fork of. */
    from: sessionId(),
    /** Its last event in the file, and that event's hash. */
    seq: z.int().positive(),
    hash: z.string(),
    /** The version of belay that wrote the file. */
    belay: z.string(),
    /** Secrets stay where they were: signed thinking that held one cannot be sent again whole, so none is. */
    drop_thinking: z.boolean(),
    /** Null when there was none yet, or its files did not come along. */
    workspace: newWorkspace().nullable(),
  }),
);

const HALF_DONE =
  "interrupted: outcome unknown. The session was moved to another machine while this ran, and it was not repeated. What it " +
  "changed is not in the files here. Look at the state of things before you repeat any of it.";

export const sessionImported: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => {
    const { drop_thinking, workspace } = event.data;
    const kept = drop_thinking ? { ...state, thinking_from: state.messages.length } : state;
    return carriedOver(kept, { half_done: HALF_DONE, place: "This session goes on on another machine.", workspace });
  },
};
