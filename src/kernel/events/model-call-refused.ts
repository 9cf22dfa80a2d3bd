/** A call was not sent: a cap, the rate or a model that keeps failing stands in its way. Nothing was spent. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { SessionState } from "../state.ts";
import type { EventDefinition } from "./definition.ts";
import { errorKind } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    provider: z.string(),
    model: z.string(),
    attempt: z.int().positive(),
    purpose: z.enum(["turn", "summary"]),
    kind: errorKind(),
    /** One line for people, with the scope and the numbers. */
    message: z.string(),
    /** How long it is likely to stand in the way, in milliseconds; null where nobody knows. */
    retry_after_ms: z.int().nonnegative().nullable(),
    /** Where a cap refused it. Amounts are nano-dollars or tokens. */
    refused_by: z
      .object({
        scope: z.string(),
        unit: z.enum(["cost", "tokens"]),
        cap: z.int(),
        /** Settled, and lost answers. */
        spent: z.int(),
        /** Held by calls under way, of any process. */
        reserved: z.int(),
        /** Null: the price is not known. */
        asked: z.int().nullable(),
      })
      .nullable(),
  }),
);

export const modelCallRefused: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 2,
  schema,
  fold: (state, event) => (event.data.purpose === "summary" ? { ...state, summary: "" } : refused(state, event.data)),
  upcast: (data) => ({ ...data, purpose: "turn" }),
};

function refused(state: SessionState, data: z.infer<ReturnType<typeof schema>>): SessionState {
  return {
    ...state,
    model: {
      status: "failed",
      kind: data.kind,
      message: data.message,
      attempt: data.attempt,
      retry_after_ms: data.retry_after_ms,
      refused: true,
    },
    failures: {
      ...state.failures,
      refused: { ...state.failures.refused, count: state.failures.refused.count + 1 },
    },
  };
}
