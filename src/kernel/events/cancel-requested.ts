/** Somebody wants the run to stop. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    by: z.enum(["user", "sigint", "sigterm", "sighup"]),
    reason: z.string(),
  }),
);

export const cancelRequested: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({ ...state, run: state.run && { ...state.run, cancel: event.data } }),
};
