/** The model answered completely. Its tool calls become the open batch. */
import * as z from "zod";
import { plainText } from "../content.ts";
import { addAnswer } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import { modelInUse } from "../model-in-use.ts";
import { NO_FAILURES, type SessionState, type StopReason, type ToolCall } from "../state.ts";
import { promptTokens, totalTokens } from "../usage.ts";
import type { EventDefinition } from "./definition.ts";
import { modelCallId, modelPart, usage } from "./shapes.ts";

/** What a model may add to what is kept of a conversation. Characters. */
const SUMMARY_CHARS_MAX = 12_000;

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
    if (state.model.status === "calling" && state.model.purpose === "summary") {
      return {
        ...state,
        model: { status: "idle" },
        summary: plainText(parts).slice(0, SUMMARY_CHARS_MAX).toWellFormed(),
      };
    }
    const messages = addAnswer(state.messages, parts);
    const batch = parts.flatMap((part): ToolCall[] =>
      part.type === "tool_use"
        ? [
            {
              part,
              asked_seq: event.seq,
              status: "requested",
              effect: null,
              judged: null,
              approved_until: null,
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
      counted: promptTokens(used) === 0 ? state.counted : countedIn(state, messages.length, event.data),
      batch,
      stop,
      pauses: stop === "pause_turn" ? state.pauses + 1 : 0,
      model: { status: "idle" },
      using: state.using && { ...state.using, mid_turn: false },
      // A cut answer keeps its record of repairs: the second cut in a row ends the run.
      failures: stop === "max_tokens" ? state.failures : NO_FAILURES,
      max_tokens: stop === "max_tokens" ? state.max_tokens : (state.config?.max_tokens ?? state.max_tokens),
    };
  },
};

/** Who counts nothing of what it read says nothing about how long it is: then what was counted before stands. */
function countedIn(
  state: SessionState,
  messages: number,
  { usage: used, model }: z.infer<ReturnType<typeof schema>>,
): SessionState["counted"] {
  const reported = { run: state.runs, provider: modelInUse(state).provider, model, prompt: promptTokens(used) };
  return { messages, tokens: totalTokens(used), reported };
}
