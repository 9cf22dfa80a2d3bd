import { describe, expect, it } from "vitest";
import { startEmulator } from "../../../src/testing/emulator/emulator.ts";
import { asking, HEADERS, message, post, TASK, withEmulator } from "./talk.ts";

const use = (id: string): object => ({
  role: "assistant",
  content: [{ type: "tool_use", id, name: "read", input: {} }],
});
const result = (id: string): object => ({
  role: "user",
  content: [{ type: "tool_result", tool_use_id: id, content: "x" }],
});
const user = { role: "user", content: "go" };
const tool = (name: string): object => ({ name, input_schema: { type: "object" } });

describe("a request that the provider would refuse", () => {
  it.each<[string, object, RegExp]>([
    ["has no max_tokens", { model: "m", messages: TASK }, /^max_tokens: Field required$/],
    ["has no model", { max_tokens: 5, messages: TASK }, /^model: Field required$/],
    ["has no messages", { model: "m", max_tokens: 5 }, /^messages: Field required$/],
    ["has an empty list of messages", asking([]), /^messages: at least one message is required$/],
    [
      "begins with the assistant",
      asking([{ role: "assistant", content: "hi" }]),
      /first message must use the "user" role/,
    ],
    [
      "has two users in a row",
      asking([user, user]),
      /roles must alternate between "user" and "assistant", but found multiple "user" roles in a row/,
    ],
    [
      "has a role of its own",
      asking([user, { role: "system", content: "x" }]),
      /messages\.1\.role: Input should be 'user' or 'assistant'/,
    ],
    [
      "has a call without result",
      asking([user, use("toolu_7"), user]),
      /^messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_7\. Each `tool_use` block must have a corresponding `tool_result` block in the next message\.$/,
    ],
    [
      "ends with a call",
      asking([user, use("toolu_7")]),
      /^messages\.1: `tool_use` ids were found without `tool_result` blocks/,
    ],
    [
      "has a result without call",
      asking([user, { role: "assistant", content: "x" }, result("toolu_8")]),
      /^messages\.2\.content\.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_8\./,
    ],
    ["has a result first", asking([result("toolu_8")]), /^messages\.0\.content\.0: unexpected `tool_use_id`/],
    [
      "has empty content",
      asking([{ role: "user", content: [] }]),
      /messages\.0: all messages must have non-empty content/,
    ],
    ["has empty text", asking([{ role: "user", content: "" }]), /text content blocks must be non-empty/],
    [
      "has blank text",
      asking([{ role: "user", content: " \n" }]),
      /text content blocks must contain non-whitespace text/,
    ],
    [
      "ends with white space of the assistant",
      asking([user, { role: "assistant", content: "half a " }]),
      /cannot end with trailing whitespace/,
    ],
    ["has a tool twice", asking(TASK, { tools: [tool("read"), tool("read")] }), /Tool names must be unique/],
    [
      "has a tool with a bad name",
      asking(TASK, { tools: [tool("re ad")] }),
      /tools\.0\.custom\.name: String should match pattern/,
    ],
    [
      "has five cache marks",
      asking(TASK, {
        system: Array.from({ length: 5 }, () => ({ type: "text", text: "x", cache_control: { type: "ephemeral" } })),
      }),
      /A maximum of 4 blocks with cache_control may be provided\. Found 5\./,
    ],
    [
      "has thinking that was changed",
      asking([
        user,
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "a", signature: "b" },
            { type: "text", text: "x" },
          ],
        },
        user,
      ]),
      /^messages\.1\.content\.0: Invalid `signature` in `thinking` block$/,
    ],
    [
      "has a thinking budget that is too small",
      asking(TASK, { thinking: { type: "enabled", budget_tokens: 100 } }),
      /budget_tokens: Input should be greater than or equal to 1024/,
    ],
    [
      "has a thinking budget above max_tokens",
      asking(TASK, { thinking: { type: "enabled", budget_tokens: 2_000 } }),
      /`max_tokens` must be greater than `thinking.budget_tokens`/,
    ],
    [
      "has a thinking budget for a model that takes none",
      asking(TASK, { model: "claude-opus-4-8", thinking: { type: "enabled", budget_tokens: 2_000 } }),
      /"thinking.type.enabled" is not supported for this model/,
    ],
    ["has a temperature", asking(TASK, { temperature: 1 }), /^temperature: Extra inputs are not permitted$/],
  ])("%s", async (_, body, words) => {
    await withEmulator({ turns: [{ say: "never" }] }, async (emulator) => {
      const reply = await post(emulator, body);
      expect([reply.status, (reply.json()["error"] as { type: string }).type]).toEqual([400, "invalid_request_error"]);
      expect(message(reply)).toMatch(words);
      expect(emulator.remaining()).toEqual(["turns.0"]);
    });
  });

  it("has no key, or another, or no version", async () => {
    const emulator = await startEmulator({ scenario: { turns: [{ say: "x" }] }, apiKey: "the-key" });
    const { "x-api-key": _, ...keyless } = HEADERS;
    const answers = [
      await post(emulator, asking(), keyless),
      await post(emulator, asking(), { ...HEADERS, "x-api-key": "other" }),
      await post(emulator, asking(), { "x-api-key": "the-key" }),
      await post(emulator, asking(), { ...keyless, authorization: "Bearer the-key" }),
    ];
    expect(answers.map((reply) => [reply.status, message(reply)])).toEqual([
      [401, "x-api-key header is required"],
      [401, "invalid x-api-key"],
      [400, "anthropic-version: header is required"],
      [200, undefined],
    ]);
    await emulator.close();
  });

  it("is no JSON, or goes to an address that is none", async () => {
    await withEmulator({}, async (emulator) => {
      expect((await post(emulator, "{")).status).toBe(400);
      expect((await post(emulator, {}, HEADERS, "/v1/complete")).status).toBe(404);
    });
  });

  it("does not fit the context window, with or without its answer", async () => {
    await withEmulator({ context_tokens: 200, turns: [{ say: "x" }] }, async (emulator) => {
      const long = await post(emulator, asking([{ role: "user", content: "word ".repeat(400) }]));
      expect(message(long)).toMatch(/^prompt is too long: \d+ tokens > 200 maximum$/);
      const both = await post(emulator, asking(TASK, { max_tokens: 190 }));
      expect(message(both)).toMatch(
        /^input length and `max_tokens` exceed context limit: \d+ \+ 190 > 200, decrease input length or `max_tokens` and try again$/,
      );
      expect((await post(emulator, asking(TASK))).status).toBe(200);
    });
  });

  it("is larger than the provider takes", async () => {
    await withEmulator({}, async (emulator) => {
      expect(await post(emulator, " ".repeat(33 * 1024 * 1024))).toMatchObject({ status: 413 });
    });
  });
});
