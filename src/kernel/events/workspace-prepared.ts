/** The place where the agent works exists, set up and snapshotted. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { leftOut } from "./workspace-snapshotted.ts";
import { treeHash } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    mode: z.enum(["clone", "copy", "in_place"]),
    /** The tree the work starts from, the user's uncommitted work included. */
    base: treeHash(),
    /** The commit the user's HEAD was at; null without commits or without git. */
    head: z.string().nullable(),
    branch: z.string().nullable(),
    files: z.int().nonnegative(),
    snapshots: z.boolean(),
    left_out: leftOut(),
    setup: z.object({ command: z.string(), exit_code: z.int(), duration_ms: z.int().nonnegative() }).nullable(),
  }),
);

export const workspacePrepared: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({
    ...state,
    processes: [],
    workspace: {
      base: event.data.base,
      tree: event.data.base,
      snapshots: event.data.snapshots,
      branch: event.data.branch,
    },
  }),
};
