/** A phase of the session began. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() => z.object({ phase: z.string() }));

export const phaseEntered: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({ ...state, phase: event.data.phase }),
};
