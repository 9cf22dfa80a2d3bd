import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { clipMiddle, countLines } from "../../../src/tool/clip.ts";
import { plainTerminalText } from "../../../src/tool/terminal-text.ts";

describe("a long text for the model", () => {
  const gap = (n: number): string => `[${String(n)} out]`;

  it("keeps its beginning and its end, by whole lines, and counts what is between", () => {
    const text = Array.from({ length: 100 }, (_, i) => `line ${String(i)}`).join("\n");
    const clipped = clipMiddle(text, 200, gap);
    const shown = clipped.text.split("\n");
    expect([shown[0], shown.at(-1), clipped.clipped]).toEqual(["line 0", "line 99", true]);
    expect(shown.length - 1 + clipped.lines_left_out).toBe(100);
  });

  it("is never longer than it may be, but for the gap, and untouched when it fits", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 400, unit: fc.constantFrom("a", "\n", "é", "😀") }),
        fc.integer({ min: 10, max: 300 }),
        (text, max) => {
          const { text: shown, clipped } = clipMiddle(text, max, gap);
          if (!clipped) expect(shown).toBe(text);
          expect(shown.length).toBeLessThanOrEqual(Math.max(text.length, 0) <= max ? max : max + 20);
          expect(shown.isWellFormed()).toBe(true);
        },
      ),
    );
  });

  it("counts lines as an editor does", () => {
    expect(["", "a", "a\n", "a\nb", "\n"].map(countLines)).toEqual([0, 1, 1, 2, 1]);
  });
});

describe("what a terminal was told", () => {
  it.each([
    ["colours", "\u001b[1;31mred\u001b[0m", "red"],
    ["a title and a link", "\u001b]0;title\u0007\u001b]8;;http://x\u001b\\text\u001b]8;;\u001b\\", "text"],
    ["the clipboard", "a\u001b]52;c;ZXZpbA==\u0007b", "ab"],
    ["an unfinished sequence, with its line at most", "a\u001b]52;c;ZXZpbA\nb\u0090c\nd", "a\nb\nd"],
    ["eight-bit controls", "\u009b31mred\u009d0;t\u009cx", "redx"],
    ["a progress bar", "10%\r50%\r100%\ndone", "100%\ndone"],
    ["line ends of a terminal", "a\r\nb\r\r\nc", "a\nb\nc"],
    ["bells and nulls", "a\u0007b\u0000", "ab"],
    ["letters struck over", "N\u0008NA\u0008A _\u0008x rm\u0008\u0008ls", "NA x ls"],
    ["tabs and text", "a\tb é 😀", "a\tb é 😀"],
  ])("is taken out: %s", (_, raw, plain) => {
    expect(plainTerminalText(raw)).toBe(plain);
  });

  it("never holds an escape or a control character afterwards, whatever it was", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom("\u001b", "[", "]", "0", ";", "m", "\u0007", "\\", "\r", "\n", "a", "P", "\u009b"),
        }),
        (raw) => {
          expect(plainTerminalText(raw)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
        },
      ),
    );
  });
});
