/** The contract of a model, on every adapter that speaks to a provider through its official SDK, over recorded streams. */
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Clock } from "../../src/kernel/clock.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import { createOpenAIModel } from "../../src/model/openai/adapter.ts";
import type { ModelAnswer } from "../../src/model/model.ts";
import { startReplayServer } from "../../src/testing/model-contract/replay-server.ts";
import { describeModel, modelContract, readRecordings } from "../../src/testing/model-contract.ts";
import { listening, request, systemClock } from "../unit/model/samples.ts";

const streams = (provider: string): string => join(import.meta.dirname, "model-streams", provider);

describeModel(
  { describe, it },
  "anthropic",
  {
    recordings: await readRecordings(streams("anthropic")),
    make: (where) => createAnthropicModel({ apiKey: "sk-ant-contract", ...where }),
  },
  { skip: [] },
);

describeModel(
  { describe, it },
  "openai",
  {
    recordings: await readRecordings(streams("openai")),
    make: (where) => createOpenAIModel({ apiKey: "sk-contract", ...where }),
  },
  { skip: [] },
);

/** Everything both adapters take. */
interface Where {
  readonly apiKey?: string;
  readonly baseUrl: string;
  readonly clock: Clock;
}

describe.each([
  ["anthropic", (where: Where) => createAnthropicModel(where)],
  ["openai", (where: Where) => createOpenAIModel(where)],
])("%s says that nothing was sent", (_, make) => {
  const facts = (answer: ModelAnswer): object => (answer.ok ? answer : { kind: answer.kind, sent: answer.sent });
  const clock = systemClock;

  it.each([
    ["without a key", undefined],
    ["with a key that no header can carry", "sk-ключ"],
  ])("%s", async (__, apiKey) => {
    const model = make({ baseUrl: "http://127.0.0.1:1", clock, ...(apiKey === undefined ? {} : { apiKey }) });
    expect(facts(await model.call(request(), listening()))).toEqual({ kind: "auth", sent: false });
  });

  it("to a name that does not resolve", async () => {
    const model = make({ apiKey: "sk-x", baseUrl: "http://no-such-host.invalid", clock });
    expect(facts(await model.call(request(), listening()))).toEqual({ kind: "dns", sent: false });
  });

  it("where no encrypted connection came about", async () => {
    const server = await startReplayServer();
    onTestFinished(() => server.close());
    const model = make({ apiKey: "sk-x", baseUrl: server.url.replace("http:", "https:"), clock });
    expect(facts(await model.call(request(), listening()))).toEqual({ kind: "tls", sent: false });
    expect(server.requests).toEqual([]);
  });
});

describe("the contract itself", () => {
  it("refuses a skip without a reason, or of a case that does not exist", () => {
    const runner = { describe: () => undefined, it: Object.assign(() => undefined, { skip: () => undefined }) };
    const under = { recordings: [], make: () => Promise.reject(new RangeError("never made")) };
    const skip = (reason: string, tests: readonly string[]) => () =>
      describeModel(runner, "x", under, { skip: [{ reason, tests }] });
    expect(skip(" ", [])).toThrow("a skip has a reason");
    expect(skip("r", ["no such case"])).toThrow("no such case");
  });

  it("names every case once", () => {
    const names = modelContract.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
