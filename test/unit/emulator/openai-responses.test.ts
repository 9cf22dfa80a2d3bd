/** The Responses API as its provider's own client sees it: whole, streamed, and refused in its words. */
import OpenAI from "openai";
import type { Response, ResponseStreamEvent } from "openai/resources/responses/responses";
import { describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import { withEmulator } from "./talk.ts";

function client(emulator: Emulator, apiKey = "sk-test-key-of-emulator"): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${emulator.url}/v1`, maxRetries: 0 });
}

const READ = {
  type: "function" as const,
  name: "read",
  description: "reads",
  strict: false,
  parameters: { type: "object", properties: { path: { type: "string" } } },
};
const ASKING = {
  model: "gpt-5",
  input: "do it",
  tools: [READ],
  reasoning: { effort: "medium" as const, summary: "auto" as const },
  include: ["reasoning.encrypted_content" as const],
  store: false,
};
const TURN = {
  think: "The file 🎉 first.",
  say: "Grüße, I will read it.",
  call: [
    { tool: "read", input: { path: "ä.txt" } },
    { tool: "read", input: { path: "b" } },
  ],
  chunk_chars: 3,
};

/** What the API said may be sent back: the types of the client forbid some kinds of items that no answer here has. */
function back(...items: readonly OpenAI.Responses.ResponseOutputItem[]): OpenAI.Responses.ResponseInputItem[] {
  return items as unknown as OpenAI.Responses.ResponseInputItem[];
}

async function refusal(ask: Promise<unknown>): Promise<unknown> {
  try {
    await ask;
  } catch (error) {
    if (error instanceof OpenAI.APIError)
      return { status: error.status as unknown, code: error.code, param: error.param, message: error.message };
    throw error;
  }
  return "accepted";
}

describe("the Responses API", () => {
  it("streams exactly the response that it gives whole", async () => {
    await withEmulator({ turns: [TURN] }, async (emulator) => {
      const whole = await client(emulator).responses.create(ASKING);
      const stream = client(emulator).responses.stream(ASKING);
      const events: ResponseStreamEvent[] = [];
      for await (const event of stream) events.push(event);
      const final = await stream.finalResponse();

      const plain = (response: Response): unknown => {
        const { output_text: _, ...rest } = JSON.parse(JSON.stringify(response)) as Record<string, unknown>;
        return rest;
      };
      const completed = events.at(-1);
      expect(completed?.type === "response.completed" && plain(completed.response)).toEqual({
        ...(plain(whole) as object),
        created_at: final.created_at,
        completed_at: final.completed_at,
      });
      expect(final.output_text).toBe("Grüße, I will read it.");
      expect(whole.output.map(({ type }) => type)).toEqual(["reasoning", "message", "function_call", "function_call"]);
      expect(whole.status).toBe("completed");
    });
  });

  it("sends the events in the provider's order, numbered from 0, each delta with its item and its place", async () => {
    await withEmulator({ turns: [{ ...TURN, call: TURN.call.slice(0, 1), chunk_chars: 1_000 }] }, async (emulator) => {
      const events: ResponseStreamEvent[] = [];
      for await (const event of client(emulator).responses.stream(ASKING)) events.push(event);
      expect(events.map(({ type }) => type)).toEqual([
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
      ]);
      expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
      expect(events.flatMap((event) => ("output_index" in event ? [event.output_index] : []))).toEqual([
        0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2,
      ]);
    });
  });

  it("goes on where reasoning, calls and outputs come back, and by the id of the response before", async () => {
    await withEmulator({ turns: [TURN, { say: "Done." }, { say: "Bye." }] }, async (emulator) => {
      const openai = client(emulator);
      const first = await openai.responses.create(ASKING);
      const outputs = first.output.flatMap((item) =>
        item.type === "function_call"
          ? [{ type: "function_call_output" as const, call_id: item.call_id, output: "text" }]
          : [],
      );
      const task = { role: "user" as const, content: "do it" };
      const second = await openai.responses.create({ ...ASKING, input: [task, ...back(...first.output), ...outputs] });
      expect(second.output_text).toBe("Done.");

      const { store: _, ...stored } = ASKING;
      const one = await openai.responses.create(stored);
      const two = await openai.responses.create({ ...stored, previous_response_id: one.id, input: outputs });
      const three = await openai.responses.create({
        ...stored,
        previous_response_id: two.id,
        input: [{ role: "user", content: "and?" }],
      });
      expect([two.output_text, three.output_text]).toEqual(["Done.", "Bye."]);
      const byReference = one.output.map(({ id }) => ({ type: "item_reference" as const, id: id ?? "" }));
      const again = await openai.responses.create({ ...stored, input: [task, ...byReference, ...outputs] });
      expect(again.output_text).toBe("Done.");
    });
  });

  it("refuses what is not paired, in the provider's words", async () => {
    await withEmulator({ turns: [TURN, { say: "never" }] }, async (emulator) => {
      const openai = client(emulator);
      const first = await openai.responses.create(ASKING);
      const task = { role: "user" as const, content: "do it" };
      const [reasoning, said, call, other] = first.output;
      if (reasoning?.type !== "reasoning" || !said || call?.type !== "function_call" || other?.type !== "function_call")
        throw new RangeError("the first answer is not as scripted");
      const output = (id: string): { type: "function_call_output"; call_id: string; output: string } => ({
        type: "function_call_output",
        call_id: id,
        output: "x",
      });
      const outputs = [output(call.call_id), output(other.call_id)];
      const ask = (input: OpenAI.Responses.ResponseInput): Promise<unknown> =>
        refusal(openai.responses.create({ ...ASKING, input }));
      const message = async (input: OpenAI.Responses.ResponseInput): Promise<unknown> => await ask(input);

      expect(await message([task, ...back(...first.output), output(call.call_id)])).toEqual({
        status: 400,
        code: null,
        param: "input",
        message: `400 No tool output found for function call ${other.call_id}.`,
      });
      expect(await message([task, output("call_none")])).toMatchObject({
        message: "400 No tool call found for function call output with call_id call_none.",
      });
      expect(await message([task, reasoning, task])).toMatchObject({
        message: `400 Item '${reasoning.id}' of type 'reasoning' was provided without its required following item.`,
      });
      expect(await message([task, call, other, ...outputs])).toMatchObject({
        message: `400 Item '${call.id}' of type 'function_call' was provided without its required 'reasoning' item: '${reasoning.id}'.`,
      });
      const changed = { ...reasoning, encrypted_content: `${reasoning.encrypted_content?.slice(0, -6)}AAAAAA` };
      expect(await message([task, changed, ...back(said), call, other, ...outputs])).toMatchObject({
        code: "invalid_encrypted_content",
        message: expect.stringContaining("could not be verified") as string,
      });
      expect(
        await message([task, { ...reasoning, id: "rs_other" }, ...back(said), call, other, ...outputs]),
      ).toMatchObject({
        message: expect.stringContaining("item_id did not match the target item id") as string,
      });
      const bare = { type: "reasoning" as const, id: reasoning.id, summary: [] };
      expect(await message([task, bare, ...back(said), call, other, ...outputs])).toMatchObject({
        status: 404,
        message: expect.stringContaining("Items are not persisted when `store` is set to false.") as string,
      });
      expect(await message([task, ...back(said, said)])).toMatchObject({
        message: expect.stringContaining(`Duplicate item found with id ${said.id}`) as string,
      });
      expect(emulator.remaining()).toEqual(["turns.1"]);
    });
  });

  it.each([
    ["no model", { input: "x" }, "missing_required_parameter", /^400 Missing required parameter: 'model'\.$/],
    ["no input", { model: "gpt-5" }, "missing_required_parameter", /must be provided/],
    [
      "an unknown field",
      { model: "gpt-5", input: "x", max_tokens: 5 },
      "unknown_parameter",
      /Unknown parameter: 'max_tokens'/,
    ],
    [
      "too few tokens",
      { model: "gpt-5", input: "x", max_output_tokens: 1 },
      "integer_below_min_value",
      />= 16, but got 1/,
    ],
    [
      "a temperature",
      { model: "gpt-5", input: "x", temperature: 0 },
      null,
      /'temperature' is not supported with this model/,
    ],
    [
      "a tool's odd name",
      { model: "gpt-5", input: "x", tools: [{ ...READ, name: "a b" }] },
      "invalid_value",
      /tools\[0\]\.name/,
    ],
    [
      "a loose strict schema",
      { model: "gpt-5", input: "x", tools: [{ ...READ, strict: true }] },
      "invalid_function_parameters",
      /'additionalProperties' is required/,
    ],
    [
      "an unknown role",
      { model: "gpt-5", input: [{ role: "tool", content: "x" }] },
      "invalid_value",
      /Invalid value: 'tool'\. Supported values are: 'assistant', 'system', 'developer', and 'user'\./,
    ],
    [
      "input that the model said",
      { model: "gpt-5", input: [{ role: "assistant", content: [{ type: "input_text", text: "x" }] }] },
      "invalid_value",
      /Supported values are: 'output_text' and 'refusal'/,
    ],
    [
      "a response that is not kept",
      { model: "gpt-5", input: "x", previous_response_id: "resp_none" },
      "previous_response_not_found",
      /Previous response with id 'resp_none' not found/,
    ],
  ])("refuses a request with %s", async (_, body, code, words) => {
    await withEmulator({ turns: [{ say: "never" }] }, async (emulator) => {
      // The client sends what its types forbid, too.
      const asked = client(emulator).post("/responses", { body });
      expect(await refusal(asked)).toMatchObject({ code, message: expect.stringMatching(words) as string });
    });
  });

  it("lets nobody in without the key, and says so in the provider's words", async () => {
    const emulator = await startEmulator({ scenario: { turns: [{ say: "x" }] }, apiKey: "sk-the-right-key" });
    expect(await refusal(client(emulator, "sk-another-wrong-key").responses.create(ASKING))).toMatchObject({
      status: 401,
      code: "invalid_api_key",
      message: expect.stringContaining("Incorrect API key provided: sk-a") as string,
    });
    const bare = await fetch(`${emulator.url}/v1/responses`, { method: "POST", body: "{}" });
    expect([bare.status, await bare.text()]).toEqual([401, expect.stringContaining("You didn't provide an API key.")]);
    await emulator.close();
  });

  it("ends incomplete where tokens or a filter end it, refuses in a part of its own, and counts what it reasoned", async () => {
    const turns = [
      { say: "half", stop: "max_tokens" as const },
      { say: "no", stop: "content_filter" as const },
      { say: "I cannot.", stop: "refusal" as const },
      TURN,
    ];
    await withEmulator({ turns, models: ["gpt-5"] }, async (emulator) => {
      const openai = client(emulator);
      const input: OpenAI.Responses.ResponseInput = [{ role: "user", content: "x" }];
      const seen: unknown[] = [];
      for (let i = 0; i < turns.length; i++) {
        const response = await openai.responses.create({ ...ASKING, input });
        seen.push([response.status, response.incomplete_details?.reason ?? null, response.output[0]?.type]);
        if (seen.length === 3)
          expect(response.output[0]).toMatchObject({ content: [{ type: "refusal", refusal: "I cannot." }] });
        if (seen.length === 4) expect(response.usage?.output_tokens_details.reasoning_tokens).toBeGreaterThan(0);
        input.push(...back(...response.output), { role: "user", content: "go on" });
      }
      expect(seen).toEqual([
        ["incomplete", "max_output_tokens", "message"],
        ["incomplete", "content_filter", "message"],
        ["completed", null, "message"],
        ["completed", null, "reasoning"],
      ]);
      expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(["gpt-5"]);
    });
  });

  it("tells its limits in durations, and an error inside a stream in each of its forms", async () => {
    const error_event = { type: "rate_limit_error", message: "slow down", after_event: 2 };
    const fault = [
      { status: 429, exhausted: "tokens" as const, reset_ms: 361_000, retry_after_ms: 12 },
      { error_event },
      { error_event: { ...error_event, form: "nested" as const } },
      { error_event: { ...error_event, form: "failed" as const } },
    ];
    await withEmulator({ turns: [{ say: "ok", fault }] }, async (emulator) => {
      const openai = client(emulator);
      const limited = await openai.responses.create(ASKING).then(
        () => null,
        (error: unknown) => error,
      );
      if (!(limited instanceof OpenAI.RateLimitError)) throw new RangeError("not limited");
      expect(
        ["x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens", "retry-after-ms"].map((name) =>
          limited.headers.get(name),
        ),
      ).toEqual(["0", "6m1s", "12"]);
      expect([limited.code, limited.requestID]).toEqual(["rate_limit_exceeded", "req_emulator_1"]);
      const last = async (): Promise<unknown> => {
        const reply = await fetch(`${emulator.url}/v1/responses`, {
          method: "POST",
          headers: { authorization: "Bearer x" },
          body: JSON.stringify({ ...ASKING, stream: true }),
        });
        const data = (await reply.text()).trim().split("\n").at(-1) ?? "";
        return JSON.parse(data.slice("data: ".length));
      };
      expect(await last()).toEqual({
        type: "error",
        sequence_number: 2,
        code: "rate_limit_exceeded",
        message: "slow down",
        param: null,
      });
      expect(await last()).toMatchObject({
        type: "error",
        error: { type: "rate_limit_error", code: "rate_limit_exceeded" },
      });
      expect(await last()).toMatchObject({
        type: "response.failed",
        response: { status: "failed", error: { code: "rate_limit_exceeded" } },
      });
    });
  });
});
