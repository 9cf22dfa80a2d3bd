/** The session's work was brought into the user's repository, by a merge or as uncommitted changes. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { treeHash } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    how: z.enum(["merge", "apply"]),
    tree: treeHash(),
    /** The commit in the user's repository; null for an apply. */
    commit: z.string().nullable(),
    files: z.int().nonnegative(),
  }),
);

export const workDelivered: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({ ...state, delivered: event.data.tree }),
};
