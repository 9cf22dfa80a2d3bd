/** Text that came in reads like instructions to the model, or hides something. A warning; it gives and takes no permission. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { toolCallId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    call: toolCallId(),
    findings: z.array(z.object({ kind: z.string(), excerpt: z.string() })),
  }),
);

export const injectionSuspected: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state) => state,
};
