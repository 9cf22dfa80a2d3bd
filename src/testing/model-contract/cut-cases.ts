/** A stream that ends early, wherever that is, gives a failure with what had been said, and never a tool call. */
import assert from "node:assert/strict";
import type { ModelAnswer } from "../../model/model.ts";
import { bytes, ear, modelCase, type ModelContractCase, requestFor, type Stage, textOf, wholeAnswers } from "./case.ts";
import { eventsOf, lastNeeded, type Recording } from "./recording.ts";
import type { Reply } from "./replay-server.ts";

/** Every so many bytes a stream is cut inside its events; a number without a rhythm. */
const STEP_BYTES = 97;

export const cutCases: readonly ModelContractCase[] = [
  ...(["end", "cut"] as const).map((then) =>
    modelCase(
      then === "end"
        ? "fails as stream_cut when the stream ends after any event but the last"
        : "fails as stream_cut when the connection is lost after any event but the last",
      async (stage) => {
        for (const recorded of wholeAnswers(stage.under)) {
          const events = eventsOf(recorded);
          for (let count = 0; count < lastNeeded(events); count++) {
            const body = events.slice(0, count).join("");
            await cut(stage, recorded, { head: recorded, chunks: body === "" ? [] : [bytes(body)], then });
          }
        }
      },
    ),
  ),

  modelCase("fails as stream_cut when the stream ends inside an event, also inside a character", async (stage) => {
    for (const recorded of wholeAnswers(stage.under)) {
      const events = eventsOf(recorded);
      const end = bytes(events.slice(0, lastNeeded(events)).join("")).length;
      const all = bytes(recorded.body);
      const inside = [...all.keys()].filter((at) => ((all[at] ?? 0) & 0xc0) === 0x80);
      const steps = Array.from({ length: Math.floor(end / STEP_BYTES) }, (_, i) => (i + 1) * STEP_BYTES);
      for (const at of [...new Set([...inside.slice(0, 20), ...steps])].filter((position) => position < end)) {
        await cut(stage, recorded, { head: recorded, chunks: [all.subarray(0, at)], then: "end" });
      }
    }
  }),

  modelCase("does not take a stream for whole whose last event is cut in its data", async (stage) => {
    for (const recorded of wholeAnswers(stage.under)) {
      const events = eventsOf(recorded);
      const last = lastNeeded(events);
      const before = events.slice(0, last).join("");
      const event = events[last] ?? "";
      const data = event.indexOf("data:");
      for (const at of [data, data + 6, Math.floor((data + event.length) / 2), event.trimEnd().length - 1]) {
        const body = before + event.slice(0, at);
        await cut(stage, recorded, { head: recorded, chunks: [bytes(body)], then: "end" });
      }
    }
  }),

  modelCase("fails where a 200 has no body, or one that is no stream", async (stage) => {
    const [recorded] = wholeAnswers(stage.under);
    assert.ok(recorded);
    const html = { "content-type": "text/html" };
    for (const [headers, body] of [
      [recorded.headers, ""],
      [html, ""],
      [html, "<html><body>Sign in to the network</body></html>"],
    ] as const) {
      const reply: Reply = { head: { status: 200, headers }, chunks: body === "" ? [] : [bytes(body)], then: "end" };
      const answer = failure(await stage.call(reply, requestFor(recorded)), "no stream");
      assert.ok(["protocol", "stream_cut", "empty_response"].includes(answer.kind), `${body}: ${answer.kind}`);
    }
  }),
];

async function cut(stage: Stage, recorded: Recording, reply: Reply): Promise<void> {
  const heard = ear();
  const answer = await stage.call(reply, requestFor(recorded), heard);
  const about = `${recorded.name}, ${reply.then} after ${reply.chunks[0]?.length ?? 0} bytes`;
  const { kind, partial, aborted, sent, http, rate } = failure(answer, about);
  assert.deepEqual({ kind, aborted, sent, http }, { kind: "stream_cut", aborted: false, sent: true, http: 200 }, about);
  assert.equal(partial, heard.text(), about);
  const { answer: expected } = recorded.expected;
  // The headers had come, whatever came after them.
  assert.deepEqual(rate, expected["rate"] ?? null, about);
  const said = Array.isArray(expected["parts"]) ? textOf(expected["parts"] as Parameters<typeof textOf>[0]) : ""; // parts, as `holds` compares them
  assert.ok(said.startsWith(partial), `${about}: ${partial}`);
}

function failure(answer: ModelAnswer, about: string): Extract<ModelAnswer, { readonly ok: false }> {
  assert.equal(answer.ok, false, about);
  return answer; // just asserted
}
