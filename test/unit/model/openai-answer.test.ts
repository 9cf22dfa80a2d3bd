import { describe, expect, it } from "vitest";
import type { AnswerFault, CompleteAnswer } from "../../../src/model/answer-builder.ts";
import { buildAnswer } from "../../../src/model/openai/answer.ts";
import { openaiUsage } from "../../../src/model/openai/usage.ts";
import { listening } from "./samples.ts";

type Event = { readonly type: string; readonly [member: string]: unknown };

const USAGE = { input_tokens: 10, output_tokens: 5 };
const CREATED: Event = { type: "response.created", response: { model: "gpt-5.2-x" } };
const added = (output_index: number, item: object): Event => ({
  type: "response.output_item.added",
  output_index,
  item,
});
const done = (output_index: number, item: object): Event => ({ type: "response.output_item.done", output_index, item });
const completed = (usage: object | null = USAGE): Event => ({
  type: "response.completed",
  response: { model: "gpt-5.2-x", usage },
});
const incomplete = (reason: string): Event => ({
  type: "response.incomplete",
  response: { incomplete_details: { reason }, usage: USAGE },
});
const CALL = { type: "function_call", id: "fc_1", call_id: "call_1", name: "read", arguments: "" };
const MESSAGE = { type: "message", id: "msg_1", role: "assistant", content: [] };
const call = (index: number, args: string, status = "completed"): readonly Event[] => [
  added(index, CALL),
  { type: "response.function_call_arguments.delta", output_index: index, delta: args },
  done(index, { ...CALL, arguments: args, status }),
];
const message = (index: number, words: string): readonly Event[] => [
  added(index, MESSAGE),
  { type: "response.output_text.delta", output_index: index, delta: words },
  done(index, { ...MESSAGE, content: [{ type: "output_text", text: words, annotations: [] }] }),
];

function built(events: readonly Event[]): CompleteAnswer | AnswerFault {
  const answer = buildAnswer({ model: "gpt-5.2" }, listening());
  for (const event of events) {
    const fault = answer.take(event.type, JSON.stringify(event));
    if (fault !== null) return fault;
  }
  return answer.finish();
}

const kindOf = (events: readonly Event[]): string => {
  const answer = built(events);
  return "kind" in answer ? answer.kind : answer.stop;
};

