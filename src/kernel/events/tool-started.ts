/** The intent of a tool call, written before its first effect. */
import * as z from "zod";
import { withCall } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { toolCallId, treeHash } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    call: toolCallId(),
    tool: z.string(),
    /** The workspace before it; null when the call cannot change it or snapshots are off. */
    tree: treeHash().nullable(),
    /** The instant of its start on the workspace's file clock, in milliseconds; null when it cannot change anything. */
    file_time: z.number().nullable(),
    /** Whether a half-done attempt may be rolled back and run again. */
    confined: z.boolean(),
    limit_ms: z.int().positive(),
  }),
);

export const toolStarted: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) =>
    withCall(state, event.data.call, (call) => ({
      ...call,
      status: "started",
      started: {
        epoch: event.epoch,
        at: event.at,
        tree: event.data.tree,
        file_time: event.data.file_time,
        confined: event.data.confined,
      },
    })),
};
