/** A run ended with an outcome. The session itself can go on with another run. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { Verification } from "../outcome.ts";
import type { EventDefinition } from "./definition.ts";
import { errorKind, outcome } from "./shapes.ts";

const VERIFICATIONS = [
  "passed",
  "failed",
  "none_found",
  "not_applicable",
  "waived",
] as const satisfies readonly Verification[];

const schema = lazy(() =>
  z.object({
    outcome: outcome(),
    verification: z.enum(VERIFICATIONS),
    exit_code: z.int(),
    error: z.object({ kind: errorKind(), message: z.string() }).nullable(),
    /** How long the run was at work, in milliseconds. */
    active_ms: z.int().nonnegative(),
  }),
);

export const runEnded: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({
    ...state,
    run: null,
    active_ms: state.active_ms + event.data.active_ms,
    end: {
      outcome: event.data.outcome,
      verification: event.data.verification,
      exit_code: event.data.exit_code,
      error: event.data.error,
    },
  }),
};
