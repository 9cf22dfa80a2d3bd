import { describe, expect, it } from "vitest";
import { buildAnswer } from "../../../src/model/anthropic/answer.ts";
import type { AnswerBuilder, AnswerFault, CompleteAnswer } from "../../../src/model/answer-builder.ts";
import { listening, type Listening } from "./samples.ts";

type Ev = readonly [name: string, data: object];
const START: Ev = ["message_start", { message: { model: "claude-x", usage: { input_tokens: 10, output_tokens: 1 } } }];
const open = (index: number, content_block: object): Ev => ["content_block_start", { index, content_block }];
const delta = (index: number, change: object): Ev => ["content_block_delta", { index, delta: change }];
const close = (index: number): Ev => ["content_block_stop", { index }];
const end = (stop_reason: string | null, usage: object = { output_tokens: 7 }): Ev => [
  "message_delta",
  { delta: { stop_reason }, usage },
];
const STOP: Ev = ["message_stop", {}];
const say = (index: number, words: string): Ev[] => [
  open(index, { type: "text", text: "" }),
  delta(index, { type: "text_delta", text: words }),
  close(index),
];
const call = (index: number, ...json: string[]): Ev[] => [
  open(index, { type: "tool_use", id: `toolu_${index}`, name: "read", input: {} }),
  ...json.map((partial_json) => delta(index, { type: "input_json_delta", partial_json })),
  close(index),
];

interface Outcome {
  readonly result: CompleteAnswer | AnswerFault;
  readonly heard: Listening;
  readonly answer: AnswerBuilder;
}

function play(...events: readonly Ev[]): Outcome {
  const heard = listening();
  const answer = buildAnswer({ provider: "anthropic", model: "asked-model" }, heard);
  for (const [name, data] of events) {
    const fault = answer.take(name, JSON.stringify({ type: name, ...data }));
    if (fault) return { result: fault, heard, answer };
  }
  return { result: answer.finish(), heard, answer };
}

const kindOf = (...events: readonly Ev[]): string => {
  const { result } = play(...events);
  return "kind" in result ? result.kind : "ok";
};

describe("an answer built from a stream", () => {
  it("keeps thinking, redacted thinking and signatures to the byte, in order", () => {
    const signature = "EqQBCgIYAhIM1gbcDa9GJwZA2b3h+/==";
    const { result, heard } = play(
      START,
      open(0, { type: "thinking", thinking: "", signature: "" }),
      delta(0, { type: "thinking_delta", thinking: "Let me " }),
      delta(0, { type: "thinking_delta", thinking: "see… 🎉\n" }),
      delta(0, { type: "signature_delta", signature: signature.slice(0, 9) }),
      delta(0, { type: "signature_delta", signature: signature.slice(9) }),
      close(0),
      open(1, { type: "redacted_thinking", data: "EmwKAhgBEgy3va3pzix/LafPsn4a" }),
      close(1),
      ...say(2, "Done."),
      end("end_turn"),
      STOP,
    );
    const origin = { from: "model", by: "asked-model" };
    expect(result).toEqual({
      parts: [
        { type: "thinking", text: "Let me see… 🎉\n", signature, origin },
        { type: "redacted_thinking", data: "EmwKAhgBEgy3va3pzix/LafPsn4a", origin },
        { type: "text", text: "Done.", origin },
      ],
      stop: "end_turn",
      usage: {
        input_tokens: 10,
        cache_read_tokens: 0,
        cache_write_5m_tokens: 0,
        cache_write_1h_tokens: 0,
        output_tokens: 7,
      },
      model: "claude-x",
    });
    expect(heard.deltas).toEqual([
      { type: "thinking", text: "Let me " },
      { type: "thinking", text: "see… 🎉\n" },
      { type: "text", text: "Done." },
    ]);
  });

  it("parses tool input from its pieces and mints an id of ours for every call", () => {
    const { result, heard } = play(START, ...call(0, "", '{"pa', 'th":"a"}'), ...call(1), end("tool_use"), STOP);
    if ("kind" in result) throw new RangeError(result.message);
    const [first, second] = result.parts;
    expect(first).toMatchObject({ type: "tool_use", provider_id: "toolu_0", input: { path: "a" } });
    expect(second).toMatchObject({ type: "tool_use", provider_id: "toolu_1", input: {} });
    expect(first?.type === "tool_use" && second?.type === "tool_use" && first.call !== second.call).toBe(true);
    expect(heard.deltas.map(({ type }) => type)).toEqual(["tool_use", "tool_input", "tool_input", "tool_use"]);
  });

  it.each([
    ["end_turn", "end_turn"],
    ["max_tokens", "max_tokens"],
    ["stop_sequence", "stop_sequence"],
    ["pause_turn", "pause_turn"],
    ["refusal", "refusal"],
    ["model_context_window_exceeded", "context_window"],
  ])("says %s as %s", (reason, stop) => {
    expect(play(START, ...say(0, "x"), end(reason), STOP).result).toMatchObject({ stop });
  });

  it("takes the usage of the end over that of the start, with the split of the cache's lives", () => {
    const begin: Ev = [
      "message_start",
      {
        message: {
          usage: {
            input_tokens: 5,
            output_tokens: 1,
            cache_read_input_tokens: 100,
            cache_creation_input_tokens: 30,
            cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
          },
        },
      },
    ];
    expect(
      play(begin, ...say(0, "x"), end("end_turn", { output_tokens: 9, input_tokens: 6 }), STOP).result,
    ).toMatchObject({
      usage: {
        input_tokens: 6,
        cache_read_tokens: 100,
        cache_write_5m_tokens: 10,
        cache_write_1h_tokens: 20,
        output_tokens: 9,
      },
    });
  });

  it("skips events, blocks and deltas that it does not know", () => {
    const { result } = play(
      START,
      ["message_sparkled", { x: 1 }],
      open(0, { type: "hologram", data: "?" }),
      delta(0, { type: "hologram_delta", data: "?" }),
      close(0),
      open(1, { type: "text", text: "" }),
      delta(1, { type: "citations_delta", citation: {} }),
      delta(1, { type: "text_delta", text: "hi" }),
      close(1),
      end("end_turn"),
      STOP,
    );
    expect(result).toMatchObject({ parts: [{ type: "text", text: "hi" }] });
  });
});

