/** Is the worked example of the emulator's manual true? It is played here through the real adapter. */
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import type { Message } from "../../src/kernel/content.ts";
import { createAnthropicModel } from "../../src/model/anthropic.ts";
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
