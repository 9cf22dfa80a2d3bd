/**
 * A second opinion on our own emulator: a model server by others (aimock). The built command does a whole piece of work against
 * it; then both servers are asked the same over the wire, and what they send is compared.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LLMock } from "@copilotkit/aimock";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Model } from "../../src/model/model.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import { createOpenAIModel } from "../../src/model/openai/adapter.ts";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { environmentOf, reportIn, runCli } from "../support/cli.ts";
import { systemClock, testHost } from "../support/host.ts";
import { eventsOf, kinds, SANDBOX, start, testPlace } from "../support/session.ts";

/** Where the machine has no sandbox, that is said aloud, as a user would have to. */
const RUN = SANDBOX === "bwrap" ? ["run"] : ["run", "--no-sandbox"];
const EDIT = { path: "src/app.js", old_string: "return 1", new_string: "return 2" };
const TIMEOUT_MS = 120_000;
const PROBE_MS = 25;

/** Edits a file, runs a command, and is done; what it answers is told by how many tool results the request holds. */
async function worker(): Promise<LLMock> {
  const mock = new LLMock({ port: 0, host: "127.0.0.1" });
  const results = (
    wanted: number,
  ): { readonly predicate: (request: { readonly messages: readonly { readonly role: string }[] }) => boolean } => ({
    predicate: ({ messages }) => messages.filter(({ role }) => role === "tool").length === wanted,
  });
  mock.on(results(0), {
    content: "Editing.",
    toolCalls: [{ name: "edit", arguments: JSON.stringify(EDIT), id: "toolu_edit" }],
  });
  mock.on(results(1), {
    toolCalls: [{ name: "bash", arguments: JSON.stringify({ command: "cat src/app.js" }), id: "toolu_cat" }],
  });
  mock.on(results(2), { content: "Done: it returns 2 now." });
  await mock.start();
  onTestFinished(() => mock.stop());
  return mock;
}

function statuses(mock: LLMock): readonly number[] {
  return mock.getRequests().map(({ response }) => response.status);
}

describe("belay against a model server by others", () => {
  it(
    "does a whole piece of work: calls tools, sees their results, is overloaded once and tries again",
    { timeout: TIMEOUT_MS },
    async () => {
      const place = testPlace();
      const mock = await worker();
      mock.nextRequestError(529, { type: "overloaded_error", message: "Overloaded" });
      const end = await runCli(
        [...RUN, "--output", "json", "--verify", "grep 'return 2' src/app.js", "fix it"],
        place,
        environmentOf(place, mock),
      );
      expect(end.code, end.stderr).toBe(0);
      const report = reportIn(end);
      expect(report).toMatchObject({ outcome: "completed", verification: "passed", turns: 3, error: null });
      expect(readFileSync(join(report.workspace ?? "", "src/app.js"), "utf8")).toContain("return 2");
      expect(statuses(mock)).toEqual([529, 200, 200, 200]);
      expect(JSON.stringify(mock.getLastRequest()?.body)).toContain("return 2");
    },
  );

  it(
    "waits as long as a rate limit asks and is done when the server is, without spending a turn on it",
    { timeout: TIMEOUT_MS },
    async () => {
      const place = testPlace();
      const mock = await worker();
      mock.setChaos({ rateLimitRate: 1 });
      const running = runCli([...RUN, "--output", "events", "fix it"], place, environmentOf(place, mock));
      while (mock.getRequests().length < 2) await systemClock.sleep(PROBE_MS);
      mock.clearChaos();
      const end = await running;
      expect(end.code, end.stderr).toBe(0);
      const [first] = mock.getRequests();
      expect(first?.response.status).toBe(429);
      expect(end.stdout).toContain('"kind":"rate_limit"');
      expect(end.stdout).toContain('"turns":3');
      expect(statuses(mock).filter((status) => status === 200)).toHaveLength(3);
    },
  );

  const adapters: readonly (readonly [name: string, provider: string, make: (url: string) => Model])[] = [
    ["Messages", "anthropic", (baseUrl) => createAnthropicModel({ apiKey: "test-key", baseUrl, clock: systemClock })],
    [
      "Responses",
      "openai",
      (baseUrl) => createOpenAIModel({ apiKey: "test-key", baseUrl: `${baseUrl}/v1`, clock: systemClock }),
    ],
  ];
  for (const [api, provider, make] of adapters) {
    it(`drives a session through its ${api} API, over a cut stream`, { timeout: TIMEOUT_MS }, async () => {
      const place = testPlace();
      const mock = await worker();
      const cut = { predicate: () => true, sequenceIndex: 0 };
      mock.prependFixture({
        match: cut,
        response: { content: "A long answer that is cut off before its end." },
        truncateAfterChunks: 2,
        chunkSize: 4,
      });
      const host = await testHost({ home: place.home, model: make(mock.url) });
      const live = await start(host, place, { provider });
      const report = await live.done;
      expect(report, String(live.failure())).toMatchObject({ outcome: "completed", turns: 3 });
      const events = await eventsOf(host, live.session);
      expect(kinds(events).filter((kind) => kind === "ModelCallFailed")).toHaveLength(1);
      expect(events.flatMap((event) => (event.kind === "ToolFinished" ? [event.data.status] : []))).toEqual([
        "ok",
        "ok",
      ]);
      expect(readFileSync(join(report.workspace ?? "", "src/app.js"), "utf8")).toContain("return 2");
    });
  }
});

/** One streamed answer, as names of events with the fields that each carries. */
async function shape(url: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": "test-key", "anthropic-version": "2023-06-01" },
    body: JSON.stringify({
      model: "claude-sonnet-4-5",
      max_tokens: 1_000,
      stream: true,
      messages: [{ role: "user", content: "fix it" }],
      tools: [{ name: "edit", description: "Edits.", input_schema: { type: "object", properties: {} } }],
    }),
  });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  const events = (await response.text()).split("\n\n").flatMap((block) => {
    const name = /^event: (.+)$/m.exec(block)?.[1];
    const data = /^data: (.+)$/m.exec(block)?.[1];
    if (name === undefined || data === undefined) return [];
    return [`${name} ${fields(JSON.parse(data)).join(" ")}`];
  });
  return events.filter((event, index) => event !== events[index - 1]); // how an answer is cut into deltas is free
}

/** The paths of all members, in order; what is inside a tool's input is the model's. */
function fields(value: unknown, path = ""): readonly string[] {
  if (typeof value !== "object" || value === null || path.endsWith("input")) return [path];
  return Object.entries(value)
    .flatMap(([key, member]) => fields(member, path === "" ? key : `${path}.${key}`))
    .sort();
}

describe("our emulator beside it", () => {
  it("sends the same events in the same order for the same turn, and no event lacks a field that the other one has", async () => {
    const mock = await worker();
    const emulator = await startEmulator({
      scenario: { turns: [{ say: "Editing.", call: [{ tool: "edit", input: EDIT }] }] },
    });
    onTestFinished(() => emulator.close());
    const [ours, theirs] = [await shape(emulator.url), await shape(mock.url)];
    const names = (events: readonly string[]): readonly string[] =>
      events.map((event) => event.split(" ")[0] ?? "").filter((name) => name !== "ping");
    expect(names(ours)).toEqual(names(theirs));
    const missing = theirs.map((event, index) => {
      const own = ours.filter((one) => !one.startsWith("ping"))[index]?.split(" ") ?? [];
      return event.split(" ").filter((field) => !own.includes(field));
    });
    expect(missing.flat()).toEqual([]);
  });
});
