/** What a call to the model leaves in the journal and the budget, and what goes back to its provider. */
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { LEASE_TTL_MS } from "../../../src/engine/ownership.ts";
import type { Event, EventData, EventKind } from "../../../src/kernel/events/index.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { NO_USAGE, type Usage } from "../../../src/kernel/usage.ts";
import { createOpenAIModel } from "../../../src/model/openai/adapter.ts";
import type { Model } from "../../../src/model/model.ts";
import { createMemoryStore } from "../../../src/store/memory/memory-store.ts";
import { createRedactor } from "../../../src/store/redaction.ts";
import { memoryVault } from "../../../src/store/vault.ts";
import { aroundStore } from "../../../src/testing/faulty-store.ts";
import { readRecordings } from "../../../src/testing/model-contract.ts";
import { bytes } from "../../../src/testing/model-contract/case.ts";
import { startReplayServer } from "../../../src/testing/model-contract/replay-server.ts";
import { callTool, fail, say, scriptedModel } from "../../../src/testing/scripted-model.ts";
import { systemClock, testHost } from "../../support/host.ts";
import { eventsOf, start, testPlace } from "../../support/session.ts";

const read = (prompt: number): Usage => ({ ...NO_USAGE, input_tokens: prompt, output_tokens: 10 });

async function journalOf(model: Model): Promise<readonly Event[]> {
  const place = testPlace();
  const host = await testHost({ home: place.home, model });
  const live = await start(host, place);
  await live.done;
  return eventsOf(host, live.session);
}

function dataOf<K extends EventKind>(events: readonly Event[], kind: K): readonly EventData<K>[] {
  // The events chosen are of this kind, so their data is.
  return events.flatMap((event) => (event.kind === kind ? [event.data as EventData<K>] : []));
}

describe("a call of a process that was frozen past its lease, after its intent was stored", () => {
  it("is not sent when another process has the session by then", async () => {
    const place = testPlace();
    let thawed = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + thawed };
    const inner = createMemoryStore({ clock });
    const other = { token: "another", host: "elsewhere", pid: 1, start_time: null, boot_id: null };
    const store = aroundStore(inner, async (method, run) => {
      const result = await run();
      const [row] = await inner.listSessions({ tenant: LOCAL_TENANT, limit: 1 });
      const last = row && (await inner.read({ ...row, after_seq: row.last_seq - 1, limit: 1 }))[0];
      if (method === "append" && row && last?.kind === "ModelCallStarted" && thawed === 0) {
        thawed = LEASE_TTL_MS;
        await inner.claim({ tenant: row.tenant, session: row.session, owner: other, ttl_ms: LEASE_TTL_MS });
      }
      return result;
    });
    const model = scriptedModel([say("Done.")]);
    const host = await testHost({ home: place.home, model, store, clock });
    const live = await start(host, place);
    expect(await live.done).toMatchObject({ outcome: "failed", error: { kind: "fenced" } });
    expect(model.calls).toHaveLength(0);
  });
});

describe("a failed call", () => {
  it("that never reached the provider leaves nothing unknown in the budget", async () => {
    const events = await journalOf(scriptedModel([fail("network", { sent: false }), say("Done.")]));
    expect(dataOf(events, "ModelCallFailed")).toMatchObject([{ kind: "network" }]);
    expect(dataOf(events, "BudgetSettled")[0]).toMatchObject({ usage: NO_USAGE, cost: 0, unknown_tokens: 0 });
  });

  it("that may have reached it keeps all that was reserved as unknown", async () => {
    const events = await journalOf(scriptedModel([fail("network", { sent: true }), say("Done.")]));
    const [reserved] = dataOf(events, "BudgetReserved");
    expect(dataOf(events, "BudgetSettled")[0]).toMatchObject({ usage: NO_USAGE, unknown_tokens: reserved?.tokens });
  });

  it("that the provider refused costs nothing; one that a gateway gave up on may have been answered", async () => {
    const refused = [fail("overloaded", { http: 529 }), fail("server_error", { http: 504 }), say("Done.")];
    const events = await journalOf(scriptedModel(refused));
    const [, second] = dataOf(events, "BudgetReserved");
    expect(dataOf(events, "BudgetSettled").map(({ unknown_tokens }) => unknown_tokens)).toEqual([0, second?.tokens, 0]);
  });
});

