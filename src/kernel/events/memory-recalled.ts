/**
 * Memories were put before the model. The parts hold references (`[memory:ID]`): the text is the store's, and is put in when a
 * request is sent, so that forgetting a memory takes it out of this session too.
 */
import * as z from "zod";
import { say } from "../conversation.ts";
import { joinParts } from "../label.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { memoryId, plainPart } from "./shapes.ts";

const factor = lazy(() => z.number().nonnegative());

const schema = lazy(() =>
  z.object({
    recalled: z.array(
      z.object({
        memory: memoryId(),
        tokens: z.int().nonnegative(),
        /** Their product is the score. */
        rank: factor(),
        recency: factor(),
        use: factor(),
        confidence: factor(),
      }),
    ),
    parts: z.array(plainPart()),
  }),
);

export const memoryRecalled: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { seq, data: { recalled, parts } }) => {
    const known = [...new Set([...state.recalled, ...recalled.map(({ memory }) => memory)])];
    const label = joinParts(state.label, parts, { seq, call: null });
    const told = { ...state, label, recalled: known };
    return parts.length === 0 ? told : say(told, parts);
  },
};
