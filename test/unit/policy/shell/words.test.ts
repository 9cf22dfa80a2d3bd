/* eslint-disable no-template-curly-in-string -- these are expansions of bash */
import { describe, expect, it } from "vitest";
import { readWord } from "../../../../src/policy/shell/words.ts";
import { fc } from "../../../support/property.ts";

describe("a word", () => {
  it.each([
    ["ls", "ls"],
    ["--name=x/y.ts", "--name=x/y.ts"],
    ["'a b'", "a b"],
    ['"a b"', "a b"],
    [`g"i"'t'`, "git"],
    ["''", ""],
    ["'$x `y` \\ !'", "$x `y` \\ !"],
    ["{}", "{}"],
    ["[", "["],
    ["a@b:c,d%e+f^g", "a@b:c,d%e+f^g"],
    [String.raw`"a\"b"`, 'a"b'],
    [String.raw`"\$x \`y\` \\ \n \("`, String.raw`$x ${"`y`"} \ \n \(`],
    [String.raw`\*.ts`, "*.ts"],
    [String.raw`a\;b`, "a;b"],
  ])("of literal text and plain quotes is known: %s", (source, text) => {
    expect(readWord(source)).toEqual({ text, plain: true });
  });

  it.each(
    '\\rm|r\\m|$\'\\x72m\'|$"a"|$x|${x}|"$x"|$(x)|`x`|"`x`"|$((1))|*.ts|a?|[ab]|{a,b}|{1..3}|~|~/x|a=~/x|!x|"!"|a#b|"a\\!b"|<(x)|@(a)|é|x{|$'.split(
      "|",
    ),
  )("that bash makes something of keeps its source and is not plain: %s", (source) => {
    expect(readWord(source)).toEqual({ text: source, plain: false });
  });

  it("is plain only if nothing in it outside of single quotes means anything", () => {
    fc.assert(
      fc.property(fc.string(), (source) => {
        const word = readWord(source);
        const unquoted = source.replace(/'[^']*'|\\[.*?[\]();$"'|&<>#]|"(?:[^"\\]|\\.)*"/g, "");
        if (word.plain && source.length > 2) expect(unquoted).not.toMatch(/[$`\\*?~!;&|<>()\n#]/);
      }),
    );
  });
});
