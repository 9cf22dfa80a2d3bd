/** A cap is nearly used up, or a turn became dear. Where a person was there, with what they said. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    /** As in the configuration; `turn N` for the alert of a turn. */
    scope: z.string(),
    unit: z.enum(["cost", "tokens"]),
    /** Nano-dollars or tokens. */
    value: z.int().nonnegative(),
    /** What was passed. */
    level: z.int().nonnegative(),
    /** Null where there is an alert and no cap. */
    cap: z.int().nonnegative().nullable(),
    /** Null: nobody was there to be asked. */
    answer: z.enum(["go_on", "stop"]).nullable(),
    by: z.string().nullable(),
  }),
);

export const budgetAlerted: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({
    ...state,
    alerted: [...state.alerted, `${event.data.scope} ${event.data.unit}`],
    run: state.run && { ...state.run, budget_stop: event.data.answer === "stop" },
  }),
};
