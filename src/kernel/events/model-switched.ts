/** Another model takes over, until the run ends. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { Message } from "../content.ts";
import { afterModelChange } from "../model-in-use.ts";
import { NO_FAILURES } from "../state.ts";
import type { EventDefinition } from "./definition.ts";
import { errorKind } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    from: z.object({ provider: z.string(), model: z.string() }),
    to: z.object({ provider: z.string(), model: z.string() }),
    /** What the model before could not do. */
    kind: errorKind(),
    message: z.string(),
  }),
);

export const modelSwitched: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => {
    const refused = state.stop === "refusal" || state.stop === "content_filter";
    return afterModelChange(state, {
      ...state,
      using: {
        ...event.data.to,
        fallback: state.using === null ? 0 : state.using.fallback + 1,
        mid_turn: refused || state.failures.count > 0 || state.using?.mid_turn === true,
      },
      model: { status: "idle" },
      failures: NO_FAILURES,
      // What a filter or the model itself refused is asked of the next one, without the refusal.
      ...(refused ? { stop: null, messages: withoutAnswer(state.messages) } : {}),
    });
  },
};

function withoutAnswer(messages: readonly Message[]): readonly Message[] {
  return messages.at(-1)?.role === "assistant" ? messages.slice(0, -1) : messages;
}
