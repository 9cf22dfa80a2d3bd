/** Redaction of text that arrives in pieces: T1 and T2, wherever the pieces end. */
import { describe, expect, it } from "vitest";
import type { Delta } from "../../../src/kernel/delta.ts";
import type { ToolCallId } from "../../../src/kernel/ids.ts";
import { redactedDeltas, redactedStream } from "../../../src/store/redaction-stream.ts";
import { fc } from "../../support/property.ts";
import { redactorOf } from "../../support/session-fixture.ts";
import { KNOWN, KNOWN_FORMS, SAMPLES } from "../../support/secret-samples.ts";

const LONG = process.env["BELAY_TEST_LONG"] === "1";
/** Places to cut at: all of them, or a sample that begins at another one for every text. */
function places(whole: string): readonly number[] {
  const step = LONG ? 1 : Math.max(1, Math.floor(whole.length / 12));
  const all = Array.from({ length: whole.length + 1 }, (_, i) => i);
  return all.filter((place) => place % step === whole.length % step);
}

/** @param ends where pieces end */
function inPieces(text: string, ends: readonly number[], redactor = redactorOf(KNOWN)): string {
  const stream = redactedStream(redactor);
  const borders = [0, ...[...ends].sort((a, b) => a - b), text.length];
  const pieces = borders.slice(1).map((to, i) => text.slice(borders[i], to));
  return pieces.map((piece) => stream.push(piece)).join("") + stream.end();
}

describe("a stream of text", () => {
  it.each(SAMPLES)("holds no $kind, wherever it is cut in two", ({ text, secret }) => {
    const whole = `before\n${text}\nafter`;
    for (const at of places(whole)) {
      expect(inPieces(whole, [at]), `cut at ${at}`).not.toContain(secret);
    }
  });

  it.each(SAMPLES)("holds no $kind that comes a few characters at a time", ({ text, secret }) => {
    const whole = `say: ${text} and more`;
    const step = LONG || whole.length < 100 ? 1 : 5;
    expect(
      inPieces(
        whole,
        Array.from({ length: Math.ceil(whole.length / step) }, (_, i) => i * step),
      ),
    ).not.toContain(secret);
  });

  it.each(KNOWN_FORMS)("holds no known secret %s, wherever it is cut in two", (_, form, secret) => {
    const whole = `before ${form} after`;
    for (const at of places(whole)) expect(inPieces(whole, [at])).not.toContain(secret);
  });

  it("loses nothing: with its tokens turned back it is the whole text", () => {
    const words = fc.constantFrom(
      "the ",
      "token ",
      "password: ",
      "\n",
      "a.b(c) ",
      KNOWN.value,
      " = ",
      '"',
      "-----BEGIN ",
    );
    const texts = fc.array(fc.oneof(words, fc.string({ maxLength: 6 })), { maxLength: 40 }).map((all) => all.join(""));
    fc.assert(
      fc.property(texts, fc.array(fc.nat(200), { maxLength: 12 }), (text, ends) => {
        const redactor = redactorOf(KNOWN);
        const cut = inPieces(
          text,
          ends.filter((end) => end <= text.length),
          redactor,
        );
        expect(cut).not.toContain(KNOWN.value);
        expect(redactor.restore(cut)).toBe(text);
      }),
    );
  });

  it("gives out ordinary text word by word", () => {
    const stream = redactedStream(redactorOf(KNOWN));
    expect(["The te", "sts pas", "s. Now ", "好的"].map((piece) => stream.push(piece))).toEqual([
      "The ",
      "tests ",
      "pass. Now ",
      "好的",
    ]);
  });

  it("T2: holds no more than its limit, whatever comes", () => {
    const stream = redactedStream(redactorOf(KNOWN));
    let given = 0;
    for (let i = 0; i < 40; i++) given += stream.push("token".repeat(1_000)).length;
    expect(given).toBeGreaterThan(40 * 5_000 - 50_000);
    expect(given + stream.end().length).toBe(40 * 5_000);
  });
});

describe("deltas", () => {
  const call = "call_1" as ToolCallId;
  const other = "call_2" as ToolCallId;
  const half = Math.floor(KNOWN.value.length / 2);
  const shown = (deltas: readonly Delta[]): string =>
    deltas.map((delta) => ("text" in delta ? delta.text : delta.type === "tool_input" ? delta.json : "")).join("");

  it("of one kind are one text; another kind, and the end of the call, give out the rest", () => {
    const out: Delta[] = [];
    const deltas = redactedDeltas(redactorOf(KNOWN), (delta) => out.push(delta));
    deltas.push({ type: "text", text: `It is ${KNOWN.value.slice(0, half)}` });
    deltas.push({ type: "text", text: `${KNOWN.value.slice(half)}. Word` });
    expect(shown(out)).not.toContain(KNOWN.value.slice(0, half));
    deltas.push({ type: "tool_use", name: "bash" });
    expect(out.at(-1)).toEqual({ type: "tool_use", name: "bash" });
    expect(shown(out)).toMatch(/^It is \[secret:DEPLOY_KEY:[0-9a-f]{8}\]\. Word$/);
  });

  it("of two commands at a time are two texts, and the end of one decides nothing of the other", () => {
    const out: Delta[] = [];
    const deltas = redactedDeltas(redactorOf(KNOWN), (delta) => out.push(delta));
    deltas.push({ type: "tool_progress", call, text: KNOWN.value.slice(0, half) });
    deltas.push({ type: "tool_progress", call: other, text: "ready" });
    const data = { call: other, status: "ok", content: [], output: null, exit: null, duration_ms: 0 } as const;
    deltas.ended([{ kind: "ToolFinished", data: { ...data, content: [] } }]);
    expect(out).toEqual([{ type: "tool_progress", call: other, text: "ready" }]);
    deltas.push({ type: "tool_progress", call, text: KNOWN.value.slice(half) });
    deltas.ended([{ kind: "ToolFinished", data: { ...data, call, content: [] } }]);
    expect(shown(out)).toMatch(/^ready\[secret:DEPLOY_KEY:[0-9a-f]{8}\]$/);
  });
});
