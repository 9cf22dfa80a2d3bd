/** Is the worked example of the emulator's manual true? It is played here through the real adapter. */
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import type { Message } from "../../src/kernel/content.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import type { ModelAnswer } from "../../src/model/model.ts";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { listening, request, systemClock, text, toolResult, user } from "../unit/model/samples.ts";

it("the worked example plays as its text says", async () => {
  const manual = await readFile(new URL("../../docs/emulator.md", import.meta.url), "utf8");
  const scenarioText = /^```yaml\n([\s\S]*?)^```$/m.exec(manual)?.[1] ?? "";
  const emulator = await startEmulator({ scenarioText });
  const model = createAnthropicModel({ apiKey: "key-of-the-test", baseUrl: emulator.url, clock: systemClock });
  let messages: readonly Message[] = [user(text("fix the failing test"))];
  const heard: string[] = [];
  const ask = async (): Promise<ModelAnswer> => {
    const answer = await model.call(request({ messages }), listening());
    heard.push(answer.ok ? answer.stop : answer.kind);
    return answer;
  };
  const answered = (answer: ModelAnswer, failed: boolean): void => {
    if (!answer.ok) throw new RangeError(answer.message);
    const results = answer.parts.flatMap((part) =>
      part.type === "tool_use" ? [toolResult(part.provider_id, failed ? "no such text" : "done", failed)] : [],
    );
    messages = [...messages, { role: "assistant", parts: answer.parts }, user(...results)];
  };
  try {
    answered(await ask(), false);
    for (let i = 0; i < 4; i++) await ask();
    answered(await ask(), true);
    answered(await ask(), false);
    await ask();
    expect(heard).toEqual([
      "tool_use",
      "overloaded",
      "overloaded",
      "rate_limit",
      "stream_cut",
      "tool_use",
      "tool_use",
      "end_turn",
    ]);
    expect(emulator.remaining()).toEqual([]);
  } finally {
    await emulator.close();
  }
});

it("every example answers in every dialect", async () => {
  const manual = await readFile(new URL("../../docs/emulator.md", import.meta.url), "utf8");
  const examples = [...manual.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((found) => found[1] ?? "");
  const messages = [{ role: "user", content: "do it" }];
  const headers = { authorization: "Bearer k", "anthropic-version": "2023-06-01", "content-type": "application/json" };
  const asking = {
    "/v1/messages": { model: "claude-sonnet-4-5", max_tokens: 99, messages },
    "/v1/responses": { model: "gpt-5", input: "do it" },
    "/v1/chat/completions": { model: "gpt-4.1", messages },
  };
  expect(examples.length).toBe(6);
  // That of batches has none of its own: it is played in test/unit/emulator/batches.test.ts.
  const answering = examples.filter((text) => /^(turns|generate):/m.test(text));
  expect(answering.length).toBe(5);
  for (const scenarioText of answering) {
    const emulator = await startEmulator({ scenarioText });
    try {
      for (const [path, body] of Object.entries(asking)) {
        const ask = (): Promise<number> =>
          fetch(`${emulator.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) }).then(
            async (response) => {
              await response.text();
              return response.status;
            },
            () => 0,
          );
        // Chaos may meet a request, and not the same one again and again.
        await expect.poll(ask, { timeout: 30_000 }).toBe(200);
      }
      expect(emulator.requests.every(({ play }) => play !== null)).toBe(true);
    } finally {
      await emulator.close();
    }
  }
});
