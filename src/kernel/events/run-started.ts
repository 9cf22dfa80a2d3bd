/** A run began: a process claimed the session and drives it. What an older run left half-done is recovered first. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { afterModelChange } from "../model-in-use.ts";
import { NO_FAILURES } from "../state.ts";
import type { EventDefinition } from "./definition.ts";
import { runId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    run: runId(),
    number: z.int().positive(),
    reason: z.enum(["start", "resume", "approval"]),
    /** The process that drives, for people. */
    pid: z.int(),
  }),
);

export const runStarted: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) =>
    afterModelChange(state, {
      ...state,
      run: {
        id: event.data.run,
        number: event.data.number,
        epoch: event.epoch,
        started_at: event.at,
        cancel: null,
        limit: null,
        budget_stop: false,
        turns: 0,
      },
      runs: event.data.number,
      // A run that was cut off was at work until its last event.
      active_ms: state.active_ms + (state.run === null ? 0 : Math.max(0, state.previous_at - state.run.started_at)),
      end: null,
      verified: null,
      // Somebody may have worked in the workspace between two runs.
      dirty: state.dirty || state.workspace?.snapshots === true,
      failures: NO_FAILURES,
      // The first model is asked again.
      using: null,
      // A failure that ended the last run is tried afresh; a wait or a call under way is looked at by `decide`.
      model: state.model.status === "failed" ? { status: "idle" } : state.model,
    }),
};
