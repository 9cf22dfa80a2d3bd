import { describe, expect, it } from "vitest";
import type { Message, ModelPart, Opaque } from "../../../src/kernel/content.ts";
import type { BlobHash } from "../../../src/kernel/ids.ts";
import { openaiParams } from "../../../src/model/openai/request.ts";
import { request, text, toolResult, toolUse, user } from "./samples.ts";

const own = (data: Opaque["data"]): { readonly opaque: Opaque } => ({ opaque: { provider: "openai", data } });
const REASONING = { id: "rs_1", type: "reasoning", summary: [], encrypted_content: "gAAAA==" };
const reasoning = (data: Opaque["data"] = REASONING): ModelPart => ({
  type: "thinking",
  text: "",
  signature: "",
  origin: { from: "model" },
  ...own(data),
});
const answer = (...parts: ModelPart[]): Message => ({ role: "assistant", parts });
const called = (id: string): ModelPart => ({ ...toolUse(id), ...own({ id: `fc_${id}` }) });
const said = (words: string, data?: Opaque["data"]): ModelPart => ({ ...text(words), ...(data ? own(data) : {}) });

async function input(messages: readonly Message[], thinking_from = 0): Promise<unknown> {
  return (await openaiParams(request({ model: "gpt-5.2", messages, thinking_from }), {}, undefined)).input;
}

