import { describe, expect, test } from "vitest";
import { pathFromText } from "../../../src/workspace/byte-path.ts";
import { freezeRules, type IgnoreFile, literally } from "../../../src/workspace/snapshot/ignore-rules.ts";

const file = (path: string, ...lines: readonly string[]): IgnoreFile => ({
  path: pathFromText(path),
  content: Buffer.from(lines.join("\n")),
});
const frozen = (...files: readonly IgnoreFile[]): readonly string[] =>
  freezeRules(null, files, []).toString("latin1").trimEnd().split("\n");

describe("frozen rules", () => {
  test("rules of the top stay as they are; comments, empty lines, marks, carriage returns and trailing space go", () => {
    const top = file(
      ".gitignore",
      "\u00ef\u00bb\u00bf".length === 3 ? "# comment" : "",
      "",
      "*.log  ",
      "a\\ ",
      "/x\r",
      "!y",
    );
    expect(frozen(top)).toEqual(["*.log", "a\\ ", "/x", "!y"]);
    const marked: IgnoreFile = {
      path: pathFromText(".gitignore"),
      content: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from("z\n")]),
    };
    expect(frozen(marked)).toEqual(["z"]);
  });

  test("rules of a nested file reach below its directory and no further", () => {
    expect(frozen(file("a/b/.gitignore", "x", "/y", "c/d", "e/", "!z", "!/w", "**/q"))).toEqual([
      "/a/b/**/x",
      "/a/b/y",
      "/a/b/c/d",
      "/a/b/**/e/",
      "!/a/b/**/z",
      "!/a/b/w",
      "/a/b/**/q",
    ]);
  });

  test("what is deeper is stronger, and so comes later; the repository's own exclude file is weakest", () => {
    const rules = freezeRules(
      Buffer.from("w\n"),
      [file("a/b/.gitignore", "3"), file(".gitignore", "1"), file("a/.gitignore", "2")],
      ["/last/"],
    );
    expect(rules.toString()).toBe("w\n1\n/a/**/2\n/a/b/**/3\n/last/\n");
  });

  test("a directory's name means itself, whatever characters it has", () => {
    expect(literally("a*b?[c]\\d\ne")).toBe("a\\*b\\?\\[c\\]\\\\d?e");
  });
});
