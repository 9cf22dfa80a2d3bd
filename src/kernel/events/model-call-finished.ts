/** The model answered completely. Its tool calls become the open batch. */
import * as z from "zod";
import { addAnswer } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import type { StopReason, ToolCall } from "../state.ts";
import { promptTokens, totalTokens } from "../usage.ts";
import type { EventDefinition } from "./definition.ts";
import { modelCallId, modelPart, usage } from "./shapes.ts";

const STOPS = [
  "end_turn",
  "tool_use",
  "max_tokens",
  "stop_sequence",
  "pause_turn",
  "refusal",
  "context_window",
  "content_filter",
] as const satisfies readonly StopReason[];

const schema = lazy(() =>
  z.object({
    call: modelCallId(),
    parts: z.array(modelPart()),
    stop: z.enum(STOPS),
    usage: usage(),
    /** The model as the provider names it. */
    model: z.string(),
    request_id: z.string().nullable(),
    duration_ms: z.int().nonnegative(),
    /** Milliseconds to the first delta; null when there was none. */
    first_delta_ms: z.int().nonnegative().nullable(),
  }),
);

export const modelCallFinished: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => {
    const { parts, stop, usage: used } = event.data;
    const messages = addAnswer(state.messages, parts);
    const batch = parts.flatMap((part): ToolCall[] =>
      part.type === "tool_use"
        ? [
            {
              part,
              asked_seq: event.seq,
              status: "requested",
              effect: null,
              started: null,
              processes: [],
              note: null,
              result: null,
            },
          ]
        : [],
    );
    return {
      ...state,
      messages,
      counted: {
        messages: messages.length,
        tokens: totalTokens(used),
        reported: {
          run: state.runs,
          provider: state.config?.provider ?? "",
          model: event.data.model,
          prompt: promptTokens(used),
        },
      },
      batch,
      stop,
      pauses: stop === "pause_turn" ? state.pauses + 1 : 0,
      model: { status: "idle" },
      // A cut answer keeps its record of repairs: the second cut in a row ends the run.
      failures: stop === "max_tokens" ? state.failures : { count: 0, waited_ms: 0, repaired: [] },
      max_tokens: stop === "max_tokens" ? state.max_tokens : (state.config?.max_tokens ?? state.max_tokens),
    };
  },
};
