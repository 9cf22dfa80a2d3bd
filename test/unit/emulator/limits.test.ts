import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import { createBucket } from "../../../src/testing/emulator/limits/bucket.ts";
import type { LimitsInput } from "../../../src/testing/emulator/limits/limits.ts";
import type { ScenarioInput } from "../../../src/testing/emulator/scenario.ts";
import { type ManualClock, manualClock } from "../../../src/testing/manual-clock.ts";
import { fc } from "../../support/property.ts";
import { asking, HEADERS, message, post, type Reply } from "./talk.ts";

const ENDLESS: ScenarioInput = { turns: [{ say: "Done.", repeat: 1_000_000 }] };
const MODEL = "claude-sonnet-4-5";
const CHAT = "/v1/chat/completions";
const OPENAI = { authorization: "Bearer sk-one", "content-type": "application/json" };

interface World {
  readonly emulator: Emulator;
  readonly clock: ManualClock;
  readonly ask: (content: string, more?: object, headers?: Record<string, string>) => Promise<Reply>;
  readonly chat: (content: string, more?: object) => Promise<Reply>;
}

async function limited<T>(limits: LimitsInput, use: (world: World) => Promise<T>, scenario = ENDLESS): Promise<T> {
  const clock = manualClock();
  const emulator = await startEmulator({ scenario, limits, clock });
  const ask: World["ask"] = (content, more = {}, headers = HEADERS) =>
    post(emulator, asking([{ role: "user", content }], more), headers);
  const chat: World["chat"] = (content, more = {}) =>
    post(emulator, { model: "gpt-4.1", messages: [{ role: "user", content }], ...more }, OPENAI, CHAT);
  try {
    return await use({ emulator, clock, ask, chat });
  } finally {
    await emulator.close();
  }
}

async function statuses(times: number, ask: () => Promise<Reply>): Promise<readonly number[]> {
  const found: number[] = [];
  for (let i = 0; i < times; i++) found.push((await ask()).status);
  return found;
}

/** The wrong kind of failure is not hidden: what is no error fails here too. */
async function thrown(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.unreachable("it was answered"),
    (error: unknown) => error,
  );
}

describe("a bucket", () => {
  const schedule = fc.record({
    limit: fc.integer({ min: 1, max: 5_000 }),
    burst: fc.integer({ min: 1, max: 120 }),
    asks: fc.array(
      fc.record({ after: fc.integer({ min: 0, max: 20_000 }), amount: fc.integer({ min: 1, max: 200 }) }),
      {
        maxLength: 60,
      },
    ),
  });

  it("gives in no stretch of time more than it holds and what came in that time", () => {
    fc.assert(
      fc.property(schedule, ({ limit, burst, asks }) => {
        const bucket = createBucket(limit, burst);
        const taken: { readonly at: number; readonly amount: number }[] = [];
        let now = 0;
        for (const { after, amount } of asks) {
          now += after;
          if (amount > bucket.capacity || bucket.waitMs(amount, now) > 0) continue;
          bucket.take(amount, now);
          taken.push({ at: now, amount });
        }
        for (const [first, { at: from }] of taken.entries()) {
          let sum = 0;
          for (const { at, amount } of taken.slice(first)) {
            sum += amount;
            const most = Math.max(60_000, limit * burst * 1_000) + (at - from) * limit;
            expect(sum * 60_000).toBeLessThanOrEqual(most);
          }
        }
      }),
    );
  });

  it("lets in who waits as long as it said, and nobody a millisecond earlier", () => {
    fc.assert(
      fc.property(schedule, ({ limit, burst, asks }) => {
        const bucket = createBucket(limit, burst);
        let now = 0;
        for (const { after, amount } of asks.filter((ask) => ask.amount <= bucket.capacity)) {
          now += after;
          const wait = bucket.waitMs(amount, now);
          if (wait > 0) expect(bucket.waitMs(amount, now + wait - 1)).toBe(1);
          now += wait;
          expect(bucket.left(now)).toBeGreaterThanOrEqual(amount);
          bucket.take(amount, now);
        }
        expect(bucket.left(now + bucket.fullMs(now))).toBe(bucket.capacity);
      }),
    );
  });

  it("is not confused by a clock that stands still or goes back", () => {
    const bucket = createBucket(60, 1);
    bucket.take(1, 5_000);
    expect([
      bucket.waitMs(1, 5_000),
      bucket.waitMs(1, 1_000),
      bucket.waitMs(1, 5_999.9),
      bucket.waitMs(1, 6_000),
    ]).toEqual([1_000, 1_000, 1, 0]);
  });
});

