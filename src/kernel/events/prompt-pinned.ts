/** The texts that the session is held to: a resume sends these, also where a later version of belay has others. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { blobHash } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    /** Of the system prompt's text and of the printed tool schemas. */
    system: blobHash(),
    tools: blobHash(),
    /** SHA-256, in hex, of all that shapes behaviour. */
    parts: z.array(z.object({ kind: z.string(), name: z.string(), hash: z.string() })),
    reason: z.enum(["start", "resume", "repin"]),
  }),
);

export const promptPinned: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data: { system, tools, reason } }) => ({
    ...state,
    pinned: { system, tools },
    // What was counted began with the prompt of that time.
    counted: reason === "repin" ? null : state.counted,
  }),
};
