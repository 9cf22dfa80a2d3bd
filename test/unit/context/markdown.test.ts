import { describe, expect, it } from "vitest";
import { importsIn, IMPORTS_NAMED_MAX, withoutComments } from "../../../src/context/markdown.ts";

describe("comments in instruction files", () => {
  it.each([
    ["a block of its own goes", "a\n<!-- note\nto people -->\nb\n", "a\nb\n"],
    ["what follows it on its line stays", "<!-- x --> b\nc", " b\nc"],
    ["one within a line stays", "a <!-- b --> c", "a <!-- b --> c"],
    ["one in a fence stays", "```html\n<!-- b -->\n```\n<!-- c -->\nd", "```html\n<!-- b -->\n```\nd"],
    ["one that is never closed stays", "a\n<!-- b\nc", "a\n<!-- b\nc"],
    ["one in an indented block stays", "    <!-- b -->\n", "    <!-- b -->\n"],
    ["an arrow before it closes nothing", "-->\n<!-- b\n", "-->\n<!-- b\n"],
  ])("%s", (_, text, expected) => {
    expect(withoutComments(text)).toBe(expected);
  });
});

describe("`@path` imports", () => {
  it("stand at the beginning of a word, each once, without the sentence's punctuation and without a place in the file", () => {
    expect(importsIn("See @AGENTS.md, and (not a@b.c) @docs/x.md#part. @AGENTS.md\n- @~/.claude/me.md").paths).toEqual([
      "AGENTS.md",
      "docs/x.md",
      "~/.claude/me.md",
    ]);
  });

  it("may hold a blank that is escaped", () => {
    expect(importsIn("@docs/my\\ notes.md").paths).toEqual(["docs/my notes.md"]);
  });

  it.each([
    ["a code span", "run `npm i @types/node`"],
    ["a code span over two lines", "run `npm i\n@types/node`"],
    ["a span of two backticks that holds one", "run ``a ` @b.md``"],
    ["a fence", "```\n@a.md\n```"],
    ["a fence of tildes that is never closed", "~~~\n@a.md\n```\n@b.md"],
    ["a longer fence", "````\n```\n@a.md\n````"],
  ])("do not stand in %s", (_, text) => {
    expect(importsIn(text).paths).toEqual([]);
  });

  it.each([
    ["backticks that are never closed", "it`s @a.md"],
    ["backticks of two paragraphs", "a ` b\n\n@a.md ` c"],
    ["a fence that was closed", "```\n```\n@a.md"],
  ])("stand after %s", (_, text) => {
    expect(importsIn(text).paths).toEqual(["a.md"]);
  });

  it("may be all that a file says", () => {
    expect(importsIn("@AGENTS.md\n\n@b.md\n").alone).toBe(true);
    expect(importsIn("@AGENTS.md\nand more").alone).toBe(false);
    expect(importsIn("```\ncode\n```").alone).toBe(false);
  });

  it("are bounded in number", () => {
    const { paths, left_out } = importsIn(
      Array.from({ length: IMPORTS_NAMED_MAX + 7 }, (_, i) => `@f${String(i)}`).join(" "),
    );
    expect([paths.length, left_out]).toEqual([IMPORTS_NAMED_MAX, 7]);
  });

  it("are found in time linear in the text, whatever it is made of", () => {
    // Each would take minutes if its reading were quadratic.
    for (const piece of ["`", "`a``", "<!--", "<!-- \n", "@", "@a ", "```\n", "\\ ", "#", "@a!!!!!!!!!!!"]) {
      const text = piece.repeat(Math.ceil(300_000 / piece.length));
      expect(importsIn(withoutComments(text)).paths.length).toBeLessThanOrEqual(IMPORTS_NAMED_MAX);
    }
  });
});
