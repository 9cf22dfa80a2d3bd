import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import type { ImagePart, Message } from "../../../src/kernel/content.ts";
import type { BlobHash } from "../../../src/kernel/ids.ts";
import { anthropicParams } from "../../../src/model/anthropic/request.ts";
import { READ_TOOL, request, text, toolResult, toolUse, user, WRITE_TOOL } from "./samples.ts";

const CACHE = { type: "ephemeral" };
const thinking = (words: string): Extract<Message, { role: "assistant" }>["parts"][number] => ({
  type: "thinking",
  text: words,
  signature: `sig+/=${words}`,
  origin: { from: "model" },
});
const image: ImagePart = {
  type: "image",
  media_type: "image/png",
  blob: `sha256:${"0".repeat(64)}` as BlobHash,
  origin: { from: "tool" },
};

/** The request without its marks, which may move. */
function unmarked(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key: string, member: unknown) => (key === "cache_control" ? undefined : member)),
  ) as unknown;
}

describe("a kernel request as Anthropic takes it", () => {
  it("carries every kind of part, with the provider's own ids for tool calls", async () => {
    const messages: Message[] = [
      user(text("go")),
      {
        role: "assistant",
        parts: [
          thinking("hm"),
          { type: "redacted_thinking", data: "ENC==", origin: { from: "model" } },
          { ...text("I read."), origin: { from: "model" } },
          toolUse("toolu_1"),
        ],
      },
      user(toolResult("toolu_1", "no such file", true), text("and now?")),
    ];
    const params = await anthropicParams(request({ messages, tools: [READ_TOOL, WRITE_TOOL] }), undefined);
    expect(params).toEqual({
      model: "claude-sonnet-4-5",
      max_tokens: 4_096,
      stream: true,
      system: [{ type: "text", text: "You are careful.", cache_control: CACHE }],
      tools: [
        { name: "read", description: "Reads a file.", input_schema: READ_TOOL.input },
        { name: "write", description: "Writes a file.", input_schema: WRITE_TOOL.input, cache_control: CACHE },
      ],
      messages: [
        { role: "user", content: [{ type: "text", text: "go", cache_control: CACHE }] },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "hm", signature: "sig+/=hm" },
            { type: "redacted_thinking", data: "ENC==" },
            { type: "text", text: "I read." },
            { type: "tool_use", id: "toolu_1", name: "read", input: { path: "a" } },
          ],
        },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "toolu_1",
              content: [{ type: "text", text: "no such file" }],
              is_error: true,
            },
            { type: "text", text: "and now?", cache_control: CACHE },
          ],
        },
      ],
    });
  });

  it("leaves out thinking before `thinking_from`, and keeps a message that was nothing else", async () => {
    const messages: Message[] = [
      user(text("1")),
      { role: "assistant", parts: [thinking("old")] },
      user(text("2")),
      { role: "assistant", parts: [thinking("new"), { ...text("done"), origin: { from: "model" } }] },
      user(text("3")),
    ];
    const { messages: sent } = await anthropicParams(request({ messages, thinking_from: 2 }), undefined);
    expect(unmarked(sent[1])).toEqual({ role: "assistant", content: [{ type: "text", text: "(nothing was said)" }] });
    expect(sent[3]?.content).toEqual([
      { type: "thinking", thinking: "new", signature: "sig+/=new" },
      { type: "text", text: "done" },
    ]);
  });

  it("takes over a conversation with another provider in words alone, with ids that it takes", async () => {
    const opaque = { provider: "openai", data: { id: "rs_1", encrypted_content: "gAAAA" } };
    const foreign = `call|${"x".repeat(70)}`;
    const messages: Message[] = [
      user(text("go")),
      {
        role: "assistant",
        parts: [
          { type: "thinking", text: "a summary", signature: "", origin: { from: "model" }, opaque },
          { ...text("Reading."), origin: { from: "model" }, opaque },
          { ...toolUse(foreign), opaque },
        ],
      },
      user(toolResult(foreign, "one")),
    ];
    const { messages: sent } = await anthropicParams(request({ messages }), undefined);
    const id = expect.stringMatching(/^call_[0-9a-f]{40}$/) as string;
    expect(sent[1]?.content).toEqual([
      { type: "text", text: "Reading." },
      { type: "tool_use", id, name: "read", input: { path: "a" } },
    ]);
    expect(unmarked(sent[2])).toEqual({
      role: "user",
      content: [{ type: "tool_result", tool_use_id: id, content: [{ type: "text", text: "one" }] }],
    });
  });

  it("leaves out blank text, which the provider refuses, and sends an empty tool result without content", async () => {
    const messages: Message[] = [
      user(text("go"), text("  \n")),
      { role: "assistant", parts: [{ ...text("\n\n"), origin: { from: "model" } }, toolUse("t1")] },
      user(toolResult("t1", "")),
    ];
    const { messages: sent } = await anthropicParams(request({ messages }), undefined);
    expect(unmarked(sent)).toEqual([
      { role: "user", content: [{ type: "text", text: "go" }] },
      { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "read", input: { path: "a" } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t1" }] },
    ]);
  });

  it("sends an image's bytes, and says so where they are not to be had", async () => {
    const messages: Message[] = [{ role: "user", parts: [image] }];
    const bytes = new TextEncoder().encode("xPNGx").subarray(1, 4);
    const { messages: sent } = await anthropicParams(request({ messages }), () => Promise.resolve(bytes));
    expect(unmarked(sent[0]?.content)).toEqual([
      {
        type: "image",
        source: { type: "base64", media_type: "image/png", data: Buffer.from("PNG").toString("base64") },
      },
    ]);
    const { messages: without } = await anthropicParams(request({ messages }), undefined);
    expect(unmarked(without[0]?.content)).toEqual([
      { type: "text", text: "[An image (image/png) was here; it is not available.]" },
    ]);
  });

  it("leaves out system and tools where there are none", async () => {
    const params = await anthropicParams(request({ system: "", tools: [] }), undefined);
    expect(params).not.toHaveProperty("system");
    expect(params).not.toHaveProperty("tools");
  });
});

