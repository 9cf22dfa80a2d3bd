/** Rules of the project came to apply while the session ran: a file that they are about was touched. */
import * as z from "zod";
import { note } from "../conversation.ts";
import { joinParts } from "../label.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { plainPart } from "./shapes.ts";

const schema = lazy(() => z.object({ names: z.array(z.string()).min(1), parts: z.array(plainPart()).min(1) }));

export const instructionsLoaded: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { seq, data: { names, parts } }) => {
    const rules_loaded = [...new Set([...state.rules_loaded, ...names])];
    return note({ ...state, rules_loaded, label: joinParts(state.label, parts, { seq, call: null }) }, parts);
  },
};
