import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { OutputBuffer } from "../../../src/workspace/process/output.ts";

function bufferOf(chunks: readonly Buffer[], bytes_max: number): OutputBuffer {
  const buffer = new OutputBuffer(bytes_max);
  for (const chunk of chunks) buffer.add(chunk);
  return buffer;
}

const GAP = /\n\[… (\d+) bytes left out …\]\n/;

describe("the output of a command", () => {
  it("is the same text, however it arrived, as long as it fits", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 30 });
    fc.assert(
      fc.property(pieces, (chunks) => {
        const whole = Buffer.concat(chunks);
        const buffer = bufferOf(chunks.map(Buffer.from), Math.max(1, whole.length));
        expect(buffer.text()).toBe(whole.toString("utf8"));
        expect(buffer.truncated).toBe(false);
      }),
    );
  });

  it("keeps its first and its last half when it is longer, and counts what is missing, whatever the chunks", () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{0,50}$/), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 2, max: 200 }),
        (words, max) => {
          const whole = words.join("");
          fc.pre(whole.length > max);
          const buffer = bufferOf(
            words.map((word) => Buffer.from(word)),
            max,
          );
          const head = Math.ceil(max / 2);
          const tail = max - head;
          expect(buffer.text()).toBe(
            `${whole.slice(0, head)}\n[… ${String(whole.length - max)} bytes left out …]\n${whole.slice(whole.length - tail)}`,
          );
          expect([buffer.truncated, buffer.bytes]).toEqual([true, whole.length]);
        },
      ),
    );
  });

  it("is never cut inside a character", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 20, maxLength: 200 }),
        fc.integer({ min: 8, max: 60 }),
        (text, max) => {
          fc.pre(!text.includes("\uFFFD"));
          const bytes = Buffer.from(text);
          const buffer = new OutputBuffer(max);
          for (const byte of bytes) buffer.add(Buffer.from([byte]));
          expect(buffer.text()).not.toContain("\uFFFD");
          const left_out = Number(GAP.exec(buffer.text())?.[1] ?? 0);
          expect(Buffer.byteLength(buffer.text().replace(GAP, "")) + left_out).toBe(bytes.length);
        },
      ),
    );
  });
});
