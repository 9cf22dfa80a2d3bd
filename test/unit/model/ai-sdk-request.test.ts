/** What goes back to which provider, and in which shape, when a conversation is sent to a model of the AI SDK. */
import { describe, expect, it } from "vitest";
import type { Message, ModelPart } from "../../../src/kernel/content.ts";
import type { BlobHash } from "../../../src/kernel/ids.ts";
import { callOptions } from "../../../src/model/ai-sdk/request.ts";
import { request, text, toolResult, toolUse, user } from "./samples.ts";

const origin = { from: "model" } as const;
const SIGNED = { google: { thoughtSignature: "c2lnbmF0dXJl" } };
const ASKED: readonly ModelPart[] = [
  { type: "thinking", text: "hm", signature: "", origin, opaque: { provider: "google", data: SIGNED } },
  { type: "thinking", text: "signed by another", signature: "sig", origin },
  { type: "redacted_thinking", data: "x", origin },
  { type: "text", text: "", origin, opaque: { provider: "google", data: SIGNED } },
  { type: "text", text: "  ", origin },
  { ...toolUse("call_1"), opaque: { provider: "google", data: SIGNED } },
];
const TALK: readonly Message[] = [
  user(text("read a")),
  { role: "assistant", parts: ASKED },
  user(toolResult("call_1", "no such file", true), text("go on")),
];

async function sent(provider: string, changes: Parameters<typeof request>[0] = {}): Promise<readonly unknown[]> {
  return (await callOptions(request({ messages: TALK, ...changes }), provider, undefined)).prompt;
}

describe("a conversation with a model of the AI SDK", () => {
  it("gives the provider back what it wanted back, with exactly the part it came with", async () => {
    expect((await sent("google"))[2]).toEqual({
      role: "assistant",
      content: [
        { type: "reasoning", text: "hm", providerOptions: SIGNED },
        { type: "text", text: "", providerOptions: SIGNED },
        { type: "tool-call", toolCallId: "call_1", toolName: "read", input: { path: "a" }, providerOptions: SIGNED },
      ],
    });
  });

  it("gives another provider nothing of it: neither thinking nor what belongs to it", async () => {
    expect((await sent("openrouter"))[2]).toEqual({
      role: "assistant",
      content: [{ type: "tool-call", toolCallId: "call_1", toolName: "read", input: { path: "a" } }],
    });
  });

  it("leaves out the thinking of messages before the mark", async () => {
    const [, , assistant] = await sent("google", { thinking_from: 2 });
    expect(JSON.stringify(assistant)).not.toContain('"reasoning"');
  });

  it("answers each call by the name of its tool, errors as errors, and says the rest after the results", async () => {
    expect((await sent("google")).slice(3)).toEqual([
      {
        role: "tool",
        content: [
          {
            ...{ type: "tool-result", toolCallId: "call_1", toolName: "read" },
            output: { type: "error-text", value: "no such file" },
          },
        ],
      },
      { role: "user", content: [{ type: "text", text: "go on" }] },
    ]);
  });

  it("extends the request before it", async () => {
    const all = await sent("google");
    expect(all.slice(0, 3)).toEqual(await sent("google", { messages: TALK.slice(0, 2) }));
  });

  it("shows the images of a result after it, or says that one is missing", async () => {
    const blob = "b".repeat(64) as BlobHash; // a hash by its length
    const image = { type: "image", media_type: "image/png", blob, origin: { from: "tool" } } as const;
    const messages = [
      ...TALK.slice(0, 2),
      user({ ...toolResult("call_1", "a picture:"), content: [text("a picture:"), image] }),
    ];
    const bytes = new Uint8Array([1, 2, 3]);
    const found = await callOptions(request({ messages }), "google", () => Promise.resolve(bytes));
    expect(found.prompt.slice(3)).toMatchObject([
      { role: "tool", content: [{ output: { type: "text", value: "a picture:\n[The image follows.]" } }] },
      {
        role: "user",
        content: [
          { type: "text", text: "From the result of the tool call call_1:" },
          { type: "file", mediaType: "image/png", data: { type: "data", data: bytes } },
        ],
      },
    ]);
    const lost = await callOptions(request({ messages }), "google", undefined);
    expect(JSON.stringify(lost.prompt)).toContain("An image (image/png) was here; it is not available.");
  });

  it.each([
    [null, undefined],
    [2_000, "low"],
    [16_384, "medium"],
    [60_000, "high"],
  ])("with %s tokens to think asks for %s effort", async (thinking_tokens, reasoning) => {
    expect((await callOptions(request({ thinking_tokens }), "google", undefined)).reasoning).toBe(reasoning);
  });
});
