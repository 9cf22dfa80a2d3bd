import { fc } from "../../support/property.ts";
import { describe, expect, test } from "vitest";
import { asStored, isCrlfThroughout, looksBinary, toCrlf, toLf } from "../../../src/workspace/delivery/line-endings.ts";

const text = (content: string): Buffer => Buffer.from(content);

describe("line endings", () => {
  test("to LF and back to CRLF is the same, for text that is CRLF throughout", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string().filter((line) => !/[\r\n]/.test(line)),
          { minLength: 2 },
        ),
        (lines) => {
          const crlf = text(lines.join("\r\n"));
          expect(isCrlfThroughout(crlf)).toBe(true);
          expect(toCrlf(toLf(crlf))).toEqual(crlf);
        },
      ),
    );
  });

  test("as stored: text always in LF, automatic only for text that is not stored with CRLF already", () => {
    const crlf = text("a\r\nb\r\n");
    expect(asStored(crlf, "as_is", null)).toEqual(crlf);
    expect(asStored(crlf, "text", crlf)).toEqual(text("a\nb\n"));
    expect(asStored(crlf, "auto", null)).toEqual(text("a\nb\n"));
    expect(asStored(crlf, "auto", crlf)).toEqual(crlf);
    const binary = Buffer.concat([crlf, Buffer.from([0])]);
    expect(asStored(binary, "auto", null)).toEqual(binary);
  });

  test("NUL, a lone CR or much that cannot be printed is binary", () => {
    expect([text("a\0"), text("a\rb"), Buffer.from([1, 2, 3]), text("plain\r\n\ttext\n")].map(looksBinary)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});
