import { describe, expect, it } from "vitest";
import { exactText } from "../../../src/cli/view/exact-text.ts";
import { lookAlikes } from "../../../src/cli/view/look-alike.ts";
import { displayWidth, wrapped } from "../../../src/cli/view/width.ts";
import { fc } from "../../support/property.ts";

const LONG = process.env["BELAY_TEST_LONG"] === "1";

describe("text that a person judges", () => {
  it.each([
    ["a plain command", "npm run build -- --flag='a b'", "npm run build -- --flag='a b'"],
    ["lines", "a\nb", "a\nb"],
    ["a tab", "a\tb", "a⟨TAB⟩b"],
    ["an escape sequence", "ls \u001b[8mrm\u001b[0m", "ls ⟨U+001B⟩[8mrm⟨U+001B⟩[0m"],
    ["a carriage return", "rm -rf ~\rls", "rm -rf ~⟨U+000D⟩ls"],
    ["a zero-width space", "r\u200bm", "r⟨U+200B⟩m"],
    ["text that is turned round", "a\u202eb", "a⟨U+202E⟩b"],
    ["tags", "ls\u{e0072}\u{e006d}", "ls⟨U+E0072⟩⟨U+E006D⟩"],
    ["a blank that is none", "ls\u00a0-l\u3000x", "ls⟨U+00A0⟩-l⟨U+3000⟩x"],
    ["a Hangul filler", "x\u3164y", "x⟨U+3164⟩y"],
    ["marks over ASCII", "rm\u0336", "rm⟨U+0336⟩"],
    ["letters of other languages", "echo größe 日本語 привет हिन्दी", "echo größe 日本語 привет हिन्दी"],
    ["blanks that push the rest away", `ls${" ".repeat(200)}; rm x`, "ls⟨200 blanks⟩; rm x"],
    ["lines that push the rest away", `ls\n${" \n".repeat(50)}rm x`, "ls\n⟨50 empty lines⟩\nrm x"],
  ])("shows %s", (_, text, shown) => {
    expect(exactText(text).text).toBe(shown);
  });

  it("names each marked character once, and no tab", () => {
    expect(exactText("\t\u200b\u200b\u202e").marked).toEqual(["U+200B", "U+202E"]);
  });

  it("leaves no control, format, default-ignorable or foreign blank character of all there are", () => {
    const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;
    const step = LONG ? 1 : 7;
    for (let code = 0; code <= 0x10ffff; code += code < 0x3100 ? 1 : step) {
      const { text } = exactText(`a${String.fromCodePoint(code)}b`);
      expect(code === 0x0a ? "" : text, code.toString(16)).not.toMatch(unseen);
      expect(text).toMatch(/^a[^]*b$/u);
    }
  });
});

describe("words that look like others", () => {
  it.each([
    [
      "a Cyrillic letter among Latin ones",
      "curl https://ex\u0430mple.com",
      '"ex\u0430mple" mixes scripts: \u0430 U+0430 is Cyrillic',
    ],
    ["a Greek one", "\u03bfpen", '"\u03bfpen" mixes scripts: \u03bf U+03BF is Greek'],
    [
      "a word of look-alikes alone",
      "\u0441\u043e\u0440\u0443 x",
      '"\u0441\u043e\u0440\u0443" is all Cyrillic, and reads like a Latin word: \u0441 U+0441, \u043e U+043E, \u0440 U+0440, \u0443 U+0443',
    ],
    [
      "full-width letters",
      "\uff52\uff4d x",
      '"\uff52\uff4d" looks like ASCII and is not: \uff52 U+FF52, \uff4d U+FF4D',
    ],
    ["a dash that is none", "rm \u2013rf x", '"\u2013" looks like ASCII and is not: \u2013 U+2013'],
    ["a slash that is none", "a\u2215b", '"\u2215" looks like ASCII and is not: \u2215 U+2215'],
    [
      "a name in punycode",
      "curl https://xn--80ak6aa92e.com",
      '"xn--80ak6aa92e.com" is a name in other letters, written in ASCII',
    ],
  ])("points out %s", (_, text, warning) => {
    expect(lookAlikes(text)).toEqual([warning]);
  });

  it.each([
    "npm run build",
    "git commit -m 'größere Änderung'",
    "echo привет мир",
    "echo 使用npm安装",
    "echo ελληνικά",
  ])("says nothing about %s", (text) => {
    expect(lookAlikes(text)).toEqual([]);
  });
});

describe("wrapping", () => {
  it("keeps every character, in rows of at most so many columns", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.integer({ min: 4, max: 40 }), (pieces, columns) => {
        const rows = wrapped(pieces, columns, columns);
        expect(rows.map((row) => row.map(({ text }) => text).join("")).join("")).toBe(pieces.join(""));
        for (const row of rows) expect(displayWidth(row.map(({ text }) => text).join(""))).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
