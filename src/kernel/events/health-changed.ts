/** A subsystem became better or worse. Each fails alone, and visibly. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({ subsystem: z.string(), status: z.enum(["ok", "degraded", "down"]), reason: z.string() }),
);

export const healthChanged: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({
    ...state,
    health: { ...state.health, [event.data.subsystem]: { status: event.data.status, reason: event.data.reason } },
  }),
};