describe("the stable prefix (G13)", () => {
  const turn = fc.record({
    say: fc.string({ minLength: 1 }),
    result: fc.string(),
    think: fc.option(fc.string(), { nil: null }),
  });
  const conversation = (turns: readonly { say: string; result: string; think: string | null }[]): Message[] => [
    user(text("task")),
    ...turns.flatMap(({ say, result, think }, index): Message[] => [
      {
        role: "assistant",
        parts: [
          ...(think === null ? [] : [thinking(think)]),
          { ...text(say), origin: { from: "model" } },
          toolUse(`t${index}`),
        ],
      },
      user(toolResult(`t${index}`, result)),
    ]),
  ];

  it("a longer conversation's request extends the shorter one's, to the byte, but for the cache marks", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 6 }), async (turns) => {
        const long = await anthropicParams(request({ messages: conversation(turns) }), undefined);
        const short = await anthropicParams(request({ messages: conversation(turns.slice(0, -1)) }), undefined);
        const shorter = JSON.stringify(unmarked(short.messages));
        expect(JSON.stringify(unmarked(long.messages)).startsWith(shorter.slice(0, -1))).toBe(true);
        expect([JSON.stringify(long.system), JSON.stringify(long.tools)]).toEqual([
          JSON.stringify(short.system),
          JSON.stringify(short.tools),
        ]);
      }),
    );
  });

  it("has at most four marks, and one where the request before ended", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 6 }), async (turns) => {
        const { system, tools, messages } = await anthropicParams(
          request({ messages: conversation(turns) }),
          undefined,
        );
        const marks = JSON.stringify({ system, tools, messages }).match(/cache_control/g) ?? [];
        expect(marks.length).toBe(turns.length === 0 ? 3 : 4);
        const marked = messages.flatMap((message, index) =>
          JSON.stringify(message).includes("cache_control") ? [index] : [],
        );
        expect(marked).toEqual(turns.length === 0 ? [0] : [messages.length - 3, messages.length - 1]);
      }),
    );
  });
});

describe("thinking", () => {
  const sent = async (model: string, thinking_tokens: number | null, max_tokens = 8_192): Promise<unknown> =>
    (await anthropicParams(request({ model, thinking_tokens, max_tokens }), undefined)).thinking;

  it("is a budget for the models that take one, within max_tokens", async () => {
    expect(await sent("claude-sonnet-4-5", 4_000)).toEqual({ type: "enabled", budget_tokens: 4_000 });
    expect(await sent("claude-haiku-4-5-20251001", 20_000)).toEqual({ type: "enabled", budget_tokens: 7_168 });
    expect(await sent("claude-3-7-sonnet-20250219", 2_000)).toEqual({ type: "enabled", budget_tokens: 2_000 });
    expect(await sent("my-proxy-model", 2_000)).toEqual({ type: "enabled", budget_tokens: 2_000 });
  });

  it("is adaptive for the models that refuse a budget", async () => {
    for (const model of [
      "claude-opus-4-6",
      "claude-opus-4-8",
      "claude-sonnet-5",
      "claude-haiku-5-5",
      "anthropic.claude-opus-5-v1:0",
    ]) {
      expect(await sent(model, 4_000)).toEqual({ type: "adaptive", display: "summarized" });
    }
  });

  it("is left out when off or when there is no room for the smallest budget", async () => {
    expect(await sent("claude-sonnet-4-5", null)).toBeUndefined();
    expect(await sent("claude-sonnet-4-5", 4_000, 1_500)).toBeUndefined();
    expect(await sent("claude-opus-4-8", null)).toBeUndefined();
  });
});

describe("what a message becomes", () => {
  const messages: Message[] = [
    user(text("go")),
    { role: "assistant", parts: [thinking("hm"), toolUse("toolu_1")] },
    user(toolResult("toolu_1", "found")),
    { role: "assistant", parts: [thinking("so"), toolUse("toolu_2")] },
    user(toolResult("toolu_2", "again")),
  ];
  const sent = async (thinking_from: number): Promise<readonly unknown[]> =>
    (await anthropicParams(request({ messages, thinking_from }), undefined)).messages;

  it("is made once, however many requests it stands in", async () => {
    const [first, second] = [await sent(0), await sent(0)];
    expect(second).toEqual(first);
    // The unmarked ones; a mark is put on a copy.
    for (const index of [0, 1, 3]) expect(second[index]).toBe(first[index]);
  });

  it("is made anew when its thinking has to be left out, and again with it", async () => {
    const whole = await sent(0);
    expect(JSON.stringify(await sent(messages.length))).not.toContain("sig+/=");
    expect(await sent(0)).toEqual(whole);
    expect(JSON.stringify(whole)).toContain("sig+/=hm");
  });

  it("of one with an image is looked up each time: its bytes may be there later", async () => {
    const withImage: Message[] = [{ role: "user", parts: [text("look"), image] }];
    const without = await anthropicParams(request({ messages: withImage }), undefined);
    const bytes = Buffer.from("png");
    const found = await anthropicParams(request({ messages: withImage }), () => Promise.resolve(bytes));
    expect(JSON.stringify(without.messages)).not.toContain("base64");
    expect(JSON.stringify(found.messages)).toContain(bytes.toString("base64"));
  });
});
