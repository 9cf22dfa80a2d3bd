/** The difference of two texts: applied to one it gives the other, and it reads as `diff -u` does. */
import { describe, expect, it } from "vitest";
import { unifiedDiff } from "../../../src/cli/view/unified-diff.ts";
import { fc } from "../../support/property.ts";

const NAMES = { from: "a", to: "b" };

function diff(from: string, to: string): string {
  return unifiedDiff({ name: NAMES.from, text: from }, { name: NAMES.to, text: to });
}

/** What `patch` does with it. */
function patched(from: string, patch: string): string {
  const lines = from === "" ? [] : from.replace(/\n$/, "").split("\n");
  let at = 0;
  let ends = from === "" || from.endsWith("\n");
  const made: string[] = [];
  const body = patch.split("\n").slice(2);
  for (const [i, line] of body.entries()) {
    const head = /^@@ -(\d+)(?:,(\d+))? /.exec(line);
    if (head !== null) {
      const first = Number(head[1]) - (head[2] === "0" ? 0 : 1);
      made.push(...lines.slice(at, first));
      at = first;
    } else if (line.startsWith("\\")) {
      if (body[i - 1]?.startsWith("-") === true) ends = true;
      else ends = false;
    } else if (line.startsWith("+")) made.push(line.slice(1));
    else {
      expect(line.slice(1)).toBe(lines[at]);
      if (line.startsWith(" ")) made.push(line.slice(1));
      at += 1;
    }
  }
  made.push(...lines.slice(at));
  return made.length === 0 ? "" : made.join("\n") + (ends ? "\n" : "");
}

const text = fc
  .array(fc.constantFrom("one", "two", "three", "", "  four"), { maxLength: 30 })
  .map((lines) => lines.map((line) => `${line}\n`).join(""));

describe("a difference", () => {
  it("applied to one text gives the other", () => {
    fc.assert(
      fc.property(text, text, (from, to) => {
        const patch = diff(from, to);
        expect(patch === "").toBe(from === to);
        if (patch !== "") expect(patched(from, patch)).toBe(to);
      }),
      { numRuns: 300 },
    );
  });

  it("shows three lines around a change, and names its place", () => {
    const lines = Array.from({ length: 12 }, (_, i) => `line ${i + 1}`);
    const to = lines.with(5, "other");
    expect(diff(`${lines.join("\n")}\n`, `${to.join("\n")}\n`).split("\n")).toEqual([
      "--- a",
      "+++ b",
      "@@ -3,7 +3,7 @@",
      " line 3",
      " line 4",
      " line 5",
      "-line 6",
      "+other",
      " line 7",
      " line 8",
      " line 9",
    ]);
  });

  it("of a text that is new begins nowhere", () => {
    expect(diff("", "one\n")).toBe("--- a\n+++ b\n@@ -0,0 +1 @@\n+one");
  });

  it("sees that only the end of the last line differs", () => {
    expect(diff("one", "one\n")).toBe("--- a\n+++ b\n@@ -1 +1 @@\n-one\n\\ No newline at end of file\n+one");
  });

  it("of two long texts with nothing in common is bounded: all of one is replaced by the other", () => {
    const many = (word: string): string => Array.from({ length: 5_000 }, (_, i) => `${word} ${i}\n`).join("");
    const patch = diff(many("a"), many("b")).split("\n");
    expect(patch).toHaveLength(2 + 1 + 10_000);
  });
});
