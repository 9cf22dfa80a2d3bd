import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startEmulator } from "../../../src/testing/emulator/emulator.ts";
import { asking, HEADERS, message, post, TASK, withEmulator } from "./talk.ts";

const CALL = { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "read", input: {} }] };
const RESULT = { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "the file" }] };

describe("the emulator", () => {
  it("answers a turn as one message, with ids, usage and rate headers", async () => {
    await withEmulator(
      { turns: [{ say: "Reading.", call: [{ tool: "read", input: { path: "a" } }] }] },
      async (emulator) => {
        const reply = await post(emulator, asking());
        expect(reply.status).toBe(200);
        expect(reply.headers.get("request-id")).toBe("req_emulator_1");
        expect(reply.headers.get("anthropic-ratelimit-requests-remaining")).toBe("3999");
        expect(Date.parse(reply.headers.get("anthropic-ratelimit-requests-reset") ?? "")).not.toBeNaN();
        expect(reply.json()).toMatchObject({
          id: expect.stringMatching(/^msg_/) as string,
          type: "message",
          role: "assistant",
          model: "claude-sonnet-4-5",
          content: [
            { type: "text", text: "Reading." },
            { type: "tool_use", id: expect.stringMatching(/^toolu_/) as string, name: "read", input: { path: "a" } },
          ],
          stop_reason: "tool_use",
          usage: { cache_read_input_tokens: 0, output_tokens: expect.any(Number) as number },
        });
      },
    );
  });

  it("streams the same turn in chunks that never cut a character", async () => {
    await withEmulator({ turns: [{ say: "Grüße 🎉🎉🎉 日本語", chunk_chars: 2 }] }, async (emulator) => {
      const { text, headers } = await post(emulator, asking(TASK, { stream: true }));
      expect(headers.get("content-type")).toContain("text/event-stream");
      const names = [...text.matchAll(/^event: (.*)$/gm)].map((line) => line[1]);
      expect([names[0], names[1], names.at(-2), names.at(-1)]).toEqual([
        "message_start",
        "ping",
        "message_delta",
        "message_stop",
      ]);
      const chunks = [...text.matchAll(/"text_delta","text":"([^"]*)"/g)].map((found) => found[1] ?? "");
      expect(chunks.join("")).toBe("Grüße 🎉🎉🎉 日本語");
      expect(chunks.every((chunk) => [...chunk].length <= 2 && !chunk.includes("�"))).toBe(true);
    });
  });

  it("goes on at the step that the request shows, whoever asks, however often", async () => {
    await withEmulator(
      { turns: [{ call: [{ tool: "read", input: {} }] }, { say: "second" }, { say: "third" }] },
      async (emulator) => {
        const answer = async (messages: readonly unknown[]): Promise<unknown> =>
          (await post(emulator, asking(messages))).json()["content"];
        const second = [...TASK, CALL, RESULT];
        const third = [...second, { role: "assistant", content: "second" }, { role: "user", content: "go on" }];
        expect(await answer(third)).toMatchObject([{ text: "third" }]);
        expect(await answer(second)).toMatchObject([{ text: "second" }]);
        expect(await answer(second)).toMatchObject([{ text: "second" }]);
        expect(emulator.remaining()).toEqual(["turns.0"]);
      },
    );
  });

  it("plays two conversations at once, each at its own step and with its own faults", async () => {
    await withEmulator({ turns: [{ say: "one", fault: { status: 529 } }, { say: "two" }] }, async (emulator) => {
      const ask = async (task: string, step: number): Promise<number | unknown> => {
        const history =
          step === 0
            ? []
            : [
                { role: "assistant", content: "one" },
                { role: "user", content: "next" },
              ];
        const reply = await post(emulator, asking([{ role: "user", content: task }, ...history]));
        return reply.status === 200 ? (reply.json()["content"] as { text: string }[])[0]?.text : reply.status;
      };
      expect(await Promise.all([ask("a", 0), ask("b", 0)])).toEqual([529, 529]);
      expect(await Promise.all([ask("a", 0), ask("b", 0)])).toEqual(["one", "one"]);
      expect(await Promise.all([ask("b", 1), ask("a", 1)])).toEqual(["two", "two"]);
    });
  });

  it("gives conversations turns of their own by their task", async () => {
    const scenario = {
      turns: [{ say: "for all others" }],
      conversations: [{ task_contains: "tests", turns: [{ say: "for the tester" }] }],
    };
    await withEmulator(scenario, async (emulator) => {
      const said = async (task: string): Promise<unknown> =>
        (await post(emulator, asking([{ role: "user", content: task }]))).json()["content"];
      expect(await said("write tests")).toMatchObject([{ text: "for the tester" }]);
      expect(await said("write docs")).toMatchObject([{ text: "for all others" }]);
      expect(emulator.remaining()).toEqual([]);
    });
  });

  it("answers conditional turns outside the order, and keeps a step's answer on a retry", async () => {
    const scenario = {
      turns: [
        { call: [{ tool: "read" }] },
        { say: "It worked." },
        { say: "It failed; trying again.", match: { tool_result_is_error: true, tool_result_contains: "ENOENT" } },
      ],
    };
    await withEmulator(scenario, async (emulator) => {
      const failed = {
        role: "user",
        content: [
          {
            type: "tool_result",
            tool_use_id: "toolu_1",
            is_error: true,
            content: [{ type: "text", text: "ENOENT: a" }],
          },
        ],
      };
      const said = async (...messages: unknown[]): Promise<unknown> =>
        (await post(emulator, asking([...TASK, ...messages]))).json()["content"];
      expect(await said()).toMatchObject([{ type: "tool_use" }]);
      expect(await said(CALL, failed)).toMatchObject([{ text: "It failed; trying again." }]);
      expect(await said(CALL, failed)).toMatchObject([{ text: "It failed; trying again." }]);
      expect(
        await said(CALL, failed, { role: "assistant", content: "hm" }, { role: "user", content: "and?" }),
      ).toMatchObject([{ text: "It worked." }]);
      expect(emulator.remaining()).toEqual([]);
    });
  });

  it("repeats a turn, and one that is repeated more than a thousand times answers for ever", async () => {
    const history = (length: number): unknown[] =>
      Array.from({ length }, (_, i) => [
        { role: "assistant", content: `a${i}` },
        { role: "user", content: "more" },
      ]).flat();
    await withEmulator({ turns: [{ say: "x", repeat: 2 }] }, async (emulator) => {
      expect((await post(emulator, asking(TASK))).status).toBe(200);
      expect(emulator.remaining()).toEqual(["turns.0 (2 of 2)"]);
      expect((await post(emulator, asking([...TASK, ...history(1)]))).status).toBe(200);
      expect(emulator.remaining()).toEqual([]);
    });
    await withEmulator({ turns: [{ say: "first" }, { say: "again", repeat: 1_000_000 }] }, async (emulator) => {
      expect((await post(emulator, asking([...TASK, ...history(60)]))).json()["content"]).toMatchObject([
        { text: "again" },
      ]);
    });
  });

  it("refuses loudly what is past the end of the script", async () => {
    await withEmulator({ turns: [{ say: "only" }] }, async (emulator) => {
      const reply = await post(
        emulator,
        asking([...TASK, { role: "assistant", content: "only" }, { role: "user", content: "and then?" }]),
      );
      expect(reply.status).toBe(400);
      expect(message(reply)).toContain("asked for step 2, and its script has 1 turn(s)");
      expect(message(reply)).toContain("and then?");
    });
  });

  it("meets a fault as often as told, then answers", async () => {
    await withEmulator(
      {
        turns: [
          {
            say: "ok",
            fault: [
              { status: 529, times: 2 },
              { status: 429, retry_after: 3 },
            ],
          },
        ],
      },
      async (emulator) => {
        const replies = [];
        for (let i = 0; i < 4; i++) replies.push(await post(emulator, asking()));
        expect(replies.map(({ status }) => status)).toEqual([529, 529, 429, 200]);
        expect(replies[2]?.headers.get("retry-after")).toBe("3");
        expect(replies[0]?.json()).toMatchObject({
          type: "error",
          error: { type: "overloaded_error", message: "Overloaded" },
          request_id: "req_emulator_1",
        });
        expect(emulator.remaining()).toEqual([]);
      },
    );
  });

  it("names the faults that nobody met", async () => {
    await withEmulator({ turns: [{ say: "ok", fault: [{ status: 529 }, { reset: true }] }] }, async (emulator) => {
      await post(emulator, asking());
      expect(emulator.remaining()).toEqual(["turns.0", "turns.0.fault"]);
    });
  });

  it("counts tokens and lists models", async () => {
    await withEmulator({ models: ["claude-a", "claude-b"] }, async (emulator) => {
      const counted = await post(emulator, { model: "claude-a", messages: TASK }, HEADERS, "/v1/messages/count_tokens");
      expect(counted.json()).toEqual({ input_tokens: expect.any(Number) as number });
      const models = await fetch(`${emulator.url}/v1/models`, { headers: HEADERS });
      expect(await models.json()).toMatchObject({
        data: [{ type: "model", id: "claude-a" }, { id: "claude-b" }],
        has_more: false,
      });
    });
  });

  it("keeps what it was asked, with keys masked", async () => {
    await withEmulator({ turns: [{ say: "ok" }] }, async (emulator) => {
      await post(emulator, asking(), {
        ...HEADERS,
        "x-api-key": "sk-ant-very-secret",
        authorization: "Bearer other-secret",
      });
      await post(emulator, "not json");
      const [first, second] = emulator.requests;
      expect(first).toMatchObject({
        method: "POST",
        path: "/v1/messages",
        body: asking(),
        headers: { "x-api-key": "***cret", authorization: "***cret" },
      });
      expect(second?.body).toBe("not json");
      expect((second?.at ?? 0) >= (first?.at ?? Infinity)).toBe(true);
    });
  });

  it("reads its scenario from a file, and says which file is not to be read", async () => {
    const directory = await mkdtemp(join(tmpdir(), "belay-emulator-"));
    try {
      const file = join(directory, "scenario.yaml");
      await writeFile(file, "turns:\n  - say: from the file\n");
      const emulator = await startEmulator({ scenarioFile: file });
      expect((await post(emulator, asking())).json()["content"]).toMatchObject([{ text: "from the file" }]);
      await emulator.close();
      await expect(startEmulator({ scenarioFile: join(directory, "none.yaml") })).rejects.toThrow("cannot be read");
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("says so when its port is taken", async () => {
    await withEmulator({}, async (emulator) => {
      await expect(startEmulator({ port: Number(new URL(emulator.url).port) })).rejects.toMatchObject({
        kind: "usage",
      });
    });
  });

  it("breaks the connection where it is cut, and ends it in order where only the stop is missing", async () => {
    const fault = [
      { cut_after_event: 3 },
      { cut_in_json: true as const },
      { reset: true as const },
      { missing_stop: true as const },
    ];
    await withEmulator({ turns: [{ call: [{ tool: "read", input: { path: "a.txt" } }], fault }] }, async (emulator) => {
      const streamed = asking(TASK, { stream: true });
      for (let i = 0; i < 3; i++) await expect(post(emulator, streamed)).rejects.toThrow();
      const { text } = await post(emulator, streamed);
      expect(text).toContain("event: message_delta");
      expect(text).not.toContain("event: message_stop");
      expect((await post(emulator, streamed)).text).toContain("event: message_stop");
    });
  });

  it("closes at once in the middle of a silence", async () => {
    const emulator = await startEmulator({
      scenario: { turns: [{ say: "x", ping_ms: 1, fault: { silence_after_event: 1 } }] },
    });
    const response = await fetch(`${emulator.url}/v1/messages`, {
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify(asking(TASK, { stream: true })),
    });
    const reader = response.body?.getReader();
    await reader?.read();
    await emulator.close();
    const drained = async (): Promise<void> => {
      while (!(await reader?.read())?.done);
    };
    await expect(drained()).rejects.toThrow();
    await expect(fetch(`${emulator.url}/v1/models`)).rejects.toThrow();
  });

  it("says the usage that a turn tells it to", async () => {
    const usage = {
      input_tokens: 11,
      output_tokens: 22,
      cache_read_input_tokens: 33,
      cache_creation_input_tokens: 44,
      ephemeral_1h_input_tokens: 40,
    };
    await withEmulator({ turns: [{ say: "x", usage }] }, async (emulator) => {
      expect((await post(emulator, asking())).json()["usage"]).toMatchObject({
        input_tokens: 11,
        output_tokens: 22,
        cache_read_input_tokens: 33,
        cache_creation_input_tokens: 44,
        cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 40 },
      });
    });
  });
});
