/** A phase of the session ended. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { afterModelChange } from "../model-in-use.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() => z.object({ phase: z.string() }));

export const phaseLeft: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state) => afterModelChange(state, { ...state, phase: null, phase_began: null }),
};
