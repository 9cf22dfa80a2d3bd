/** A process of a tool call exists and is held; it is released once this is durable. */
import * as z from "zod";
import { withCall } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { processIdentity, toolCallId } from "./shapes.ts";

const schema = lazy(() => z.object({ call: toolCallId(), process: processIdentity() }));

export const toolProcessStarted: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) =>
    withCall(state, event.data.call, (call) => ({ ...call, processes: [...call.processes, event.data.process] })),
};
