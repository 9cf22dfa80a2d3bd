/** The whole resolved configuration the session starts with. */
import * as z from "zod";
import { configSchema, upcastConfig } from "../config.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() => z.object({ config: configSchema() }));

export const sessionConfigured: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 4,
  schema,
  fold: (state, event) => ({ ...state, config: event.data.config, max_tokens: event.data.config.max_tokens }),
  upcast: upcastConfig,
};
