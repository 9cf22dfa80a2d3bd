/**
 * Both adapters before the emulator, through the official SDKs. B1: what happens to a submission whose receipt was lost? B2: what
 * becomes of every request?
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { LOST_GRACE_MS } from "../../../src/model/batch/lost.ts";
import { promptTokens } from "../../../src/kernel/usage.ts";
import {
  asking,
  ended,
  fates,
  linesOf,
  type Provider,
  resultsOf,
  SIGNAL,
  submitted,
  taken,
  withBatches,
} from "./batch-samples.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // what the flag exposes

const DAY_MS = 24 * 3_600_000;
/** Long enough to be cached with every model. */
const SYSTEM = "You are careful. ".repeat(320);

const SCENARIO = {
  conversations: [
    { task_contains: "use the tool", turns: [{ say: "I will.", call: [{ tool: "read", input: { path: "a" } }] }] },
    { task_contains: "think", turns: [{ think: "Hm.", say: "Thought." }] },
  ],
  turns: [{ say: "Done." }],
};
const WORDS = ["use the tool", "think", "say it"];

describe.each(["anthropic", "openai"] as const)("%s", (provider: Provider) => {
  test("a thousand requests come back whole, each with its answer, its usage and what the cache saved", async () => {
    await withBatches(provider, { ...SCENARIO, batches: { polls: 3 } }, async ({ model, emulator }) => {
      const id = await taken(model, {
        count: 1_000,
        request: (i) => asking(provider, `${WORDS[i % 3]} ${i}`, { system: SYSTEM }),
      });
      expect(await model.poll(id, SIGNAL)).toMatchObject({ state: "in_progress", counts: { total: 1_000 } });
      expect(await ended(model, id)).toMatchObject({
        state: "ended",
        counts: { total: 1_000, done: 1_000, failed: 0 },
        message: null,
        expires_at: 1_750_000_000_000 + DAY_MS,
      });

      const results = await resultsOf(model, id);
      const answers = new Map(
        results.map((result) => {
          if (!result.ok || typeof result.answer === "string" || !result.answer.ok) throw new TypeError("answered");
          return [Number(result.custom_id.replace("m1-", "")), result.answer];
        }),
      );
      expect(answers.size).toBe(1_000);
      for (const [index, { parts, stop }] of answers) {
        const types = parts.map(({ type }) => type);
        expect([index, types, stop]).toEqual([
          index,
          [["text", "tool_use"], ["thinking", "text"], ["text"]][index % 3],
          index % 3 === 0 ? "tool_use" : "end_turn",
        ]);
      }
      expect(answers.get(0)?.parts[1]).toMatchObject({ name: "read", input: { path: "a" } });
      const calls = [...answers.values()].flatMap(({ parts }) =>
        parts.flatMap((part) => ("call" in part ? part.call : [])),
      );
      expect(new Set(calls).size).toBe(334);

      // The first request writes what all share, the others read it.
      const usages = [...answers.values()].map(({ usage }) => usage);
      const written = usages.filter((usage) => usage.cache_write_1h_tokens + usage.cache_write_5m_tokens > 1_000);
      const read = usages.filter((usage) => usage.cache_read_tokens / promptTokens(usage) > 0.85);
      expect([written.length, read.length]).toEqual([1, 999]);
      if (provider === "anthropic") expect(written[0]?.cache_write_5m_tokens).toBe(0);
      expect(emulator.batches()).toEqual({
        ...{ batches: 1, requests: 1_000, succeeded: 1_000 },
        ...{ custom_ids_repeated: [], paid_twice: [] },
      });
    });
  });

  test("what fails in a batch is told request by request, in the kinds of live calls, and costs nothing", async () => {
    const words = [
      "invalid_request",
      "context_overflow",
      "overloaded",
      "server_error",
      "rate_limit",
      "not_found",
    ] as const;
    const errored = words.map((error, i) => ({ custom_id: `-${i}`, error }));
    await withBatches(provider, { batches: { errored } }, async ({ model }) => {
      const id = await taken(model, { count: words.length + 1 });
      expect(await ended(model, id)).toMatchObject({ counts: { total: 7, done: 1, failed: 6 } });
      const results = await resultsOf(model, id);
      expect(fates(results)).toEqual({
        ...Object.fromEntries(words.map((word, i) => [`m1-${i}`, word])),
        "m1-6": "answered",
      });
      const failed = results.find((result) => result.ok && result.custom_id === "m1-0");
      expect(failed).toMatchObject({ answer: { ok: false, usage: { input_tokens: 0, output_tokens: 0 } } });
    });
  });

  test("what was not answered within the day is expired, and the rest is answered", async () => {
    await withBatches(provider, { batches: { unanswered: { custom_id: "-1" } } }, async ({ model, clock }) => {
      const id = await taken(model, { count: 3 });
      expect(await model.poll(id, SIGNAL)).toMatchObject({ state: "in_progress" });
      await clock.advance(DAY_MS);
      expect(await model.poll(id, SIGNAL)).toMatchObject({ state: "ended" });
      expect(fates(await resultsOf(model, id))).toEqual({ "m1-0": "answered", "m1-1": "expired", "m1-2": "answered" });
    });
  });

  test("a canceled batch keeps what was answered", async () => {
    await withBatches(provider, { batches: { per_second: 1 } }, async ({ model, clock }) => {
      const id = await taken(model, { count: 4 });
      await clock.advance(2_000);
      expect(await model.cancel(id, SIGNAL)).toMatchObject({ state: "canceling" });
      expect(await model.poll(id, SIGNAL)).toMatchObject({ state: "ended" });
      expect(Object.values(fates(await resultsOf(model, id))).sort()).toEqual([
        ...["answered", "answered"],
        ...["canceled", "canceled"],
      ]);
    });
  });

  test("a submission whose receipt was lost is found again by its marker, and another one is not taken for it", async () => {
    const faults = [{ at: "create" as const, lost: true as const, after: 1 }];
    await withBatches(provider, { batches: { faults } }, async ({ model, clock, emulator }) => {
      await taken(model, { marker: "other", count: 3 });
      const at = clock.now();
      expect(await submitted(model, { count: 3 })).toMatchObject({ ok: false, kind: "network", sent: true });
      await taken(model, { marker: "later", count: 3 });
      await clock.advance(LOST_GRACE_MS * 2);
      const found = await model.find({ marker: "m1", count: 3, at, known: [] }, SIGNAL);
      expect(found).toMatchObject({ state: "found" });
      const id = "id" in found ? found.id : "";
      expect(Object.keys(fates(await resultsOf(model, id))).sort()).toEqual(["m1-0", "m1-1", "m1-2"]);
      expect(emulator.batches()).toMatchObject({ batches: 3, custom_ids_repeated: [] });
    });
  });

  test("a submission that never arrived is absent, but only once it cannot be on its way any more", async () => {
    const faults = [{ at: "create" as const, unsent: true as const }];
    await withBatches(provider, { batches: { faults } }, async ({ model, clock, emulator }) => {
      const lost = { marker: "m1", count: 3, at: clock.now(), known: [] };
      expect(await submitted(model, { count: 3 })).toMatchObject({ ok: false, sent: true });
      expect(await model.find(lost, SIGNAL)).toEqual({ ok: true, state: "undecided" });
      await clock.advance(LOST_GRACE_MS + 1);
      expect(await model.find(lost, SIGNAL)).toEqual({ ok: true, state: "absent" });
      expect(emulator.batches().batches).toBe(0);
    });
  });

  test("a lost submission is looked for over the pages of the list", async () => {
    const faults = [{ at: "create" as const, lost: true as const }];
    await withBatches(provider, { batches: { faults } }, async ({ model, clock }) => {
      const at = clock.now();
      await submitted(model, { count: 2 });
      for (let i = 0; i < 120; i++) await taken(model, { marker: `o${i}`, count: 1 });
      expect(await model.find({ marker: "m1", count: 2, at, known: [] }, SIGNAL)).toMatchObject({ state: "found" });
    });
  });

  test.each([
    ["a refusal", { status: 429, retry_after: 3 }, { kind: "rate_limit", sent: false, retry_after_ms: 3_000 }],
    ["an overloaded provider", { status: 529 }, { kind: "overloaded", sent: true }],
    ["a provider's failure", { status: 500 }, { kind: "server_error", sent: true }],
  ] as const)("%s of a submission says whether it may have arrived", async (_, fault, expected) => {
    await withBatches(provider, { batches: { faults: [{ at: "create", ...fault }] } }, async ({ model }) => {
      expect(await submitted(model, { count: 1 })).toMatchObject({ ok: false, ...expected });
    });
  });

  test("where nobody listens nothing was sent, and no message shows the key", async () => {
    await withBatches(provider, {}, async ({ model, emulator }) => {
      await emulator.refuseConnections();
      const fault = await submitted(model, { count: 1 });
      expect(fault).toMatchObject({ ok: false, kind: "network", sent: false });
      expect(JSON.stringify(fault)).not.toContain("secret-key");
    });
  });

  test("what the lines of a submission throw is thrown on, and nothing is created", async () => {
    await withBatches(provider, {}, async ({ model, emulator }) => {
      const lines = (async function* (): AsyncIterable<string> {
        yield* linesOf(model, { count: 1 });
        throw new RangeError("the disk is gone");
      })();
      await expect(model.submit({ marker: "m1", count: 2, lines }, SIGNAL)).rejects.toThrow("the disk is gone");
      expect(emulator.batches().batches).toBe(0);
    });
  });

  test("an aborted submission is interrupted", async () => {
    await withBatches(provider, {}, async ({ model }) => {
      const aborting = new AbortController();
      const lines = (async function* (): AsyncIterable<string> {
        yield* linesOf(model, { count: 1 });
        aborting.abort();
        await new Promise(() => {}); // a disk that says nothing more
      })();
      const fault = await model.submit({ marker: "m1", count: 2, lines }, aborting.signal);
      expect(fault).toMatchObject({ ok: false, kind: "interrupted" });
    });
  });

  test("a line of the results that is none stops nothing, and is told in the end", async () => {
    await withBatches(provider, { batches: { faults: [{ at: "results", garbage: true }] } }, async ({ model }) => {
      const id = await taken(model, { count: 4 });
      await ended(model, id);
      const results = await resultsOf(model, id);
      expect(results).toHaveLength(5);
      expect(results.at(-1)).toMatchObject({ ok: false, kind: "protocol" });
      expect(results.at(-1)).toHaveProperty("message", expect.stringContaining("Line 3 of the results"));
    });
  });

  test("results that are cut off are told as cut, and can be read again", async () => {
    await withBatches(provider, { batches: { faults: [{ at: "results", cut: true }] } }, async ({ model }) => {
      const id = await taken(model, { count: 200 });
      await ended(model, id);
      const cut = await resultsOf(model, id);
      expect(cut.at(-1)).toMatchObject({ ok: false, kind: "stream_cut" });
      expect(cut.length).toBeLessThan(200);
      expect(await resultsOf(model, id)).toHaveLength(200);
    });
  });

  test("results that end in order before all are there are told as cut: none passes for expired", async () => {
    await withBatches(provider, { batches: { faults: [{ at: "results", short: true }] } }, async ({ model }) => {
      const id = await taken(model, { count: 4 });
      await ended(model, id);
      const short = await resultsOf(model, id);
      expect(short).toHaveLength(3);
      expect(short.at(-1)).toMatchObject({ ok: false, kind: "stream_cut", message: "The results ended after 2 of 4." });
    });
  });

  test("results that are no longer kept are told so", async () => {
    await withBatches(provider, {}, async ({ model, clock }) => {
      const id = await taken(model, { count: 1 });
      await ended(model, id);
      await clock.advance(model.limits.results_ms + 1);
      expect(await resultsOf(model, id)).toMatchObject([
        {
          ok: false,
          kind: "not_found",
          message: expect.stringMatching(/are gone: the provider keeps them for \d\d days/) as string,
        },
      ]);
    });
  });

  test("results of a batch that has not ended are refused without asking for them", async () => {
    await withBatches(provider, { batches: { delay_ms: 60_000 } }, async ({ model }) => {
      const id = await taken(model, { count: 1 });
      expect(await resultsOf(model, id)).toMatchObject([{ ok: false, kind: "invalid_request" }]);
    });
  });

  test("a submission over the provider's limit is refused", async () => {
    await withBatches(provider, { batches: { requests_max: 2 } }, async ({ model }) => {
      const receipt = await submitted(model, { count: 3 });
      if (!receipt.ok) expect(receipt).toMatchObject({ kind: "invalid_request", sent: false });
      else
        expect(await ended(model, receipt.id)).toMatchObject({
          state: "failed",
          message: expect.stringContaining("3 requests") as string,
        });
    });
  });

  test("results are read without being held, however many", { timeout: 120_000 }, async () => {
    const all = process.env["BELAY_TEST_LONG"] === "1" || provider === "anthropic" ? 20_000 : 5_000;
    const say = "a long answer ".repeat(300);
    await withBatches(provider, { turns: [{ say }] }, async ({ model }) => {
      const id = await taken(model, { count: all });
      await ended(model, id);
      let count = 0;
      let early = 0;
      for await (const result of model.results(id, SIGNAL)) {
        if (result.ok) count += 1;
        if (count === 1_000) early = heapBytes();
      }
      expect(count).toBe(all);
      // The answers since then would be 4 kB each.
      expect(heapBytes() - early).toBeLessThan(8 * 1024 * 1024);
    });
  });
});

/** What is reachable: garbage is collected first. */
function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
