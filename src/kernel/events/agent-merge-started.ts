/** The files of a sub-agent are about to be brought in. A crash in the middle goes back to `tree` and does it again. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { sessionId, treeHash } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    session: sessionId(),
    /** The parent's files before; null where snapshots are off. */
    tree: treeHash().nullable(),
  }),
);

export const agentMergeStarted: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data }) => ({ ...state, merging: data }),
};
