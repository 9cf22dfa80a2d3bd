/** The context is larger than it should be: a warning, with what takes most of it. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    /** `before_task`: what belay itself always says: prompt, tools, lists, facts. `working`: all that a run begins with. */
    what: z.enum(["before_task", "working"]),
    tokens: z.int().nonnegative(),
    target: z.int().positive(),
    /** The largest parts first. */
    biggest: z.array(z.object({ name: z.string(), tokens: z.int().nonnegative() })),
  }),
);

export const contextTargetPassed: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state) => state,
};
