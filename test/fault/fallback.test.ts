/** Another provider's model takes over in the middle of a conversation with thinking and tools: over HTTP, through both SDKs. */
import { expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/host/system-clock.ts";
import { NO_FALLBACK } from "../../src/kernel/model-policy.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import type { Model, Models } from "../../src/model/model.ts";
import { createOpenAIModel } from "../../src/model/openai/adapter.ts";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { testHost } from "../support/host.ts";
import { eventsOf, start, testPlace } from "../support/session.ts";

it("history of one provider is taken by the other: no thinking, tool calls and results in pairs", async () => {
  const emulator = await startEmulator({
    scenario: {
      outages: [{ model: "claude-sonnet-4-5", from_request: 2, to_request: 4, status: 529 }],
      turns: [
        { think: "I look first.", say: "Let me look.", call: [{ tool: "glob", input: { pattern: "*" } }] },
        { think: "And now?", call: [{ tool: "read", input: { path: "log.txt" } }] },
        { say: "Done." },
      ],
    },
  });
  onTestFinished(() => emulator.close());
  const key = { apiKey: "test-key", clock: systemClock };
  const byName: { readonly [provider: string]: Model } = {
    anthropic: createAnthropicModel({ ...key, baseUrl: emulator.url }),
    openai: createOpenAIModel({ ...key, baseUrl: `${emulator.url}/v1` }),
  };
  const models: Models = {
    of: (provider) => {
      const model = byName[provider];
      return model === undefined ? Promise.reject(new RangeError(provider)) : Promise.resolve(model);
    },
  };
  const place = testPlace();
  const [first] = Object.values(byName);
  if (first === undefined) throw new Error("there are two");
  const host = { ...(await testHost({ home: place.home, model: first })), models, random: () => 0 };
  const fallback = [{ provider: "openai", model: "gpt-5" }];
  const live = await start(host, place, { thinking_tokens: 2_048, models: { ...NO_FALLBACK, fallback } });
  const report = await live.done;
  expect(report, JSON.stringify(report.error)).toMatchObject({ outcome: "completed", turns: 3 });

  const asked = emulator.requests.map(({ body }) => (body as { readonly model?: string }).model); // both APIs name it so
  expect(asked).toEqual([...Array<string>(4).fill("claude-sonnet-4-5"), "gpt-5", "gpt-5"]);
  // What the other one thought is not sent, and nothing of its signatures.
  const taken = JSON.stringify(emulator.requests[4]?.body);
  expect(taken).not.toContain("I look first.");
  expect(taken).toContain("Let me look.");
  const switched = (await eventsOf(host, live.session)).find((event) => event.kind === "ModelSwitched");
  expect(switched?.data).toMatchObject({ to: fallback[0], kind: "overloaded" });
});
