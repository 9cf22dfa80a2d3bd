/* eslint-disable no-template-curly-in-string -- these are expansions of bash */
import { describe, expect, it } from "vitest";
import { commandsOf } from "../../../support/shell-reading.ts";

describe("a variable whose value the text says", () => {
  it.each([
    ['for f in a b; do cat "$f"; done', ["cat a", "cat b"]],
    ["f=a; cat $f.ts", ["", "cat a.ts"]],
    ['f=a && cat "${f}/x"', ["", "cat a/x"]],
    ['for d in p/*; do ls "$d/x"; done', ["ls ⟨p/*/x⟩"]],
  ])("%s", async (text, commands) => {
    expect(await commandsOf(text)).toEqual(commands);
  });

  it.each([
    'for f in a; do read f; cat "$f"; done',
    'f=a; f=b; cat "$f"',
    'f=a | cat "$f"',
    '(f=a); cat "$f"',
    'f=a & cat "$f"',
    'if x; then f=a; fi; cat "$f"',
    'f=$(x); cat "$f"',
  ])("is not known where it may be another: %s", async (text) => {
    expect((await commandsOf(text)).join("\n")).toContain('cat ⟨"$f"⟩');
  });
});