describe("limits", () => {
  it("let in what fits, refuse the rest as Anthropic does, and let in again after the time they said", async () => {
    await limited({ requests: 3 }, async ({ emulator, clock, ask }) => {
      expect(await statuses(4, () => ask("hi"))).toEqual([200, 200, 200, 429]);
      const reply = await ask("hi");
      expect(reply.json()).toMatchObject({
        type: "error",
        error: {
          type: "rate_limit_error",
          message: expect.stringContaining("exceed your organization's rate limit of 3 requests per minute") as string,
        },
        request_id: reply.headers.get("request-id"),
      });
      expect(reply.headers.get("retry-after")).toBe("20");
      await clock.advance(19_999);
      expect((await ask("hi")).headers.get("retry-after")).toBe("1");
      await clock.advance(1);
      expect(await statuses(2, () => ask("hi"))).toEqual([200, 429]);
      expect(emulator.counts()).toMatchObject([
        { key: "***-key", served: 4, refused: 4, refused_for: { requests: 4 } },
      ]);
      expect(emulator.requests.map(({ refused }) => refused).slice(0, 4)).toEqual([null, null, null, "requests"]);
    });
  });

  it("tell in Anthropic's headers what they hold, of tokens to the nearest thousand, and when all of it is back", async () => {
    await limited({ requests: 60, input_tokens: 60_000, output_tokens: 6_000 }, async ({ clock, ask }) => {
      const reply = await ask("x".repeat(40_000));
      const { input_tokens: input = 0 } = reply.json()["usage"] as { readonly input_tokens?: number };
      const header = (name: string): string => reply.headers.get(`anthropic-ratelimit-${name}`) ?? "";
      expect(["requests", "input-tokens", "output-tokens", "tokens"].map((name) => header(`${name}-limit`))).toEqual(
        ["60", "60000", "6000", "66000"], // prettier-ignore
      );
      expect(header("requests-remaining")).toBe("59");
      expect(header("input-tokens-remaining")).toBe(String(Math.round((60_000 - input) / 1_000) * 1_000));
      expect(header("tokens-remaining")).toBe("56000");
      const full = clock.now() + input;
      expect(header("input-tokens-reset")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(Date.parse(header("input-tokens-reset"))).toBe(Math.ceil(full / 1_000) * 1_000);
    });
  });

  it("tell in OpenAI's headers what they hold, exactly, with durations", async () => {
    await limited({ requests: 1, tokens: 600 }, async ({ chat }) => {
      const reply = await chat("hi", { max_tokens: 400 });
      const header = (name: string): string | null => reply.headers.get(`x-ratelimit-${name}`);
      expect([header("limit-tokens"), header("remaining-tokens"), header("reset-tokens")]).toEqual([
        "600",
        "200",
        "40s",
      ]);
      expect([header("remaining-requests"), header("reset-requests")]).toEqual(["0", "1m0s"]);
    });
  });

  it("count at OpenAI the larger of prompt and max_tokens, and a refused request as a request", async () => {
    await limited({ requests: 3, tokens: 600 }, async ({ chat }) => {
      expect((await chat("hi", { max_tokens: 500 })).status).toBe(200);
      const reply = await chat("hi", { max_tokens: 500 });
      expect(reply.json()).toEqual({
        error: {
          message: expect.stringContaining("Limit 600, Used 500, Requested 500. Please try again in 40s.") as string,
          type: "tokens",
          param: null,
          code: "rate_limit_exceeded",
        },
      });
      expect([reply.headers.get("retry-after"), reply.headers.get("retry-after-ms")]).toEqual(["40", "40000"]);
      expect(reply.headers.get("x-ratelimit-remaining-requests")).toBe("1");
      expect(message(await chat("hi", { max_tokens: 601 }))).toContain("Request too large for gpt-4.1");
      expect((await chat("hi")).json()).toMatchObject({ error: { type: "requests" } });
    });
  });

  it("do not count input that was read from the cache", async () => {
    await limited({ input_tokens: 12_000 }, async ({ emulator, ask }) => {
      const cached = { system: [{ type: "text", text: "s".repeat(40_000), cache_control: { type: "ephemeral" } }] };
      expect(await statuses(5, () => ask("hi", cached))).toEqual([200, 200, 200, 200, 200]);
      expect((await ask("y".repeat(40_000))).json()).toMatchObject({
        error: { message: expect.stringContaining("12,000 input tokens per minute") as string },
      });
      expect(emulator.counts()[0]?.input_tokens).toBeLessThan(11_000);
    });
  });

  it("count output as it was produced, not as it was allowed", async () => {
    const scenario: ScenarioInput = { generate: { output_tokens: 60 } };
    await limited(
      { output_tokens: 100 },
      async ({ clock, ask, emulator }) => {
        const more = { max_tokens: 50_000, stream: true };
        // The second begins with 40 left, and ends 20 below nothing.
        expect(await statuses(3, () => ask("hi", more))).toEqual([200, 200, 429]);
        expect(emulator.counts()).toMatchObject([{ output_tokens: 120, refused_for: { output_tokens: 1 } }]);
        await clock.advance(12_000);
        expect((await ask("hi", more)).status).toBe(429);
        await clock.advance(600);
        expect((await ask("hi", more)).status).toBe(200);
      },
      scenario,
    );
  });

  it("are each key's and each model's own, and those of a model go before those of all", async () => {
    await limited({ requests: 1, models: { "claude-opus-4-5": { requests: 2 } } }, async ({ ask }) => {
      const other = { ...HEADERS, "x-api-key": "other-key" };
      expect(await statuses(2, () => ask("hi"))).toEqual([200, 429]);
      expect(await statuses(2, () => ask("hi", {}, other))).toEqual([200, 429]);
      expect(await statuses(3, () => ask("hi", { model: "claude-opus-4-5" }))).toEqual([200, 200, 429]);
    });
  });

  it("can be silent: no rate headers, no retry-after, no time in the words", async () => {
    await limited({ requests: 1, headers: false }, async ({ ask, chat }) => {
      await ask("hi");
      await chat("hi");
      for (const reply of [await ask("hi"), await chat("hi")]) {
        expect(reply.status).toBe(429);
        expect([...reply.headers.keys()].filter((name) => /rate|retry/.test(name))).toEqual([]);
        expect(reply.text).not.toContain("try again in");
      }
    });
  });

  it("refuse what comes beyond so many at once, and let in again when one has gone", async () => {
    const scenario: ScenarioInput = { turns: [{ say: "Done.", fault: { silence_after_event: 1 } }] };
    await limited(
      { concurrency: 1 },
      async ({ emulator, ask }) => {
        const gone = new AbortController();
        const body = JSON.stringify(asking([{ role: "user", content: "hi" }], { stream: true }));
        const url = `${emulator.url}/v1/messages`;
        await fetch(url, { method: "POST", headers: HEADERS, body, signal: gone.signal });
        expect(message(await ask("hi"))).toContain("Number of concurrent connections has exceeded");
        expect(emulator.counts()).toMatchObject([{ busy: 1, busy_max: 1, refused_for: { concurrency: 1 } }]);
        gone.abort();
        await expect.poll(() => emulator.counts()[0]?.busy).toBe(0);
        // What was refused has met no fault and taken no turn.
        expect(await statuses(3, () => ask("hi"))).toEqual([200, 200, 200]);
      },
      scenario,
    );
  });

  it("are told over HTTP as well, to whoever asks", async () => {
    await limited({ requests: 1 }, async ({ emulator, ask }) => {
      await statuses(2, () => ask("hi"));
      const answer: unknown = await (await fetch(`${emulator.url}/emulator/counts`)).json();
      expect(answer).toMatchObject({ requests: 2, models: emulator.counts() });
      expect(emulator.requests.length).toBe(2);
    });
  });
});

describe("a spend limit", () => {
  const limits: LimitsInput = { spend_usd: 0.01, price: { input: 0, output: 1_000 } };
  const scenario: ScenarioInput = { generate: { output_tokens: 5 } };

  it("ends in Anthropic's error that is not to be retried", async () => {
    await limited(
      limits,
      async ({ emulator, ask }) => {
        expect(await statuses(2, () => ask("hi"))).toEqual([200, 200]);
        const reply = await ask("hi", { model: "claude-opus-4-5" });
        expect(reply.status).toBe(429);
        expect(reply.headers.get("retry-after")).toBeNull();
        expect(reply.json()).toMatchObject({
          error: {
            type: "rate_limit_error",
            message: expect.stringContaining("You will regain access on 2025-07-01 at 00:00 UTC") as string,
            details: { error_code: "enforced_spend_limit_reached" },
          },
        });
        expect(emulator.counts().map(({ spent_usd }) => spent_usd)).toEqual([0.01, 0]);
      },
      scenario,
    );
  });

  it("ends in OpenAI's insufficient_quota", async () => {
    await limited(
      limits,
      async ({ chat }) => {
        await statuses(2, () => chat("hi"));
        const reply = await chat("hi");
        expect([reply.status, reply.headers.get("retry-after")]).toEqual([429, null]);
        expect(reply.json()).toMatchObject({ error: { type: "insufficient_quota", code: "insufficient_quota" } });
      },
      scenario,
    );
  });

  it("knows the prices of the table, and refuses a model without one", async () => {
    await limited({ spend_usd: 1 }, async ({ emulator, ask }) => {
      expect((await ask("x".repeat(40_000))).status).toBe(200);
      expect(emulator.counts()[0]?.spent_usd).toBeGreaterThan(0.03);
      expect(message(await ask("hi", { model: "claude-of-nobody" }))).toContain("claude-of-nobody has no price");
    });
  });
});

describe("an outage", () => {
  it("meets one model for a time, while others answer, and counts against no limit", async () => {
    const scenario: ScenarioInput = { ...ENDLESS, outages: [{ model: MODEL, from_s: 10, to_s: 20, status: 529 }] };
    await limited(
      { requests: 2 },
      async ({ emulator, clock, ask }) => {
        const both = async (): Promise<readonly number[]> => [
          (await ask("hi")).status,
          (await ask("hi", { model: "claude-opus-4-5" })).status,
        ];
        expect(await both()).toEqual([200, 200]);
        await clock.advance(10_000);
        expect(await both()).toEqual([529, 200]);
        await clock.advance(9_999);
        expect((await ask("hi")).json()).toMatchObject({ error: { type: "overloaded_error" } });
        await clock.advance(1);
        expect((await ask("hi")).status).toBe(200);
        expect(emulator.counts()[0]).toMatchObject({ served: 2, refused: 0, outages: 2 });
        expect(emulator.requests.filter(({ refused }) => refused === "outage").length).toBe(2);
      },
      scenario,
    );
  });

  it("meets so many requests, in every way", async () => {
    const scenario: ScenarioInput = {
      ...ENDLESS,
      outages: [
        { from_request: 2, to_request: 2, status: 500 },
        { from_request: 3, to_request: 3, status: 503 },
        { from_request: 4, to_request: 4, status: "refuse" },
        { from_request: 5, to_request: 5, status: "timeout" },
      ],
    };
    await limited(
      {},
      async ({ emulator, ask }) => {
        expect(await statuses(3, () => ask("hi"))).toEqual([200, 500, 503]);
        await expect(ask("hi")).rejects.toThrow("fetch failed");
        const gone = new AbortController();
        const body = JSON.stringify(asking());
        const silent = fetch(`${emulator.url}/v1/messages`, {
          method: "POST",
          headers: HEADERS,
          body,
          signal: gone.signal,
        });
        await expect.poll(() => emulator.requests.length).toBe(5);
        gone.abort();
        await expect(silent).rejects.toThrow("aborted");
        expect((await ask("hi")).status).toBe(200);
      },
      scenario,
    );
  });
});

describe("generated answers", () => {
  const generate = { output_tokens: [10, 60], latency_ms: [0, 3] } as const;
  const said = async (scenario: ScenarioInput, contents: readonly string[], more: object = {}): Promise<unknown[]> =>
    limited(
      {},
      async ({ ask }) => {
        const replies = await Promise.all(contents.map((content) => ask(content, more)));
        return replies.map((reply) => [reply.json()["content"], reply.json()["usage"]]);
      },
      scenario,
    );

  it("are the same for the same seed, in whatever order, and others for another", async () => {
    const contents = ["a", "b", "c", "d", "e"];
    const first = await said({ generate: { ...generate, output_tokens: [10, 60], latency_ms: [0, 3] } }, contents);
    const again = await said({ generate: { output_tokens: [10, 60] } }, contents.toReversed());
    expect(again.toReversed()).toEqual(first);
    expect(await said({ generate: { output_tokens: [10, 60], seed: 2 } }, contents)).not.toEqual(first);
    const counts = first.map((one) => (one as readonly [unknown, { readonly output_tokens: number }])[1].output_tokens);
    expect(new Set(counts).size).toBeGreaterThan(1);
    expect(counts.every((count) => count >= 10 && count <= 60)).toBe(true);
  });

  it("follow a script, and stop where max_tokens is", async () => {
    await limited(
      {},
      async ({ emulator, ask }) => {
        expect((await ask("hi", { max_tokens: 7 })).json()).toMatchObject({ content: [{ text: "scripted" }] });
        const history = [
          { role: "user", content: "hi" },
          { role: "assistant", content: "scripted" },
          { role: "user", content: "go on" },
        ];
        expect((await post(emulator, asking(history, { max_tokens: 7 }))).json()).toMatchObject({
          stop_reason: "max_tokens",
          usage: { output_tokens: 7 },
        });
        expect(emulator.remaining()).toEqual([]);
      },
      { turns: [{ say: "scripted" }], generate: { output_tokens: 10 } },
    );
  });
});

describe("the official SDKs", () => {
  const params = { model: MODEL, max_tokens: 10, messages: [{ role: "user" as const, content: "hi" }] };

  it("see Anthropic's refusals as such", async () => {
    await limited({ requests: 1 }, async ({ emulator }) => {
      const client = new Anthropic({ baseURL: emulator.url, apiKey: "k", maxRetries: 0 });
      await client.messages.create(params);
      const error = await thrown(client.messages.create(params));
      expect(error).toBeInstanceOf(Anthropic.RateLimitError);
      expect(error).toMatchObject({ status: 429, error: { error: { type: "rate_limit_error" } } });
      expect(error instanceof Anthropic.RateLimitError && error.headers.get("retry-after")).toBe("60");
    });
    await limited({ spend_usd: 0.000_001 }, async ({ emulator }) => {
      const client = new Anthropic({ baseURL: emulator.url, apiKey: "k", maxRetries: 0 });
      await client.messages.create(params);
      expect(await thrown(client.messages.create(params))).toMatchObject({
        error: { error: { details: { error_code: "enforced_spend_limit_reached" } } },
      });
    });
  });

  it("see OpenAI's refusals as such, in both of its APIs", async () => {
    await limited({ requests: 1 }, async ({ emulator }) => {
      const client = new OpenAI({ baseURL: `${emulator.url}/v1`, apiKey: "k", maxRetries: 0 });
      const chat = { model: "gpt-4.1", messages: [{ role: "user" as const, content: "hi" }] };
      await client.chat.completions.create(chat);
      await client.responses.create({ model: "gpt-4.1", input: "hi" });
      for (const call of [
        client.chat.completions.create(chat),
        client.responses.create({ model: "gpt-4.1", input: "hi" }),
      ]) {
        const error = await thrown(call);
        expect(error).toBeInstanceOf(OpenAI.RateLimitError);
        expect(error).toMatchObject({ status: 429, code: "rate_limit_exceeded", type: "requests" });
      }
    });
  });
});
