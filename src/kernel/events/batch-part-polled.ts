/** The provider was asked about a part of a batch, and said something new. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { changedPart } from "./batch-part.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    part: z.int().positive(),
    state: z.enum(["in_progress", "canceling", "ended", "failed"]),
    total: z.int().nonnegative(),
    done: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    /** Of a part that failed whole. */
    message: z.string().nullable(),
    /** Milliseconds since the epoch; null where it is not said. */
    expires_at: z.int().nullable(),
  }),
);

export const batchPartPolled: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data }) =>
    changedPart(state, data.part, (part) => ({
      done: data.done + data.failed,
      canceling: part.canceling || data.state === "canceling",
      status: data.state === "ended" || data.state === "failed" ? "answered" : part.status,
      refused: data.state === "failed" ? (data.message ?? "The provider gave no reason.") : null,
    })),
};
