/** The session's workspace was cleaned up. Its journal stays; it can be read but no longer resumed. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() => z.object({ reason: z.string() }));

export const workspaceRemoved: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  // Opening it says `workspace_missing`; what the session knows of its trees stays true.
  fold: (state) => state,
};