describe("a tool call", () => {
  it.each([["{"], ['{"path":"a'], ["[1]"], ['"a"'], ["null"], ["5"]])(
    "whose input is %s is never handed out",
    (json) => {
      expect(kindOf(START, ...call(0, json), end("tool_use"), STOP)).toBe("truncated_tool_call");
      expect(kindOf(START, ...call(0, json), ...call(1, "{}"), end("tool_use"), STOP)).toBe("truncated_tool_call");
    },
  );

  it("that stands last where the tokens ran out is cut, even where its input looks whole", () => {
    for (const reason of ["max_tokens", "model_context_window_exceeded"]) {
      expect(kindOf(START, ...say(0, "x"), ...call(1), end(reason), STOP)).toBe("truncated_tool_call");
      expect(kindOf(START, ...call(0, '{"path":"a"}'), end(reason), STOP)).toBe("truncated_tool_call");
      expect(kindOf(START, ...call(0, '{"pa').slice(0, -1), end(reason), STOP)).toBe("truncated_tool_call");
    }
  });

  it("of a refused answer is left out", () => {
    expect(play(START, ...say(0, "I cannot."), ...call(1, "{}"), end("refusal"), STOP).result).toMatchObject({
      stop: "refusal",
      parts: [{ type: "text", text: "I cannot." }],
    });
  });

  it("without an id or a name is against the protocol", () => {
    expect(kindOf(START, open(0, { type: "tool_use", name: "read", input: {} }))).toBe("protocol");
    expect(kindOf(START, open(0, { type: "tool_use", id: "t", input: {} }))).toBe("protocol");
  });

  it("has to be there when the answer stopped for one", () => {
    expect(kindOf(START, ...say(0, "x"), end("tool_use"), STOP)).toBe("protocol");
  });
});

describe("an answer that is none", () => {
  it("is cut when it ended anywhere before message_stop", () => {
    const whole = [START, ...say(0, "x"), ...call(1, "{}"), end("tool_use"), STOP];
    for (let length = 0; length < whole.length; length++) expect(kindOf(...whole.slice(0, length))).toBe("stream_cut");
    expect(kindOf(...whole)).toBe("ok");
  });

  it("is empty without text and calls, also with thinking or blank text alone", () => {
    expect(kindOf(START, end("end_turn"), STOP)).toBe("empty_response");
    expect(kindOf(START, ...say(0, " \n"), end("end_turn"), STOP)).toBe("empty_response");
    expect(
      kindOf(START, open(0, { type: "thinking", thinking: "hm", signature: "s" }), close(0), end("end_turn"), STOP),
    ).toBe("empty_response");
  });

  it("never invents usage", () => {
    expect(kindOf(["message_start", { message: { model: "m" } }])).toBe("protocol");
    expect(kindOf(["message_start", { message: { usage: { output_tokens: 1 } } }])).toBe("protocol");
    expect(kindOf(START, ...say(0, "x"), end("end_turn", {}), STOP)).toBe("protocol");
    // Nor takes it for a number of tokens what is none.
    for (const output_tokens of [0.5, -1, 1e18, "7"])
      expect(kindOf(START, ...say(0, "x"), end("end_turn", { output_tokens }), STOP)).toBe("protocol");
  });

  it("is against the protocol when its events are out of order or not known to end", () => {
    expect(kindOf(open(0, { type: "text" }))).toBe("protocol");
    expect(kindOf(START, START)).toBe("protocol");
    expect(kindOf(START, delta(0, { type: "text_delta", text: "x" }))).toBe("protocol");
    expect(kindOf(START, ...say(0, "x"), delta(0, { type: "text_delta", text: "x" }))).toBe("protocol");
    expect(kindOf(START, close(0))).toBe("protocol");
    expect(kindOf(START, open(0, { type: "text" }), delta(0, { type: "input_json_delta", partial_json: "{" }))).toBe(
      "protocol",
    );
    expect(kindOf(START, open(0, { type: "text", text: "x" }), end("end_turn"), STOP)).toBe("protocol");
    expect(kindOf(START, ...say(0, "x"), end("quantum_collapse"), STOP)).toBe("protocol");
    expect(kindOf(START, ...say(0, "x"), end(null), STOP)).toBe("protocol");
    expect(kindOf(STOP)).toBe("protocol");
  });

  it("is against the protocol when a known event is no JSON", () => {
    const answer = buildAnswer({ provider: "anthropic", model: "m" }, listening());
    expect(answer.take("message_start", '{"type":')).toMatchObject({ kind: "protocol" });
  });

  it("has the kind of the error inside the stream, and keeps what had arrived", () => {
    const { result, answer } = play(
      START,
      open(0, { type: "text", text: "" }),
      delta(0, { type: "text_delta", text: "half" }),
      ["error", { error: { type: "overloaded_error", message: "Overloaded" } }],
    );
    expect(result).toEqual({ kind: "overloaded", after_ms: null, message: "Overloaded" });
    expect(answer.partial()).toBe("half");
    expect(answer.usage()).toMatchObject({ input_tokens: 10, output_tokens: 1 });
  });
});