describe("a request to OpenAI", () => {
  it("stores nothing there, and asks for reasoning that can be sent back", async () => {
    expect(await openaiParams(request({ model: "gpt-5.2" }), { cache_key: "ses_1" }, undefined)).toEqual({
      model: "gpt-5.2",
      stream: true,
      store: false,
      include: ["reasoning.encrypted_content"],
      max_output_tokens: 4_096,
      instructions: "You are careful.",
      tools: [
        {
          type: "function",
          name: "read",
          description: "Reads a file.",
          parameters: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
          strict: false,
        },
      ],
      parallel_tool_calls: true,
      input: [{ role: "user", content: [{ type: "input_text", text: "read a" }] }],
      prompt_cache_key: "ses_1",
    });
  });

  it.each([
    [null, undefined],
    [0, undefined],
    [2_048, "low"],
    [8_000, "medium"],
    [16_384, "high"],
    [100_000, "high"],
  ])("turns %s thinking tokens into effort %s", async (thinking_tokens, effort) => {
    const params = await openaiParams(request({ model: "gpt-5.2", thinking_tokens }), {}, undefined);
    expect(params.reasoning).toEqual(effort === undefined ? undefined : { effort, summary: "auto" });
  });

  it.each(["gpt-4.1", "gpt-4o-mini", "ft:gpt-4o:org::1", "gpt-5-chat-latest", "openai/gpt-4.1", "chatgpt-4o-latest"])(
    "says nothing about reasoning to %s, which would answer 400",
    async (model) => {
      const params = await openaiParams(request({ model, thinking_tokens: 9_000 }), {}, undefined);
      expect([params.reasoning, params.include]).toEqual([undefined, undefined]);
    },
  );

  it("extends the one before it: what was sent stays as it was, whatever follows", async () => {
    const messages: readonly Message[] = [
      user(text("go")),
      answer(reasoning(), said("Reading.", { id: "msg_1" }), called("call_1"), called("call_2")),
      user(toolResult("call_1", "one"), toolResult("call_2", "broken", true), text("and hurry")),
      answer(reasoning({ ...REASONING, id: "rs_2" }), called("call_3")),
      user(toolResult("call_3", "")),
      answer(said("Done.", { id: "msg_2" })),
      user(text("thanks")),
    ];
    const whole = await input(messages);
    for (let length = 1; length <= messages.length; length += 2) {
      const prefix = await input(messages.slice(0, length));
      expect(JSON.stringify(whole).startsWith(JSON.stringify(prefix).slice(0, -1))).toBe(true);
    }
    expect(whole).toEqual([
      { role: "user", content: [{ type: "input_text", text: "go" }] },
      REASONING,
      {
        type: "message",
        id: "msg_1",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "Reading.", annotations: [] }],
      },
      { type: "function_call", id: "fc_call_1", call_id: "call_1", name: "read", arguments: '{"path":"a"}' },
      { type: "function_call", id: "fc_call_2", call_id: "call_2", name: "read", arguments: '{"path":"a"}' },
      { type: "function_call_output", call_id: "call_1", output: "one" },
      { type: "function_call_output", call_id: "call_2", output: "Error:\nbroken" },
      { role: "user", content: [{ type: "input_text", text: "and hurry" }] },
      { ...REASONING, id: "rs_2" },
      { type: "function_call", id: "fc_call_3", call_id: "call_3", name: "read", arguments: '{"path":"a"}' },
      { type: "function_call_output", call_id: "call_3", output: "(no output)" },
      {
        type: "message",
        id: "msg_2",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "Done.", annotations: [] }],
      },
      { role: "user", content: [{ type: "input_text", text: "thanks" }] },
    ]);
  });

  it("sends the items that followed a left-out reasoning without their ids, by which the pair would be missed", async () => {
    const messages = [user(text("go")), answer(reasoning(), said("Reading.", { id: "msg_1" }), called("call_1"))];
    expect(await input(messages, 2)).toEqual([
      { role: "user", content: [{ type: "input_text", text: "go" }] },
      { role: "assistant", content: "Reading." },
      { type: "function_call", call_id: "call_1", name: "read", arguments: '{"path":"a"}' },
    ]);
  });

  it("leaves out reasoning that nothing follows, and reasoning without the content that would be sent", async () => {
    const last = await input([answer(called("call_1"), reasoning())]);
    expect(last).toEqual([
      { type: "function_call", id: "fc_call_1", call_id: "call_1", name: "read", arguments: '{"path":"a"}' },
    ]);
    const empty = await input([answer(reasoning({ ...REASONING, encrypted_content: null }), called("call_1"))]);
    expect(empty).toEqual([{ type: "function_call", call_id: "call_1", name: "read", arguments: '{"path":"a"}' }]);
  });

  it("takes over a conversation with another provider in words alone", async () => {
    const foreign: Opaque = { provider: "anthropic", data: { id: "secret-of-theirs" } };
    const long = `toolu_${"x".repeat(80)}`;
    const items = await input([
      answer(
        { type: "thinking", text: "hm", signature: "sig", origin: { from: "model" } },
        { type: "redacted_thinking", data: "xx", origin: { from: "model" } },
        { ...text("Reading."), opaque: foreign },
        { ...toolUse(long), opaque: foreign },
      ),
      user(toolResult(long, "one")),
    ]);
    const call_id = expect.stringMatching(/^call_[0-9a-f]{40}$/) as string;
    expect(items).toEqual([
      { role: "assistant", content: "Reading." },
      { type: "function_call", call_id, name: "read", arguments: '{"path":"a"}' },
      { type: "function_call_output", call_id, output: "one" },
    ]);
    const [, call, result] = items as readonly { readonly call_id: string }[];
    expect(call?.call_id).toBe(result?.call_id);
  });

  it("sends images of users and of tools as data, and says where one is missing", async () => {
    const image = (blob: string) =>
      ({ type: "image", media_type: "image/png", blob: blob as BlobHash, origin: { from: "user" } }) as const; // a test's own hash
    const result = { ...toolResult("call_1", "a picture"), content: [text("a picture"), image("known")] };
    const messages: readonly Message[] = [{ role: "user", parts: [result, image("known"), image("lost")] }];
    const loadBlob = (blob: BlobHash): Promise<Uint8Array | null> =>
      Promise.resolve(blob === "known" ? new Uint8Array([1, 2, 3]) : null);
    const { input: items } = await openaiParams(request({ model: "gpt-5.2", messages }), {}, loadBlob);
    const sent = { type: "input_image", detail: "auto", image_url: "data:image/png;base64,AQID" };
    expect(items).toEqual([
      { type: "function_call_output", call_id: "call_1", output: [{ type: "input_text", text: "a picture" }, sent] },
      {
        role: "user",
        content: [sent, { type: "input_text", text: "[An image (image/png) was here; it is not available.]" }],
      },
    ]);
  });

  it("joins the texts of one message item again, and gives back its phase and its refusal", async () => {
    const items = await input([
      answer(
        said("One, ", { id: "msg_1", phase: "commentary" }),
        said("two.", { id: "msg_1", phase: "commentary" }),
        said("No.", { id: "msg_2", refusal: true }),
      ),
    ]);
    expect(items).toEqual([
      {
        type: "message",
        id: "msg_1",
        role: "assistant",
        status: "completed",
        phase: "commentary",
        content: [
          { type: "output_text", text: "One, ", annotations: [] },
          { type: "output_text", text: "two.", annotations: [] },
        ],
      },
      {
        type: "message",
        id: "msg_2",
        role: "assistant",
        status: "completed",
        content: [{ type: "refusal", refusal: "No." }],
      },
    ]);
  });

  it("has something in every message, also where nothing was said", async () => {
    expect(await input([user(text(" ")), answer()])).toEqual([
      { role: "user", content: [{ type: "input_text", text: "(nothing was said)" }] },
      { role: "assistant", content: "(nothing was said)" },
    ]);
  });
});
