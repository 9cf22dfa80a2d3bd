/** A named tree that can be rolled back to, committed to the session's branch where there is one. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { checkpointId, treeHash } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    checkpoint: checkpointId(),
    tree: treeHash(),
    /** The commit on the session's branch; null without git or without a change. */
    commit: z.string().nullable(),
    label: z.string(),
  }),
);

export const checkpointCreated: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({
    ...state,
    dirty: false,
    workspace: state.workspace && { ...state.workspace, tree: event.data.tree },
    checkpoints: [
      ...state.checkpoints,
      {
        id: event.data.checkpoint,
        tree: event.data.tree,
        label: event.data.label,
        turn: event.turn,
        seq: event.seq,
        at: event.at,
      },
    ],
  }),
};
