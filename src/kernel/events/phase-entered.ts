/** A phase of the session began. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { afterModelChange } from "../model-in-use.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() => z.object({ phase: z.string() }));

export const phaseEntered: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) =>
    afterModelChange(state, {
      ...state,
      phase: event.data.phase,
      phase_began: { turn: state.turn, active_ms: state.active_ms },
    }),
};
