/** A phase of the session began. */
import * as z from "zod";
import { textPart } from "../content.ts";
import { say } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import { afterModelChange } from "../model-in-use.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    phase: z.string(),
    /** What the model is told; null: nothing. */
    say: z.string().nullable(),
  }),
);

export const phaseEntered: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 2,
  schema,
  fold: (state, event) => {
    const { phase, say: told } = event.data;
    const entered = afterModelChange(state, {
      ...state,
      phase,
      phase_began: { turn: state.turn, active_ms: state.active_ms },
    });
    return told === null ? entered : say(entered, [textPart(told, { from: "belay", by: "phase" })]);
  },
  upcast: (data) => ({ ...data, say: null }),
};
