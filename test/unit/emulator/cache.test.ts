/** The prompt cache by a manual clock: what is read and what is written, to the token, in each provider's way. */
import { describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import { minTokens } from "../../../src/testing/emulator/cache/marked.ts";
import type { RecordedPrompt } from "../../../src/testing/emulator/request-log.ts";
import type { ScenarioInput } from "../../../src/testing/emulator/scenario.ts";
import { type ManualClock, manualClock } from "../../../src/testing/manual-clock.ts";
import { asking, HEADERS, message, post } from "./talk.ts";

const MINUTE = 60_000;
const BIG = "word ".repeat(1_200);
const SYSTEM = { type: "text", text: BIG };
const mark = (ttl?: "5m" | "1h"): object => ({ cache_control: { type: "ephemeral", ...(ttl && { ttl }) } });
const user = (text: string, more: object = {}): object => ({
  role: "user",
  content: [{ type: "text", text, ...more }],
});
const ENDLESS: ScenarioInput = { turns: [{ say: "ok", repeat: 2_000 }] };

interface World {
  readonly emulator: Emulator;
  readonly clock: ManualClock;
  /** @returns what the emulator says of the request's prompt. */
  ask(body: object, headers?: Record<string, string>): Promise<RecordedPrompt>;
}

async function world(use: (world: World) => Promise<void>, scenario = ENDLESS, path = "/v1/messages"): Promise<void> {
  const clock = manualClock();
  const emulator = await startEmulator({ scenario, clock });
  try {
    const ask = async (body: object, headers: Record<string, string> = HEADERS): Promise<RecordedPrompt> => {
      const reply = await post(emulator, body, headers, path);
      if (reply.status !== 200) throw new RangeError(reply.text);
      const prompt = emulator.requests.at(-1)?.play?.prompt;
      if (!prompt) throw new RangeError("the request was not played");
      expect(prompt.uncached + prompt.read + prompt.written_5m + prompt.written_1h).toBe(prompt.total);
      return prompt;
    };
    await use({ emulator, clock, ask });
  } finally {
    await emulator.close();
  }
}

describe("the cache by marks", () => {
  it("finds a prefix again only where every byte before the mark is equal", async () => {
    await world(async ({ ask }) => {
      const tools = [{ name: "read", input_schema: { type: "object" } }];
      const first = await ask(asking([user("a")], { tools, system: [{ ...SYSTEM, ...mark() }] }));
      expect([first.read, first.written_5m > 1_024, first.uncached]).toEqual([0, true, expect.any(Number)]);
      const same = await ask(asking([user("b")], { tools, system: [{ ...SYSTEM, ...mark() }] }));
      expect([same.read, same.written_5m]).toEqual([first.written_5m, 0]);
      const space = await ask(asking([user("b")], { tools, system: [{ ...SYSTEM, text: `${BIG} `, ...mark() }] }));
      expect(space.read).toBe(0);
      const otherTools = [{ ...tools[0], description: "x" }];
      expect((await ask(asking([user("b")], { tools: otherTools, system: [{ ...SYSTEM, ...mark() }] }))).read).toBe(0);
      const otherModel = asking([user("b")], { tools, system: [{ ...SYSTEM, ...mark() }], model: "claude-opus-4-1" });
      expect((await ask(otherModel)).read).toBe(0);
      const another = { ...HEADERS, "x-api-key": "another-workspace" };
      expect((await ask(asking([user("b")], { tools, system: [{ ...SYSTEM, ...mark() }] }), another)).read).toBe(0);
    });
  });

  it("writes only at marks: what stands before one is not found by itself", async () => {
    await world(async ({ ask }) => {
      await ask(asking([user(BIG), { role: "assistant", content: "ok" }, user("end", mark())]));
      expect((await ask(asking([user(BIG, mark()), { role: "assistant", content: "ok" }, user("other")]))).read).toBe(
        0,
      );
    });
  });

  it("looks back over twenty blocks from a mark, and no further", async () => {
    for (const [added, found] of [
      [19, true],
      [20, false],
    ] as const) {
      await world(async ({ ask }) => {
        const content = (count: number): object[] => [
          { type: "text", text: BIG, ...(count === 0 && mark()) },
          ...Array.from({ length: count }, (_, i) => ({
            type: "text",
            text: `part ${i}`,
            ...(i === count - 1 && mark()),
          })),
        ];
        const first = await ask(asking([{ role: "user", content: content(0) }]));
        const next = await ask(asking([{ role: "user", content: content(added) }]));
        expect(next.read).toBe(found ? first.written_5m : 0);
      });
    }
  });

  it("forgets after five minutes or an hour, counted from the last use", async () => {
    await world(async ({ ask, clock }) => {
      const five = asking([user("a")], { system: [{ ...SYSTEM, ...mark() }] });
      const hour = asking([user("a")], { system: [{ ...SYSTEM, text: `hour ${BIG}`, ...mark("1h") }] });
      await ask(five);
      expect(await ask(hour)).toMatchObject({ written_5m: 0, written_1h: expect.any(Number) as number });
      await clock.advance(4 * MINUTE);
      expect((await ask(five)).read).toBeGreaterThan(0);
      await clock.advance(4 * MINUTE);
      expect((await ask(five)).read).toBeGreaterThan(0);
      await clock.advance(5 * MINUTE);
      expect((await ask(five)).read).toBe(0);
      await clock.advance(46 * MINUTE);
      expect((await ask(hour)).read).toBeGreaterThan(0);
      await clock.advance(60 * MINUTE);
      expect((await ask(hour)).read).toBe(0);
    });
  });

  it("tells the hour's tokens from those of five minutes, and a scenario can move the clock", async () => {
    const scenario = {
      turns: [
        { say: "a", repeat: 2 },
        { say: "b", after_ms: 6 * MINUTE },
      ],
    };
    await world(async ({ ask, emulator }) => {
      const system = [{ ...SYSTEM, ...mark("1h") }];
      const one = [user(BIG, mark())];
      const two = [...one, { role: "assistant", content: "a" }, user("next")];
      const three = [...two, { role: "assistant", content: "a" }, user("later")];
      const first = await ask(asking(one, { system }));
      expect([first.written_1h > 1_024, first.written_5m > 1_024, first.uncached]).toEqual([true, true, 0]);
      const second = await ask(asking(two, { system }));
      expect(second.read).toBe(first.written_1h + first.written_5m);
      const third = await ask(asking(three, { system }));
      expect([third.read, third.written_5m]).toEqual([first.written_1h, first.written_5m]);
      const usage = (await post(emulator, asking(one, { system }))).json()["usage"];
      expect(usage).toMatchObject({
        input_tokens: 0,
        cache_read_input_tokens: first.written_1h + first.written_5m,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      });
    }, scenario);
  });

  it("caches nothing below the least that the model caches", async () => {
    expect(
      [
        "claude-opus-5",
        "claude-sonnet-4-5",
        "claude-opus-4-7",
        "claude-opus-4-6",
        "claude-haiku-4-5",
        "claude-3-5-haiku-latest",
      ].map(minTokens),
    ).toEqual([512, 1_024, 2_048, 4_096, 4_096, 2_048]);
    await world(async ({ ask }) => {
      const body = (model: string): object => asking([user("a")], { model, system: [{ ...SYSTEM, ...mark() }] });
      expect((await ask(body("claude-haiku-4-5"))).written_5m).toBe(0);
      expect((await ask(body("claude-sonnet-4-5"))).written_5m).toBeGreaterThan(1_024);
    });
  });

  it("has written nothing where the request failed before its answer began", async () => {
    const scenario = { turns: [{ say: "ok", fault: [{ status: 529 }, { cut_after_event: 1 }] }] };
    await world(async ({ ask, emulator }) => {
      const body = asking([user("a")], { system: [{ ...SYSTEM, ...mark() }] });
      expect((await post(emulator, body)).status).toBe(529);
      await expect(post(emulator, { ...body, stream: true })).rejects.toThrow();
      expect(emulator.requests.map(({ play }) => (play?.prompt.written_5m ?? 0) > 0)).toEqual([true, true]);
      expect((await ask(body)).read).toBeGreaterThan(0);
    }, scenario);
  });

  it("refuses an hour behind five minutes, and marks where none may stand", async () => {
    await world(async ({ emulator }) => {
      const order = asking([user("a", mark("1h"))], { system: [{ ...SYSTEM, ...mark() }] });
      expect(message(await post(emulator, order))).toBe(
        "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
      );
      const empty = asking([user("a")], { system: [{ type: "text", text: "", ...mark() }] });
      expect(message(await post(emulator, empty))).toBe("system.0: cache_control cannot be set for empty text blocks");
    });
  });

  it("marks the last block by itself where the request asks for that", async () => {
    await world(async ({ ask }) => {
      const first = await ask(asking([user(BIG)], mark()));
      const second = await ask(asking([user(BIG), { role: "assistant", content: "ok" }, user("b")], mark()));
      expect([first.uncached, second.read]).toEqual([0, first.written_5m]);
    });
  });
});

describe("the cache by itself", () => {
  const KEY = { authorization: "Bearer sk-test", "content-type": "application/json" };
  const responses = (input: string, more: object = {}): object => ({
    model: "gpt-5",
    instructions: BIG,
    input,
    ...more,
  });

  it("reads the longest prefix in steps of 128 tokens from 1,024 on, and says so in the usage", async () => {
    await world(
      async ({ ask, emulator }) => {
        const first = await ask(responses("a"), KEY);
        expect([first.read, first.written_5m % 128, first.written_5m >= 1_024]).toEqual([0, 0, true]);
        const second = await ask(responses("b, and more than before"), KEY);
        expect(second.read).toBe(first.written_5m);
        const usage = (await post(emulator, responses("c"), KEY, "/v1/responses")).json()["usage"];
        expect(usage).toMatchObject({ input_tokens_details: { cached_tokens: second.read } });
        expect((await ask({ model: "gpt-5", input: "short" }, KEY)).written_5m).toBe(0);
        expect((await ask(responses("a", { instructions: `!${BIG}` }), KEY)).read).toBe(0);
        const half = await ask(responses("a", { instructions: `${BIG.slice(0, 5_000)}!${BIG}` }), KEY);
        expect(half.read).toBe(Math.floor(5_000 / 512) * 128);
      },
      ENDLESS,
      "/v1/responses",
    );
  });

  it("keeps for minutes, for a day where that is asked, and apart for each key", async () => {
    await world(
      async ({ ask, clock }) => {
        await ask(responses("a"), KEY);
        const day = responses("a", { prompt_cache_retention: "24h", prompt_cache_key: "k" });
        await ask(day, KEY);
        expect((await ask(responses("a", { prompt_cache_key: "other" }), KEY)).read).toBe(0);
        await clock.advance(10 * MINUTE);
        expect((await ask(responses("a"), KEY)).read).toBe(0);
        expect((await ask(day, KEY)).read).toBeGreaterThan(0);
        await clock.advance(24 * 60 * MINUTE);
        expect((await ask(day, KEY)).read).toBe(0);
      },
      ENDLESS,
      "/v1/responses",
    );
  });

  it("counts a chat's prompt in the same way", async () => {
    await world(
      async ({ ask, emulator }) => {
        const chat = (...more: object[]): object => ({
          model: "gpt-4.1",
          messages: [{ role: "system", content: BIG }, { role: "user", content: "a" }, ...more],
        });
        const first = await ask(chat(), KEY);
        const body = chat({ role: "assistant", content: "ok" }, { role: "user", content: "b" });
        const usage = (await post(emulator, body, KEY, "/v1/chat/completions")).json()["usage"];
        expect(usage).toMatchObject({ prompt_tokens_details: { cached_tokens: first.written_5m } });
      },
      ENDLESS,
      "/v1/chat/completions",
    );
  });
});

describe("what a prompt kept of the one before", () => {
  it("is all where it only grew, and says which block broke it", async () => {
    await world(async ({ ask }) => {
      const system = [SYSTEM];
      const history = [user("a"), { role: "assistant", content: "one" }];
      expect(await ask(asking([user("a")], { system }))).toMatchObject({ share_kept: null, broke_at: null });
      expect(await ask(asking([...history, user("b")], { system }))).toMatchObject({ share_kept: 1, broke_at: null });
      const rewritten = [user("a"), { role: "assistant", content: "changed" }, user("b")];
      const broken = await ask(asking(rewritten, { system }));
      expect(broken.broke_at).toBe("messages.1.content.0");
      expect(broken.share_kept).toBeGreaterThan(0.9);
      const early = await ask(asking(rewritten, { system: [{ type: "text", text: `now: 12:00 ${BIG}` }] }));
      expect(early).toMatchObject({ share_kept: 0, broke_at: "system.0" });
    });
  });

  it("is compared within one conversation, which a client may name", async () => {
    await world(async ({ emulator, ask }) => {
      const named = (name: string): Record<string, string> => ({ ...HEADERS, "x-emulator-conversation": name });
      await ask(asking([user("a")]), named("one"));
      expect((await ask(asking([user("a")]), named("two"))).share_kept).toBeNull();
      expect((await ask(asking([user("a")]), named("one"))).share_kept).toBe(1);
      expect(new Set(emulator.requests.map(({ play }) => play?.conversation)).size).toBe(2);
    });
  });
});
