/** The tracked scope of the workspace was recorded as a tree. Says what is left out of it. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { toolCallId, treeHash } from "./shapes.ts";

/** Paths (relative) that are not in the tree, a bounded list for each reason, and how many there are in all. */
export const leftOut = lazy(() =>
  z.array(
    z.object({
      why: z.enum(["ignored", "nested_repository", "submodule", "too_large", "special_file", "unreadable"]),
      count: z.int().nonnegative(),
      paths: z.array(z.string()),
    }),
  ),
);

const schema = lazy(() =>
  z.object({
    tree: treeHash(),
    /** The call it was taken before; null for a checkpoint's. */
    call: toolCallId().nullable(),
    files: z.int().nonnegative(),
    left_out: leftOut(),
    duration_ms: z.int().nonnegative(),
  }),
);

export const workspaceSnapshotted: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({
    ...state,
    dirty: event.data.call === null ? false : state.dirty,
    workspace: state.workspace && { ...state.workspace, tree: event.data.tree },
  }),
};
