/** A model call failed. Its partial answer is kept for people and never acted on. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { SessionState } from "../state.ts";
import type { EventDefinition } from "./definition.ts";
import { errorKind, modelCallId, usage } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    call: modelCallId(),
    kind: errorKind(),
    message: z.string(),
    http: z.int().nullable(),
    request_id: z.string().nullable(),
    retry_after_ms: z.int().nonnegative().nullable(),
    /** Text that had arrived. */
    partial: z.string(),
    /** What the provider had reported before it failed. */
    usage: usage().nullable(),
    duration_ms: z.int().nonnegative(),
  }),
);

export const modelCallFailed: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => {
    // Without a summary a compaction keeps what the journal says, which is all that has to be kept.
    if (isSummary(state)) return { ...state, model: { status: "idle" }, summary: "" };
    return failed(state, event.data);
  },
};

function isSummary({ model }: SessionState): boolean {
  return model.status === "calling" && model.purpose === "summary";
}

function failed(state: SessionState, data: z.infer<ReturnType<typeof schema>>): SessionState {
  return {
    ...state,
    model: {
      status: "failed",
      kind: data.kind,
      message: data.message,
      attempt: state.model.status === "calling" ? state.model.attempt : 1,
      retry_after_ms: data.retry_after_ms,
      refused: false,
    },
    failures: { ...state.failures, count: state.failures.count + 1 },
  };
}
