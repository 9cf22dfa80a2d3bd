/** What goes into a batch is what a live call sends, but for what only a live call needs. */
import { expect, test } from "vitest";
import { anthropicParams } from "../../../src/model/anthropic/request.ts";
import { createBatchModels } from "../../../src/model/batch/batch-models.ts";
import { openaiParams } from "../../../src/model/openai/request.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";
import { asking, batchesOf, type Provider } from "./batch-samples.ts";
import { READ_TOOL, text, toolResult, toolUse, user, WRITE_TOOL } from "./samples.ts";

const NOWHERE = "http://127.0.0.1:9";
const HOUR_MARK = { type: "ephemeral", ttl: "1h" };

const turns = (provider: Provider): ReturnType<typeof asking> =>
  asking(provider, "", {
    tools: [READ_TOOL, WRITE_TOOL],
    thinking_tokens: 2_048,
    messages: [user(text("do it")), { role: "assistant", parts: [toolUse("t1")] }, user(toolResult("t1", "done"))],
  });

async function lineOf(provider: Provider): Promise<unknown> {
  const model = await batchesOf(provider, NOWHERE, manualClock());
  return JSON.parse(await model.line({ custom_id: "m1-0", request: turns(provider) }));
}

test("Anthropic: the live request without its stream, its shared prefix marked for an hour and nothing else", async () => {
  const { stream, ...live } = await anthropicParams(turns("anthropic"), undefined);
  expect(stream).toBe(true);
  const unmarked = JSON.parse(
    JSON.stringify(live, (key, value: unknown) => (key === "cache_control" ? undefined : value)),
  ) as { tools: object[]; system: object[] };
  const [first, last] = unmarked.tools;
  expect(await lineOf("anthropic")).toEqual({
    custom_id: "m1-0",
    params: {
      ...unmarked,
      tools: [first, { ...last, cache_control: HOUR_MARK }],
      system: [{ ...unmarked.system[0], cache_control: HOUR_MARK }],
    },
  });
});

test("OpenAI: the live request without its stream and without a summary for whoever watches", async () => {
  const { stream, ...live } = await openaiParams(turns("openai"), {}, undefined);
  expect([stream, live.reasoning]).toEqual([true, { effort: "low", summary: "auto" }]);
  const body = { ...live, reasoning: { effort: "low" } };
  expect(await lineOf("openai")).toEqual({ custom_id: "m1-0", method: "POST", url: "/v1/responses", body });
});

const settings = {
  clock: manualClock(),
  variables: { ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: NOWHERE, GEMINI_API_KEY: "k" },
  toolCallId: (): never => {
    throw new TypeError("no result is read here");
  },
};

test("a provider without batches has none, and one that does not exist is told", async () => {
  const models = createBatchModels(settings);
  expect(await models.of("google")).toBeNull();
  await expect(models.of("nobody")).rejects.toMatchObject({ kind: "config_invalid" });
});

test("a provider whose key is not set says so, before anything is asked", async () => {
  await expect(createBatchModels(settings).of("openai")).rejects.toMatchObject({ kind: "auth" });
});

test("a provider is opened once", async () => {
  const models = createBatchModels(settings);
  expect(await models.of("anthropic")).toBe(await models.of("anthropic"));
});

test("no line is made for a model that is not allowed", async () => {
  const allowed = [{ patterns: ["anthropic/claude-haiku-*"], from: "managed.json" }];
  const model = await createBatchModels({ ...settings, allowed }).of("anthropic");
  const asked = { custom_id: "m1-0", request: asking("anthropic", "do it") };
  await expect(model?.line(asked)).rejects.toMatchObject({ kind: "model_not_allowed" });
});
