/** A session began to exist. The first event of every journal. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    /** The first line of the task, for lists. */
    title: z.string(),
  }),
);

export const sessionCreated: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({ ...state, title: event.data.title, created_at: event.at }),
};
