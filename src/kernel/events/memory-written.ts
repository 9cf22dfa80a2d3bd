/** The session added to what outlives it. The text is the store's. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { memoryKindSchema, memoryScopeSchema } from "../memory.ts";
import type { EventDefinition } from "./definition.ts";
import { memoryId, toolCallId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    memory: memoryId(),
    kind: memoryKindSchema(),
    scope: memoryScopeSchema(),
    /** The call of `remember`; null: taken from the journal by rule. */
    call: toolCallId().nullable(),
    untrusted: z.boolean(),
    confidence: z.number().min(0).max(1),
    /** `proposed` waits for a person. */
    state: z.enum(["active", "proposed"]),
    /** Memories that it takes the place of. */
    supersedes: z.array(memoryId()),
  }),
);

export const memoryWritten: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state) => state,
};
