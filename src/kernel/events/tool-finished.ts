/** A tool call has its result: exactly one for every call the model made. */
import * as z from "zod";
import { closeBatch, withCall } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import type { ToolStatus } from "../state.ts";
import type { EventDefinition } from "./definition.ts";
import { blobHash, plainPart, toolCallId } from "./shapes.ts";

const STATUSES = [
  "ok",
  "error",
  "denied",
  "canceled",
  "timed_out",
  "stalled",
  "interrupted",
] as const satisfies readonly ToolStatus[];

const schema = lazy(() =>
  z.object({
    call: toolCallId(),
    status: z.enum(STATUSES),
    /** What the model sees. */
    content: z.array(plainPart()),
    /** The whole output, when the model saw only part of it. */
    output: blobHash().nullable(),
    /** Of a command: how it ended. `killed` tells a kill by belay from an exit by itself. */
    exit: z.object({ code: z.int().nullable(), signal: z.string().nullable(), killed: z.boolean() }).nullable(),
    duration_ms: z.int().nonnegative(),
  }),
);

export const toolFinished: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => {
    const { call: id, status, content } = event.data;
    const finished = withCall(state, id, (call) => ({
      ...call,
      status: "finished",
      result: {
        type: "tool_result",
        call: id,
        provider_id: call.part.provider_id,
        is_error: status !== "ok",
        content,
        origin: { from: "tool", by: call.part.name },
      },
    }));
    const call = state.batch.find((open) => open.part.call === id);
    const changed = call?.started != null && call.effect !== "read" && state.workspace?.snapshots === true;
    return closeBatch(changed ? { ...finished, dirty: true } : finished);
  },
};
