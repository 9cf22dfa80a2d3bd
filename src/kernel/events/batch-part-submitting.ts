/** A part of a batch is about to be handed in. A crash after this looks for it by its marker before anything is sent again. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { NO_MONEY } from "../money.ts";
import { NO_USAGE } from "../usage.ts";
import { changedBatch } from "./batch-part.ts";
import type { EventDefinition } from "./definition.ts";
import { modelCallId, nano } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    part: z.int().positive(),
    round: z.int().positive(),
    attempt: z.int().positive(),
    /** Stands in front of every custom id, and where the provider shows it again. */
    marker: z.string(),
    /** Positions in the round's list of jobs; `to` is not part of it. */
    from: z.int().nonnegative(),
    to: z.int().positive(),
    bytes: z.int().positive(),
    /** What its worst case is reserved under, and how much that is; null without a known price. */
    call: modelCallId(),
    reserved: nano().nullable(),
  }),
);

export const batchPartSubmitting: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { at, data: { part: number, round, attempt, marker, from, to, call, reserved } }) =>
    changedBatch(state, ({ parts }) => ({
      parts: [
        ...parts.filter((part) => part.number !== number),
        {
          number,
          round,
          attempt,
          marker,
          from,
          to,
          call,
          reserved,
          at,
          status: "submitting",
          batch: null,
          done: 0,
          canceling: false,
          refused: null,
          kept: 0,
          usage: NO_USAGE,
          cost: NO_MONEY,
          left: 0,
        },
      ],
    })),
};
