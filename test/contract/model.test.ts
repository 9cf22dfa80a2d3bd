/**
 * What every model behind the port does (M1 to M3), run on the scripted model and on the Anthropic adapter over real
 * HTTP against the emulator.
 */
import { afterAll, describe, expect, it } from "vitest";
import type { ErrorKind } from "../../src/kernel/error-kind.ts";
import type { JsonObject } from "../../src/kernel/json.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import type { Model } from "../../src/model/model.ts";
import { type Emulator, startEmulator } from "../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../src/testing/emulator/scenario.ts";
import {
  callTools,
  fail,
  hang,
  refuse,
  say,
  scriptedModel,
  type ScriptedStep,
  think,
} from "../../src/testing/scripted-model.ts";
import { listening, request, systemClock } from "../unit/model/samples.ts";

/** One step, said once for both. */
type Plan =
  | { readonly plan: "say"; readonly text: string }
  | {
      readonly plan: "work";
      readonly think: string;
      readonly text: string;
      readonly calls: readonly { name: string; input: JsonObject }[];
    }
  | { readonly plan: "fail"; readonly kind: ErrorKind; readonly status: number }
  | { readonly plan: "refuse"; readonly text: string }
  | { readonly plan: "hang" };

interface Subject {
  readonly name: string;
  readonly start: (plans: readonly Plan[]) => Promise<Model>;
}

const emulators: Emulator[] = [];
afterAll(async () => {
  await Promise.all(emulators.map((emulator) => emulator.close()));
});

const SCRIPTED: Subject = {
  name: "the scripted model",
  start: (plans) => {
    const step = (plan: Plan): ScriptedStep => {
      switch (plan.plan) {
        case "say":
          return say(plan.text);
        case "work":
          return think(plan.think, callTools(plan.calls, { text: plan.text }));
        case "fail":
          return fail(plan.kind);
        case "refuse":
          return refuse(plan.text);
        case "hang":
          return hang();
      }
    };
    return Promise.resolve(scriptedModel(plans.map(step)));
  },
};

const ANTHROPIC: Subject = {
  name: "the Anthropic adapter",
  start: async (plans) => {
    const turn = (plan: Plan): NonNullable<ScenarioInput["turns"]>[number] => {
      switch (plan.plan) {
        case "say":
          return { say: plan.text };
        case "work":
          return {
            think: plan.think,
            say: plan.text,
            call: plan.calls.map(({ name, input }) => ({ tool: name, input })),
          };
        case "fail":
          return { say: "never", fault: { status: plan.status } };
        case "refuse":
          return { say: plan.text, stop: "refusal" };
        case "hang":
          return { say: "never", fault: { silence_after_event: 2 } };
      }
    };
    const emulator = await startEmulator({ scenario: { turns: plans.map(turn) } });
    emulators.push(emulator);
    return createAnthropicModel({ apiKey: "sk-ant-test", baseUrl: emulator.url, clock: systemClock });
  },
};

const WORK: Plan = {
  plan: "work",
  think: "I should look at both files before I say anything. 🎉",
  text: "I read both files, including the one with an ümlaut in its name.",
  calls: [
    { name: "read", input: { path: "a/b.txt", nested: { list: [1, 2, { deep: null }] } } },
    { name: "read", input: {} },
  ],
};

describe.each([SCRIPTED, ANTHROPIC])("$name", ({ start }) => {
  it("ends with one complete message that its deltas add up to", async () => {
    const model = await start([WORK]);
    const heard = listening();
    const answer = await model.call(request(), heard);
    expect(answer).toMatchObject({
      ok: true,
      stop: "tool_use",
      parts: [
        { type: "thinking", text: WORK.think },
        { type: "text", text: WORK.text },
        { type: "tool_use", name: "read", input: WORK.calls[0]?.input },
        { type: "tool_use", name: "read", input: {} },
      ],
    });
    const joined = (type: string): string =>
      heard.deltas.map((delta) => (delta.type === type && "text" in delta ? delta.text : "")).join("");
    expect([joined("thinking"), joined("text")]).toEqual([WORK.think, WORK.text]);
    const json = heard.deltas.map((delta) => (delta.type === "tool_input" ? delta.json : "")).join("");
    expect(json).toBe(WORK.calls.map(({ input }) => JSON.stringify(input)).join(""));
    expect(heard.deltas.filter(({ type }) => type === "tool_use").length).toBe(2);
  });

  it("gives every call an id of ours and keeps the provider's beside it, both unique", async () => {
    const model = await start([WORK]);
    const answer = await model.call(request(), listening());
    const calls = answer.ok ? answer.parts.filter((part) => part.type === "tool_use") : [];
    expect(new Set(calls.map(({ call }) => call)).size).toBe(2);
    expect(new Set(calls.map(({ provider_id }) => provider_id)).size).toBe(2);
    expect(calls.every(({ call }) => call.startsWith("call_"))).toBe(true);
  });

  it("reports usage and says everything it said came from the model", async () => {
    const model = await start([{ plan: "say", text: "hello" }]);
    const answer = await model.call(request(), listening());
    if (!answer.ok) throw new RangeError(answer.message);
    const { usage } = answer;
    expect(usage.output_tokens).toBeGreaterThan(0);
    expect(
      usage.input_tokens + usage.cache_read_tokens + usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
    ).toBeGreaterThan(0);
    expect(answer.parts.every(({ origin }) => origin.from === "model")).toBe(true);
  });

  it("answers a provider's failure as a value, and the next call is fresh", async () => {
    const model = await start([
      { plan: "fail", kind: "overloaded", status: 529 },
      { plan: "say", text: "back" },
    ]);
    expect(await model.call(request(), listening())).toMatchObject({
      ok: false,
      aborted: false,
      kind: "overloaded",
      partial: "",
    });
  });

  it("says a refusal as a success with its words", async () => {
    const model = await start([{ plan: "refuse", text: "I will not." }]);
    expect(await model.call(request(), listening())).toMatchObject({
      ok: true,
      stop: "refusal",
      parts: [{ type: "text", text: "I will not." }],
    });
  });

  it("ends at once as aborted when its signal was aborted before", async () => {
    const model = await start([{ plan: "say", text: "hello" }]);
    const heard = listening(AbortSignal.abort());
    expect(await model.call(request(), heard)).toMatchObject({ ok: false, aborted: true, kind: "interrupted" });
    expect(heard.deltas).toEqual([]);
  });

  it("ends as aborted while nothing comes", async () => {
    const model = await start([{ plan: "hang" }]);
    const abort = new AbortController();
    const pending = model.call(request(), listening(abort.signal));
    setImmediate(() => abort.abort());
    expect(await pending).toMatchObject({ ok: false, aborted: true, kind: "interrupted" });
  });

  it("aborted at any delta, is silent from then on and hands out nothing but what had been said", async () => {
    const whole = listening();
    await (await start([WORK])).call(request(), whole);
    for (let position = 1; position <= whole.deltas.length; position++) {
      const abort = new AbortController();
      let count = 0;
      const heard = listening(abort.signal, () => {
        if (++count === position) abort.abort();
      });
      const answer = await (await start([WORK])).call(request(), heard);
      const said = whole.deltas
        .slice(0, position)
        .map((delta) => (delta.type === "text" ? delta.text : ""))
        .join("");
      expect(answer).toMatchObject({ ok: false, aborted: true, kind: "interrupted", partial: said });
      expect(heard.deltas).toEqual(whole.deltas.slice(0, position));
    }
  });
});
