import { describe, expect, it } from "vitest";
import { InvariantError } from "../../../src/kernel/harness-error.ts";
import { totalTokens } from "../../../src/kernel/usage.ts";
import {
  callTool,
  callTools,
  fail,
  hang,
  refuse,
  say,
  scriptedModel,
  think,
} from "../../../src/testing/scripted-model.ts";
import { listening, request, text, user } from "./samples.ts";

describe("the scripted model", () => {
  it("answers its steps in order, streams them, and keeps what it was asked", async () => {
    const model = scriptedModel([
      think("hm", callTool("read", { path: "a" }, { text: "Reading." })),
      say("Grüße 🎉, that is all of it."),
    ]);
    const first = listening();
    const answer = await model.call(request(), first);
    expect(answer).toMatchObject({
      ok: true,
      stop: "tool_use",
      parts: [
        { type: "thinking", text: "hm" },
        { type: "text", text: "Reading." },
        { type: "tool_use", name: "read", input: { path: "a" }, provider_id: "toolu_scripted_1_1" },
      ],
    });
    expect(first.deltas.map(({ type }) => type)).toEqual(["thinking", "text", "tool_use", "tool_input"]);
    const second = listening();
    expect(await model.call(request({ messages: [user(text("next"))] }), second)).toMatchObject({
      ok: true,
      stop: "end_turn",
    });
    expect(second.deltas.map((delta) => (delta.type === "text" ? delta.text : "")).join("")).toBe(
      "Grüße 🎉, that is all of it.",
    );
    expect(model.calls.map(({ messages }) => messages.length)).toEqual([1, 1]);
    model.assertComplete();
  });

  it("gives each call of a batch an id of its own", async () => {
    const model = scriptedModel([
      callTools([
        { name: "read", input: {} },
        { name: "read", input: {} },
      ]),
    ]);
    const answer = await model.call(request(), listening());
    const ids = answer.ok ? answer.parts.map((part) => (part.type === "tool_use" ? part.call : "")) : [];
    expect(new Set(ids).size).toBe(2);
  });

  it("fails loudly, naming the position, when asked for more than scripted", async () => {
    const model = scriptedModel([say("one")]);
    await model.call(request(), listening());
    await expect(model.call(request(), listening())).rejects.toThrow(InvariantError);
    await expect(scriptedModel([]).call(request(), listening())).rejects.toThrow(
      "call 1 was made, the script has 0 step(s)",
    );
  });

  it("fails loudly, naming them, when steps are left", async () => {
    const model = scriptedModel([say("one"), hang(), fail("overloaded")]);
    await model.call(request(), listening());
    expect(model.remaining()).toBe(2);
    expect(() => model.assertComplete()).toThrow("2 (hang), 3 (fail)");
  });

  it("fails as told", async () => {
    const model = scriptedModel([fail("rate_limit", { retry_after_ms: 500, http: 429, partial: "half" })]);
    expect(await model.call(request(), listening())).toEqual({
      ok: false,
      aborted: false,
      kind: "rate_limit",
      message: "scripted failure: rate_limit",
      http: 429,
      request_id: null,
      retry_after_ms: 500,
      rate: null,
      sent: true,
      partial: "half",
      usage: null,
    });
  });

  it("refuses", async () => {
    expect(await scriptedModel([refuse("No.")]).call(request(), listening())).toMatchObject({
      ok: true,
      stop: "refusal",
      parts: [{ text: "No." }],
    });
  });

  it("hangs until it is aborted", async () => {
    const abort = new AbortController();
    const pending = scriptedModel([hang()]).call(request(), listening(abort.signal));
    abort.abort();
    expect(await pending).toMatchObject({ ok: false, aborted: true, kind: "interrupted" });
  });

  it("stops at an abort in the middle of its deltas, with what had been said", async () => {
    const abort = new AbortController();
    const heard = listening(abort.signal, () => abort.abort());
    const answer = await scriptedModel([say("x".repeat(100))]).call(request(), heard);
    expect(answer).toMatchObject({ ok: false, aborted: true, partial: "x".repeat(20) });
    expect(heard.deltas.length).toBe(1);
  });

  it("waits where a step says so", async () => {
    const gate = Promise.withResolvers<undefined>();
    const heard = listening();
    const pending = scriptedModel([say("late", { after: gate.promise })]).call(request(), heard);
    expect(heard.deltas).toEqual([]);
    gate.resolve(undefined);
    expect(await pending).toMatchObject({ ok: true });
  });

  it("reports usage that grows with the conversation and reads back what it wrote", async () => {
    const model = scriptedModel([say("a"), say("b")]);
    const first = await model.call(request(), listening());
    const second = await model.call(
      request({ messages: [user(text("read a")), { role: "assistant", parts: [] }, user(text("more".repeat(50)))] }),
      listening(),
    );
    if (!first.ok || !second.ok) throw new RangeError("both answer");
    // All but its end, where the list of messages goes on now.
    expect(second.usage.cache_read_tokens).toBe(first.usage.cache_write_5m_tokens - 1);
    expect(totalTokens(second.usage)).toBeGreaterThan(totalTokens(first.usage));
  });
});