describe("an answer of OpenAI", () => {
  it.each([
    ["stream_cut", [CREATED, ...message(0, "hi")]],
    ["protocol: usage", [CREATED, ...message(0, "hi"), completed(null)]],
    ["protocol: no beginning", [completed()]],
    ["protocol: two beginnings", [CREATED, CREATED]],
    ["protocol: an item that is not done", [CREATED, added(0, MESSAGE), completed()]],
    ["protocol: an item twice", [CREATED, added(0, MESSAGE), added(0, MESSAGE)]],
    [
      "protocol: a delta without an item",
      [CREATED, { type: "response.output_text.delta", output_index: 3, delta: "x" }],
    ],
    [
      "protocol: a delta of another kind",
      [CREATED, added(0, CALL), { type: "response.output_text.delta", output_index: 0, delta: "x" }],
    ],
    ["protocol: a call without a name", [CREATED, added(0, { ...CALL, name: "" })]],
    ["protocol: an unknown reason", [CREATED, ...message(0, "hi"), incomplete("bored")]],
    ["empty_response", [CREATED, completed()]],
    ["empty_response", [CREATED, ...message(0, " "), completed()]],
    ["truncated_tool_call: no JSON", [CREATED, ...call(0, '{"path"'), completed()]],
    ["truncated_tool_call: no object", [CREATED, ...call(0, "[1]"), completed()]],
    ["truncated_tool_call: not completed", [CREATED, ...call(0, "{}", "incomplete"), completed()]],
    ["truncated_tool_call: the last one", [CREATED, ...call(0, "{}"), incomplete("max_output_tokens")]],
    ["truncated_tool_call: never done", [CREATED, added(0, CALL), incomplete("max_output_tokens")]],
    ["max_tokens", [CREATED, added(0, MESSAGE), incomplete("max_output_tokens")]],
    ["content_filter", [CREATED, ...call(0, "{}"), incomplete("content_filter")]],
    ["tool_use: a call without arguments", [CREATED, ...call(0, ""), completed()]],
    [
      "end_turn: items that nobody knows",
      [
        CREATED,
        added(0, { type: "web_search_call" }),
        done(0, { type: "web_search_call" }),
        ...message(1, "hi"),
        completed(),
      ],
    ],
  ] satisfies readonly (readonly [string, readonly Event[]])[])("ends as %s", (expected, events) => {
    expect(kindOf(events)).toBe(expected.replace(/:.*/, ""));
  });

  it("that is stopped by a filter or refused runs none of its calls", () => {
    const filtered = built([CREATED, ...message(0, "hi"), ...call(1, "{}"), incomplete("content_filter")]);
    const refusal = { ...MESSAGE, content: [{ type: "refusal", refusal: "No." }] };
    const refused = built([CREATED, added(0, MESSAGE), done(0, refusal), ...call(1, "{}"), completed()]);
    for (const answer of [filtered, refused]) {
      expect("parts" in answer && answer.parts.map(({ type }) => type)).toEqual(["text"]);
    }
    expect(refused).toMatchObject({ stop: "refusal", parts: [{ text: "No." }] });
  });

  it("cut in the middle of a text keeps that text, without the id of an item that was never whole", () => {
    const events = [
      CREATED,
      added(0, MESSAGE),
      { type: "response.output_text.delta", output_index: 0, delta: "One, " },
    ];
    expect(built([...events, incomplete("max_output_tokens")])).toMatchObject({
      stop: "max_tokens",
      parts: [{ type: "text", text: "One, ", origin: { from: "model", by: "gpt-5.2" } }],
    });
  });

  it("is read from the words of an error in any shape that proxies give it", () => {
    expect(kindOf([CREATED, { type: "error", code: "server_is_overloaded", message: "Busy" }])).toBe("overloaded");
    expect(
      kindOf([CREATED, { type: "error", error: { type: "invalid_request_error", code: "context_length_exceeded" } }]),
    ).toBe("context_overflow");
    const answer = buildAnswer({ model: "gpt-5.2" }, listening());
    expect(answer.take(null, '{"error":{"code":429,"message":"Rate limited. Please try again in 2s."}}')).toEqual({
      kind: "rate_limit",
      after_ms: 2_000,
      message: "Rate limited. Please try again in 2s.",
    });
    expect(answer.take("response.completed", "<html>")).toMatchObject({ kind: "protocol" });
    expect(answer.take(null, "[DONE]")).toBeNull();
  });

  it.each([
    [{ input_tokens: 100, output_tokens: 7 }, [100, 0, 0, 0, 7]],
    [{ input_tokens: 100, output_tokens: 7, input_tokens_details: { cached_tokens: 64 } }, [36, 64, 0, 0, 7]],
    [
      {
        input_tokens: 100,
        output_tokens: 7,
        input_tokens_details: {
          cached_tokens: 64,
          cache_write_tokens: 30,
          cache_write_tokens_details: { ttl_30m_tokens: 20, ttl_12h_tokens: 10 },
        },
      },
      [6, 64, 20, 10, 7],
    ],
    [
      { input_tokens: 10, output_tokens: 7, input_tokens_details: { cached_tokens: 64, cache_write_tokens: 5 } },
      [0, 10, 0, 0, 7],
    ],
  ])("has usage whose input counts add up to what was read: %o", (reported, counts) => {
    const usage = openaiUsage(reported);
    expect(usage === null ? null : Object.values(usage)).toEqual(counts);
    expect(counts.slice(0, 4).reduce((sum, count) => sum + count, 0)).toBe(reported.input_tokens);
  });

  it("without its counts has no usage, rather than none spent", () => {
    expect(openaiUsage(null)).toBeNull();
    expect(openaiUsage({ input_tokens: 3 })).toBeNull();
    expect(openaiUsage({ output_tokens: 3 })).toBeNull();
  });
});
