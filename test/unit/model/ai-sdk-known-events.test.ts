/** What of a stream of Chat Completions reaches its package. */
import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { callsOnce, knownEvents } from "../../../src/model/ai-sdk/known-events.ts";

async function through(text: string, sizes: readonly number[], filter = knownEvents): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const chunks: Uint8Array[] = [];
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    chunks.push(bytes.slice(at, at + size));
    at += size;
  }
  return new Response(ReadableStream.from(chunks).pipeThrough(filter())).text();
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
const ends = fc.constantFrom("\n", "\r\n", "\r");

describe("a stream of Chat Completions", () => {
  it("loses events of a name that it does not have, and nothing else, however it is cut up", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 6 }), ends, sizes, async (known, end, cuts) => {
        const kept = `data: {"n":"ü🎉"}${end}${end}`;
        const dropped = `event: later.version${end}data: {"n":2}${end}${end}`;
        const text = known.map((one) => (one ? kept : dropped)).join("");
        expect(await through(text, cuts)).toBe(kept.repeat(known.filter(Boolean).length));
      }),
    );
  });

  it("keeps comments, an error that is named, and what a cut leaves of its last event", async () => {
    const text = ': waiting\n\nevent: error\ndata: {"error":{}}\n\ndata: [DONE]\n\ndata: {"hal';
    expect(await through(text, [4])).toBe(text);
  });
});

describe("a stream of Gemini's", () => {
  it("loses a call that comes again in an event that is the same to the byte, and no text that is said twice", async () => {
    const call = 'data: {"parts":[{"functionCall":{"name":"bash","args":{}}}]}\n\n';
    const said = 'data: {"parts":[{"text":"ha"}]}\n\n';
    const other = 'data: {"parts":[{"functionCall":{"name":"bash","args":{"a":1}}}]}\n\n';
    expect(await through([said, said, call, call, other, call].join(""), [7], callsOnce)).toBe(
      [said, said, call, other, call].join(""),
    );
  });

  it("fails where one event has no end", async () => {
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(1024 * 1024).fill(0x61));
      },
    });
    await expect(new Response(endless.pipeThrough(callsOnce())).text()).rejects.toMatchObject({ kind: "protocol" });
  });
});
