/** A process exists and is held; it is released once this is durable. */
import * as z from "zod";
import { withCall } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { processIdentity, toolCallId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    /** Null for a process of belay's own steps (set-up, verification). */
    call: toolCallId().nullable(),
    process: processIdentity(),
  }),
);

export const toolProcessStarted: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => {
    const { call, process } = event.data;
    if (call === null) return { ...state, processes: [...state.processes, { epoch: event.epoch, process }] };
    return withCall(state, call, (open) => ({ ...open, processes: [...open.processes, process] }));
  },
};