describe("an answer for which the provider read less than it had read before", () => {
  it("is a failed call with all that it cost settled, and is not acted on", async () => {
    const events = await journalOf(
      scriptedModel([
        callTool("read", { path: "README.md" }, { usage: read(10_000) }),
        callTool("read", { path: "of-the-cut-answer" }, { usage: read(4_000) }),
        say("Done.", { usage: read(11_000) }),
      ]),
    );
    expect(dataOf(events, "ModelCallFailed")).toMatchObject([
      {
        kind: "silent_truncation",
        message: "The provider read 4000 tokens; for the beginning of the same conversation it had read 10000.",
        usage: read(4_000),
      },
    ]);
    expect(dataOf(events, "BudgetSettled")[1]).toMatchObject({ usage: read(4_000), unknown_tokens: 0 });
    expect(JSON.stringify(dataOf(events, "ToolJudged"))).not.toContain("of-the-cut-answer");
    expect(dataOf(events, "ToolStarted")).toHaveLength(1);
  });
});

describe("what a part keeps for its provider", () => {
  const SECRET = "value-of-the-deploy-secret-4711";

  it("is journaled without its secrets and goes back with them, to the byte", async () => {
    const recordings = await readRecordings(join(import.meta.dirname, "../../contract/model-streams/openai"));
    const named = (name: string): (typeof recordings)[number] => {
      const found = recordings.find((one) => one.name === name);
      if (found === undefined) throw new RangeError(name);
      return found;
    };
    const first = named("reasoning-text-and-two-calls");
    const encrypted = `gAAAA${SECRET}-and-more==`;
    const body = first.body.replaceAll(/"encrypted_content":"[^"]*"/g, `"encrypted_content":"${encrypted}"`);
    const last = named("text-without-reasoning");
    const server = await startReplayServer();
    onTestFinished(() => server.close());
    const replies = [
      { head: first, chunks: [bytes(body)], then: "end" } as const,
      { head: last, chunks: [bytes(last.body)], then: "end" } as const,
    ];
    const model = createOpenAIModel({
      apiKey: "sk-test",
      baseUrl: server.url,
      clock: systemClock,
      fetch: (url, init) => {
        const next = replies.shift();
        if (next !== undefined) server.reply(next);
        return fetch(url, init);
      },
    });
    const place = testPlace();
    const redactor = createRedactor({
      known: [{ name: "DEPLOY", value: SECRET }],
      vault: memoryVault(new Uint8Array(32)),
    });
    const host = { ...(await testHost({ home: place.home, model })), redactor: () => Promise.resolve(redactor) };
    const live = await start(host, place, { provider: "openai", model: "gpt-5.2" });
    const report = await live.done;
    expect(report).toMatchObject({ outcome: "completed" });

    const journal = JSON.stringify(await eventsOf(host, live.session));
    expect(journal).not.toContain(SECRET);
    expect(journal).toContain("gAAAA[secret:DEPLOY:");
    const [, second] = server.requests;
    const { input, prompt_cache_key } = JSON.parse(second ?? "{}") as {
      readonly input: unknown;
      readonly prompt_cache_key: unknown;
    }; // our own request
    expect(input).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: "reasoning", encrypted_content: encrypted })]),
    );
    expect(prompt_cache_key).toBe(live.session);
  });
});

describe("a request's messages", () => {
  it("are handed on as they are where nothing has to be put back, so that a provider's mapping can be kept by them", async () => {
    const model = scriptedModel([
      callTool("read", { path: "README.md" }),
      callTool("read", { path: "README.md" }),
      say("Done."),
    ]);
    await journalOf(model);
    const [, second, third] = model.calls.map(({ messages }) => messages);
    expect(second?.length).toBe(3);
    expect(second?.every((message, index) => message === third?.[index])).toBe(true);
  });
});
