/** A request is about to be sent to the model. Written ahead: an answer that never arrives is noticed. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { modelCallId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    call: modelCallId(),
    purpose: z.enum(["turn", "summary"]),
    provider: z.string(),
    model: z.string(),
    attempt: z.int().positive(),
    max_tokens: z.int().positive(),
    /** How many messages the request holds. */
    messages: z.int().nonnegative(),
    /** SHA-256 over all that the request says, as `requestHash` forms it: a replay builds the request anew and compares. */
    request: z.string(),
    /** SHA-256 of the system prompt and of the tool schemas, as sent. */
    prompt: z.string(),
    tools: z.string(),
  }),
);

export const modelCallStarted: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 2,
  schema,
  fold: (state, event) => {
    const { call, attempt, purpose } = event.data;
    const model = { status: "calling", call, epoch: event.epoch, attempt, purpose } as const;
    // A summary is no turn: nothing of it is acted on.
    if (purpose === "summary") return { ...state, model };
    const run = state.run && event.turn > state.turn ? { ...state.run, turns: state.run.turns + 1 } : state.run;
    return { ...state, turn: event.turn, run, model };
  },
  upcast: (data) => ({ ...data, purpose: "turn" }),
};
