/** A call that a crash cut off will run again: it changed nothing, or what it changed was rolled back. */
import * as z from "zod";
import { withCall } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { toolCallId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    call: toolCallId(),
    /** What the model is told beside the result; null when there is nothing to tell. */
    note: z.string().nullable(),
  }),
);

export const toolRequeued: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) =>
    withCall(state, event.data.call, (call) => ({
      ...call,
      status: "allowed",
      started: null,
      processes: [],
      note: event.data.note,
    })),
};
