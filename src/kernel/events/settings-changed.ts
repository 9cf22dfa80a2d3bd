/** Settings were changed by a person, between runs. Holds the whole new configuration and the names of what differs. */
import * as z from "zod";
import { configSchema } from "../config.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() => z.object({ config: configSchema(), changed: z.array(z.string()) }));

export const settingsChanged: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({ ...state, config: event.data.config, max_tokens: event.data.config.max_tokens }),
};
