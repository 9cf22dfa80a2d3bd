/** A person said something: the task, or more of it later. */
import * as z from "zod";
import { say } from "../conversation.ts";
import { joinParts } from "../label.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { plainPart } from "./shapes.ts";

const schema = lazy(() => z.object({ parts: z.array(plainPart()).min(1) }));

export const userMessageAdded: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { seq, data: { parts } }) =>
    say({ ...state, label: joinParts(state.label, parts, { seq, call: null }) }, parts),
};
