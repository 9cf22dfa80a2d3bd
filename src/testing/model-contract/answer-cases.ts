/** A stream that arrives whole gives exactly its answer, however its bytes are cut into packets. */
import assert from "node:assert/strict";
import type { ModelAnswer } from "../../model/model.ts";
import {
  bare,
  bytes,
  ear,
  modelCase,
  type ModelContractCase,
  NOISE,
  nextRequest,
  requestFor,
  success,
  textOf,
  whole,
  wholeAnswers,
} from "./case.ts";
import { eventsOf, type Recording } from "./recording.ts";

/** Packet sizes in bytes that are no divisor of anything: they end inside characters and inside line ends. */
const PACKETS = [7, 61];

export const answerCases: readonly ModelContractCase[] = [
  modelCase("makes of every recorded response exactly the answer that is recorded with it", async (stage) => {
    for (const recorded of stage.under.recordings) {
      holds(await stage.call(whole(recorded), requestFor(recorded)), recorded, recorded.name);
    }
  }),

  modelCase("makes the same answer of it in packets that end inside characters", async (stage) => {
    for (const recorded of stage.under.recordings) {
      for (const size of PACKETS) {
        const answer = await stage.call(whole(recorded, packets(recorded.body, size)), requestFor(recorded));
        holds(answer, recorded, `${recorded.name} in packets of ${size} bytes`);
      }
    }
  }),

  modelCase("makes the same answer of it with CRLF line ends", async (stage) => {
    for (const recorded of stage.under.recordings) {
      const body = recorded.body.replaceAll("\n", "\r\n");
      const answer = await stage.call(whole(recorded, packets(body, 13)), requestFor(recorded));
      holds(answer, recorded, `${recorded.name} with CRLF`);
    }
  }),

  modelCase("says text and tools in deltas that add up to the answer", async (stage) => {
    for (const recorded of wholeAnswers(stage.under)) {
      const heard = ear();
      const answer = success(await stage.call(whole(recorded), requestFor(recorded), heard), recorded.name);
      assert.equal(heard.text(), textOf(answer.parts), recorded.name);
      const named = heard.deltas.flatMap((delta) => (delta.type === "tool_use" ? [delta.name] : []));
      const calls = answer.parts.filter((part) => part.type === "tool_use");
      // A refusal's calls were said, and are not handed out.
      if (answer.stop !== "refusal")
        assert.deepEqual(
          named,
          calls.map(({ name }) => name),
          recorded.name,
        );
    }
  }),

  modelCase(
    "gives every tool call an id of ours, and says of everything that it came from the model",
    async (stage) => {
      for (const recorded of wholeAnswers(stage.under)) {
        const { parts } = success(await stage.call(whole(recorded), requestFor(recorded)), recorded.name);
        const ids = parts.flatMap((part) => (part.type === "tool_use" ? [part.call] : []));
        assert.equal(new Set(ids).size, ids.length, recorded.name);
        assert.ok(
          parts.every(({ origin }) => origin.from === "model"),
          recorded.name,
        );
      }
    },
  ),

  modelCase("is not touched by comments and by events of an unknown type, wherever they stand", async (stage) => {
    const noise = (stage.under.noise ?? NOISE).join("");
    for (const recorded of wholeAnswers(stage.under)) {
      const body = noise + eventsOf(recorded).join(noise);
      holds(
        await stage.call(whole(recorded, [bytes(body)]), requestFor(recorded)),
        recorded,
        `${recorded.name}, noisy`,
      );
    }
  }),

  modelCase("makes no second tool call of an event that comes twice", async (stage) => {
    for (const recorded of wholeAnswers(stage.under)) {
      const events = eventsOf(recorded);
      const once = success(await stage.call(whole(recorded), requestFor(recorded)), recorded.name);
      for (const [index, event] of events.entries()) {
        const body = [...events.slice(0, index + 1), event, ...events.slice(index + 1)].join("");
        const answer = await stage.call(whole(recorded, [bytes(body)]), requestFor(recorded));
        if (!answer.ok) continue;
        const calls = (parts: typeof answer.parts): readonly string[] =>
          parts.flatMap((part) => (part.type === "tool_use" ? [`${part.provider_id} ${part.name}`] : []));
        const about = `${recorded.name}, event ${index} twice`;
        assert.deepEqual(calls(answer.parts), calls(once.parts), about);
        assert.equal(answer.stop, once.stop, about);
      }
    }
  }),

  modelCase("sends an answer back exactly as the provider wants it", async (stage) => {
    for (const recorded of wholeAnswers(stage.under)) {
      const { sent_back } = recorded.expected;
      if (sent_back === null) continue;
      const first = requestFor(recorded);
      const answer = success(await stage.call(whole(recorded), first), recorded.name);
      await stage.call(whole(recorded), nextRequest(first, answer));
      assert.deepEqual(JSON.parse(stage.server.requests.at(-1) ?? "null"), sent_back, recorded.name);
    }
  }),
];

function holds(answer: ModelAnswer, { expected }: Recording, about: string): void {
  const shown = answer.ok ? { ...answer, parts: answer.parts.map(bare) } : answer;
  // Members of an answer are looked at by the names that the recording gives.
  const found = Object.fromEntries(Object.keys(expected.answer).map((key) => [key, shown[key as keyof typeof shown]]));
  assert.deepEqual(found, expected.answer, `${about}: ${answer.ok ? "" : answer.message}`);
}

function packets(text: string, size: number): readonly Uint8Array[] {
  const all = bytes(text);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
}
