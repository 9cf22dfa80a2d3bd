/** A new run has looked at everything an older one left half-done. Processes of older runs are dead, or said not to be provable. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    /** Processes that were looked at. */
    processes: z.int().nonnegative(),
    /** Of these, how many might still have descendants: they ran without a namespace of their own. */
    unprovable: z.int().nonnegative(),
  }),
);

export const recoveryFinished: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({ ...state, processes: state.processes.filter((entry) => entry.epoch === event.epoch) }),
};
