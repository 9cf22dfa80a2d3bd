/** The words by which texts are found. */
import { describe, expect, it } from "vitest";
import { QUERY_WORDS_MAX, queryWords, WORD_CHARS_MAX, wordsOf } from "../../../src/store/search-words.ts";
import { fc } from "../../support/property.ts";

describe("the words of a text", () => {
  it.each([
    ["Führe `npm run test:unit` aus", ["fuhre", "npm", "run", "test", "unit", "aus"]],
    ["ERR_MODULE_NOT_FOUND", ["err", "module", "not", "found"]],
    ["useEffect(HTTPServer2)", ["useeffect", "use", "effect", "httpserver2"]],
    ["移行は", ["移", "行", "は", "移行", "行は"]],
    ["v1.2-β", ["v1", "2", "β"]],
    ["\u0000 \ud800 — *", []],
    ["x".repeat(WORD_CHARS_MAX + 9), ["x".repeat(WORD_CHARS_MAX)]],
  ])("of %j are %j", (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it("hold nothing that an index could take for syntax, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        for (const word of [...wordsOf(text), ...queryWords(text).map((one) => one.word)]) {
          expect(word).toMatch(/^[\p{L}\p{N}\p{M}]+$/u);
          expect([...word].length).toBeLessThanOrEqual(WORD_CHARS_MAX);
        }
      }),
    );
  });

  it("are found again by the same text, each", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        const known = new Set(wordsOf(text));
        for (const { word } of queryWords(text)) expect(known).toContain(word);
      }),
    );
  });
});

describe("the words of a query", () => {
  it("are each meant once, and as a beginning from four characters on", () => {
    expect(queryWords("Run the tests, the TESTS")).toEqual([
      { word: "run", prefix: false },
      { word: "the", prefix: false },
      { word: "tests", prefix: true },
    ]);
  });

  it("are the longest of many", () => {
    const short = Array.from({ length: 40 }, (_, n) => `a${n}`);
    const words = queryWords(`${short.join(" ")} migrations vitest`).map(({ word }) => word);
    expect(words).toHaveLength(QUERY_WORDS_MAX);
    expect(words.slice(0, 2)).toEqual(["migrations", "vitest"]);
  });

  it("are none where there is no word", () => {
    for (const query of ["", "  ", "*", `""`, "---"]) expect(queryWords(query)).toEqual([]);
  });
});
