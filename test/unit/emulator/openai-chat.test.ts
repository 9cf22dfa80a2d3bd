/** Chat Completions as its provider's own client sees it: whole, streamed, and refused in its words. */
import OpenAI from "openai";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { describe, expect, it } from "vitest";
import type { Emulator } from "../../../src/testing/emulator/emulator.ts";
import { withEmulator } from "./talk.ts";

function client(emulator: Emulator): OpenAI {
  return new OpenAI({ apiKey: "sk-test", baseURL: `${emulator.url}/v1`, maxRetries: 0 });
}

const TASK: ChatCompletionMessageParam = { role: "user", content: "do it" };
const ASKING = { model: "gpt-4.1", messages: [TASK] };
const TURN = {
  think: "The file first.",
  say: "Grüße 🎉, I will read it.",
  call: [
    { tool: "read", input: { path: "ä.txt" } },
    { tool: "read", input: { path: "b" } },
  ],
  chunk_chars: 3,
};

async function refusal(ask: Promise<unknown>): Promise<unknown> {
  try {
    await ask;
  } catch (error) {
    if (error instanceof OpenAI.APIError) return { code: error.code, param: error.param, message: error.message };
    throw error;
  }
  return "accepted";
}

describe("Chat Completions", () => {
  it("streams exactly the completion that it gives whole, with the usage that was asked for", async () => {
    await withEmulator({ turns: [TURN] }, async (emulator) => {
      const whole = await client(emulator).chat.completions.create(ASKING);
      const stream = client(emulator).chat.completions.stream({ ...ASKING, stream_options: { include_usage: true } });
      const streamed = await stream.finalChatCompletion();
      const comparable = ({ created: _, choices, ...rest }: OpenAI.ChatCompletion): unknown => ({
        ...rest,
        choices: choices.map(({ message: { annotations: _none, ...message }, ...choice }) => ({
          ...choice,
          message: {
            ...message,
            // The client's stream helper adds a field of its own to each call.
            tool_calls: message.tool_calls?.map((call) =>
              call.type === "function"
                ? { ...call, function: { name: call.function.name, arguments: call.function.arguments } }
                : call,
            ),
          },
        })),
      });
      expect(comparable(streamed)).toMatchObject({ ...(comparable(whole) as object), object: "chat.completion" });
      expect(whole.choices[0]).toMatchObject({
        finish_reason: "tool_calls",
        message: { role: "assistant", content: "Grüße 🎉, I will read it.", refusal: null },
      });
      expect(
        whole.choices[0]?.message.tool_calls?.map(
          (call) => call.type === "function" && (JSON.parse(call.function.arguments) as unknown),
        ),
      ).toEqual([{ path: "ä.txt" }, { path: "b" }]);
      expect(whole.usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(0);
    });
  });

  it("sends usage only where it is asked for, last before the end, and the end as [DONE]", async () => {
    await withEmulator({ turns: [{ say: "ok" }] }, async (emulator) => {
      const lines = async (more: object): Promise<readonly string[]> => {
        const reply = await fetch(`${emulator.url}/chat/completions`, {
          method: "POST",
          headers: { authorization: "Bearer x" },
          body: JSON.stringify({ ...ASKING, stream: true, ...more }),
        });
        return (await reply.text())
          .split("\n\n")
          .filter(Boolean)
          .map((entry) => entry.replace(/^data: /, ""));
      };
      const without = await lines({});
      const asked = await lines({ stream_options: { include_usage: true } });
      expect([without.at(-1), asked.at(-1)]).toEqual(["[DONE]", "[DONE]"]);
      expect(without.some((line) => line.includes('"usage"'))).toBe(false);
      expect(JSON.parse(asked.at(-2) ?? "")).toMatchObject({
        choices: [],
        usage: { total_tokens: expect.any(Number) as number },
      });
      expect(JSON.parse(asked[0] ?? "")).toMatchObject({
        usage: null,
        choices: [{ delta: { role: "assistant", content: "" } }],
      });
    });
  });

  it("shows its reasoning only in the field that the scenario names, as servers of that API differ", async () => {
    for (const reasoning_field of [undefined, "reasoning_content", "reasoning"] as const) {
      await withEmulator({ turns: [TURN], ...(reasoning_field && { reasoning_field }) }, async (emulator) => {
        const whole = await client(emulator).chat.completions.create(ASKING);
        let streamed = "";
        for await (const chunk of await client(emulator).chat.completions.create({ ...ASKING, stream: true })) {
          const delta: unknown = chunk.choices[0]?.delta;
          if (reasoning_field) streamed += (delta as Record<string, string | undefined>)[reasoning_field] ?? "";
        }
        const message: unknown = whole.choices[0]?.message;
        expect(JSON.stringify(message).includes("The file first.")).toBe(reasoning_field !== undefined);
        expect(streamed).toBe(reasoning_field ? "The file first." : "");
      });
    }
  });

  it("goes on at the step that the messages show, and maps every stop", async () => {
    const turns = [
      TURN,
      { say: "half", stop: "max_tokens" as const },
      { say: "I cannot.", stop: "refusal" as const },
      { say: "x", stop: "content_filter" as const },
      { say: "done" },
    ];
    await withEmulator({ turns }, async (emulator) => {
      const messages: ChatCompletionMessageParam[] = [TASK];
      const seen: unknown[] = [];
      for (let i = 0; i < turns.length; i++) {
        const { choices } = await client(emulator).chat.completions.create({ ...ASKING, messages });
        const [choice] = choices;
        if (!choice) throw new RangeError("no choice");
        seen.push([choice.finish_reason, choice.message.refusal]);
        messages.push(choice.message);
        for (const call of choice.message.tool_calls ?? [])
          messages.push({ role: "tool", tool_call_id: call.id, content: "text" });
        if (!choice.message.tool_calls) messages.push({ role: "user", content: "go on" });
      }
      expect(seen).toEqual([
        ["tool_calls", null],
        ["length", null],
        ["stop", "I cannot."],
        ["content_filter", null],
        ["stop", null],
      ]);
      expect(emulator.remaining()).toEqual([]);
    });
  });

  it("refuses what is not paired, in the provider's words", async () => {
    await withEmulator({ turns: [TURN] }, async (emulator) => {
      const openai = client(emulator);
      const { choices } = await openai.chat.completions.create(ASKING);
      const answer = choices[0]?.message;
      const [first, second] = answer?.tool_calls ?? [];
      if (!answer || !first || !second) throw new RangeError("the answer is not as scripted");
      const result: ChatCompletionMessageParam = { role: "tool", tool_call_id: first.id, content: "x" };
      const ask = (messages: ChatCompletionMessageParam[]): Promise<unknown> =>
        refusal(openai.chat.completions.create({ ...ASKING, messages }));
      expect(await ask([TASK, answer, result, TASK])).toMatchObject({
        message: `400 An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${second.id}`,
      });
      expect(await ask([TASK, result])).toMatchObject({
        param: "messages.[1].role",
        message:
          "400 Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
      });
    });
  });

  it.each([
    ["no model", { messages: [TASK] }, /you must provide a model parameter/],
    ["no messages", { model: "gpt-4.1" }, /Missing required parameter: 'messages'/],
    ["empty messages", { model: "gpt-4.1", messages: [] }, /Invalid 'messages': empty array/],
    [
      "max_tokens for a reasoning model",
      { ...ASKING, model: "gpt-5", max_tokens: 5 },
      /Use 'max_completion_tokens' instead/,
    ],
    [
      "a temperature for a reasoning model",
      { ...ASKING, model: "o3", temperature: 0.2 },
      /'temperature' does not support 0\.2/,
    ],
    [
      "options of a stream without one",
      { ...ASKING, stream_options: { include_usage: true } },
      /only allowed when 'stream' is enabled/,
    ],
    [
      "null content",
      { ...ASKING, messages: [{ role: "user", content: null }] },
      /Invalid type for 'messages\[0\]\.content'/,
    ],
  ])("refuses a request with %s", async (_, body, words) => {
    await withEmulator({ turns: [{ say: "never" }] }, async (emulator) => {
      const asked = client(emulator).post("/chat/completions", { body });
      expect(await refusal(asked)).toMatchObject({ message: expect.stringMatching(words) as string });
    });
  });

  it("refuses what does not fit the window, with the code that clients look for", async () => {
    await withEmulator({ context_tokens: 50, turns: [{ say: "x" }] }, async (emulator) => {
      const long = { ...ASKING, messages: [{ role: "user" as const, content: "word ".repeat(100) }] };
      expect(await refusal(client(emulator).chat.completions.create(long))).toMatchObject({
        code: "context_length_exceeded",
        param: "messages",
        message: expect.stringMatching(
          /maximum context length is 50 tokens\. However, your messages resulted in \d+ tokens/,
        ) as string,
      });
    });
  });
});
