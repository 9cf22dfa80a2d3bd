/** A person looked at the work, and it goes on. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    by: z.string(),
    /** What they said about it; null: nothing. It is told to the model as a message of theirs. */
    remark: z.string().nullable(),
  }),
);

export const reviewGiven: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state) => ({ ...state, reviewed_turn: state.turn }),
};
