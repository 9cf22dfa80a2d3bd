/** What belay's own clients send, and what they leave out, seen by a server. */
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createAnthropicModel } from "../../../src/model/anthropic/adapter.ts";
import type { ModelAnswer, Model } from "../../../src/model/model.ts";
import { createOpenAIModel } from "../../../src/model/openai/adapter.ts";
import { createModels } from "../../../src/model/providers.ts";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import type { TurnInput } from "../../../src/testing/emulator/scenario.ts";
import { listening, request, systemClock, text, user } from "./samples.ts";

const KEY = "key-of-the-test";

async function emulate(turn: TurnInput): Promise<Emulator> {
  const emulator = await startEmulator({ scenario: { turns: [turn] } });
  onTestFinished(() => emulator.close());
  return emulator;
}

const openai = ({ url }: Emulator): Model =>
  createOpenAIModel({ apiKey: KEY, baseUrl: `${url}/v1`, clock: systemClock });
const anthropic = ({ url }: Emulator): Model => createAnthropicModel({ apiKey: KEY, baseUrl: url, clock: systemClock });

function ask(model: Model, named = "gpt-5.5"): Promise<ModelAnswer> {
  return model.call(
    request({ model: named, messages: [user(text("go"))], thinking_tokens: 2_048, max_tokens: 8_000 }),
    listening(),
  );
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("headers", () => {
  it.each([
    ["ANTHROPIC_CUSTOM_HEADERS", anthropic],
    ["OPENAI_CUSTOM_HEADERS", openai],
  ])("of %s, which an SDK reads from the environment by itself, are not sent", async (name, make) => {
    vi.stubEnv(name, "x-from-the-environment: yes");
    const emulator = await emulate({ say: "Hello." });
    expect(await ask(make(emulator))).toMatchObject({ ok: true });
    expect(emulator.requests[0]?.headers).not.toHaveProperty("x-from-the-environment");
  });

  it("of the rate are read for a server like OpenAI's, too", async () => {
    const emulator = await emulate({ say: "Hello." });
    const models = createModels({
      variables: { OPENAI_COMPATIBLE_BASE_URL: `${emulator.url}/v1`, OPENAI_COMPATIBLE_API_KEY: KEY },
      packages: { own: "/nowhere", belay: "/nowhere", never: [] },
      clock: systemClock,
    });
    const answer = await ask(await models.of("openai-compatible"), "house-model");
    expect(answer).toMatchObject({ ok: true, rate: { requests: { remaining: expect.any(Number) as number } } });
  });
});

describe("summaries of reasoning", () => {
  const refusal = (param: string): TurnInput => ({
    say: "Hello.",
    fault: {
      status: 400,
      times: 2,
      body: {
        error: {
          message: "Your organization must be verified to generate reasoning summaries.",
          type: "invalid_request_error",
          param,
          code: "unsupported_value",
        },
      },
    },
  });
  const reasonings = (emulator: Emulator): readonly unknown[] =>
    emulator.requests.map(({ body }) => (body as { reasoning?: unknown }).reasoning); // the request of the adapter under test

  it("are left out once the account is told that it gets none, in that call and in every later one", async () => {
    const emulator = await emulate({ ...refusal("reasoning.summary"), repeat: 1 });
    const model = openai(emulator);
    // The fault is met twice: a second refusal is the call's own failure.
    expect(await ask(model)).toMatchObject({ ok: false, kind: "invalid_request" });
    expect(await ask(model)).toMatchObject({ ok: true });
    expect(reasonings(emulator)).toEqual([{ effort: "low", summary: "auto" }, { effort: "low" }, { effort: "low" }]);
  });

  it("are asked for once where something else is refused", async () => {
    const emulator = await emulate(refusal("reasoning.effort"));
    expect(await ask(openai(emulator))).toMatchObject({ ok: false, kind: "invalid_request" });
    expect(reasonings(emulator)).toHaveLength(1);
  });
});
