/** A turn of a scenario as a chat completion: whole, and as the chunks of a stream. */
import { at } from "../../../model/json-view.ts";
import { type Answer, chunks, event, type StreamError, type StreamEvent } from "../dialect.ts";
import { codeOf } from "../openai/api-error.ts";

const FINGERPRINT = "fp_emulator";

export function wholeCompletion(answer: Answer): object {
  const { said, usage, reasoningField } = answer;
  const refused = said.stop === "refusal";
  return {
    ...envelope(answer, "chat.completion"),
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: refused ? null : said.text,
          ...(said.think !== null && reasoningField !== null && { [reasoningField]: said.think }),
          ...(said.calls.length > 0 && {
            tool_calls: said.calls.map(({ tool, json }, i) => ({
              id: callId(answer, i),
              type: "function",
              function: { name: tool, arguments: json },
            })),
          }),
          refusal: refused ? said.text : null,
          annotations: [],
        },
        logprobs: null,
        finish_reason: finishReason(answer),
      },
    ],
    ...(usage && { usage: usageOf(usage) }),
  };
}

export function completionEvents(answer: Answer): readonly StreamEvent[] {
  const { said, usage, body, turn, reasoningField } = answer;
  const tellsUsage = at(body, "stream_options", "include_usage") === true;
  const chunk = (choices: readonly object[], part: StreamEvent["part"] = "other", delta?: string): StreamEvent => ({
    name: null,
    data: { ...envelope(answer, "chat.completion.chunk"), choices, ...(tellsUsage && { usage: null }) },
    part,
    ...(delta !== undefined && { delta }),
  });
  const choice = (delta: object, finish_reason: string | null = null): readonly object[] => [
    { index: 0, delta, logprobs: null, finish_reason },
  ];
  const refused = said.stop === "refusal";
  const texts = chunks(said.text ?? "", turn.chunk_chars);
  const thoughts = reasoningField === null ? [] : chunks(said.think ?? "", turn.chunk_chars);
  return [
    chunk(choice({ role: "assistant", content: said.text === null || refused ? null : "", refusal: null })),
    ...thoughts.map((text) => chunk(choice({ [String(reasoningField)]: text }), "thinking", text)),
    ...texts.map((text) => chunk(choice(refused ? { refusal: text } : { content: text }), "text", text)),
    ...said.calls.flatMap(({ tool, json }, index) => [
      chunk(
        choice({
          tool_calls: [{ index, id: callId(answer, index), type: "function", function: { name: tool, arguments: "" } }],
        }),
      ),
      ...chunks(json, turn.chunk_chars).map((text) =>
        chunk(choice({ tool_calls: [{ index, function: { arguments: text } }] }), "json", text),
      ),
    ]),
    chunk(choice({}, finishReason(answer)), "end"),
    ...(tellsUsage && usage
      ? [event(null, { ...envelope(answer, "chat.completion.chunk"), choices: [], usage: usageOf(usage) }, "end")]
      : []),
    event(null, "[DONE]", "end"),
  ];
}

export function errorEvents(error: StreamError): readonly StreamEvent[] {
  const code = error.code ?? codeOf(error.type);
  return [event(null, { error: { message: error.message, type: error.type, param: null, code } })];
}

function envelope({ id, created, model }: Answer, object: string): object {
  return { id: `chatcmpl-${id}`, object, created, model, service_tier: "default", system_fingerprint: FINGERPRINT };
}

function callId({ id }: Answer, index: number): string {
  return `call_${id}_${index + 1}`;
}

function finishReason({ said }: Answer): string {
  switch (said.stop) {
    case "tool_use":
      return "tool_calls";
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length";
    case "content_filter":
      return "content_filter";
    default:
      return "stop";
  }
}

function usageOf(usage: NonNullable<Answer["usage"]>): object {
  const written = usage.write5m + usage.write1h;
  const prompt = usage.input + usage.read + written;
  return {
    prompt_tokens: prompt,
    completion_tokens: usage.output,
    total_tokens: prompt + usage.output,
    prompt_tokens_details: { cached_tokens: usage.read, audio_tokens: 0, cache_write_tokens: written },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
