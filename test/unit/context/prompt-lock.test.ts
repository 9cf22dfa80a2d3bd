/** The lock file: stable, and never taken for what it is not. */
import { describe, expect, it } from "vitest";
import { lockDifference, type LockedPrompt, lockText, readLock } from "../../../src/context/prompt-lock.ts";
import { hashOf } from "../../../src/kernel/envelope.ts";
import { fc } from "../../support/property.ts";

const TOOL = '{\n  "name": "read",\n  "input": {}\n}';
const PROMPTS: readonly LockedPrompt[] = [
  { kind: "skill", name: ".claude/skills/b/SKILL.md", hash: hashOf("b"), tokens: 1, text: null },
  { kind: "tool", name: "read", hash: hashOf(JSON.stringify(JSON.parse(TOOL))), tokens: 9, text: TOOL },
  { kind: "system", name: "work", hash: hashOf("Work.\nWell."), tokens: 4, text: "Work.\nWell." },
  { kind: "skill", name: ".claude/skills/Ä/SKILL.md", hash: hashOf("a"), tokens: 1, text: null },
];
const TEXT = lockText(PROMPTS);

describe("a lock file", () => {
  it("has the same bytes whatever the order in which the prompts were found, and is read back as it was", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...PROMPTS], { minLength: PROMPTS.length }), (order) => {
        expect(lockText(order)).toBe(TEXT);
      }),
    );
    expect(readLock(TEXT).map(({ name }) => name)).toEqual([
      "work",
      "read",
      ".claude/skills/b/SKILL.md",
      ".claude/skills/Ä/SKILL.md",
    ]);
    expect(lockText(readLock(TEXT))).toBe(TEXT);
    expect(TEXT.endsWith("}\n")).toBe(true);
  });

  it("shows belay's own texts line by line, so that a review sees what an upgrade changed", () => {
    expect(TEXT).toContain('        "Work.",\n        "Well."\n');
  });

  const broken: readonly (readonly [string, string, RegExp])[] = [
    ["cut off", TEXT.slice(0, -40), /it is no JSON/],
    ["empty", "", /it is no JSON/],
    ["another thing", "[]", /it is no lock file of this version/],
    ["of a later version", TEXT.replace('"version": 1', '"version": 2'), /no lock file of this version at version/],
    ["with more in it", TEXT.replace('"version": 1', '"version": 1, "also": 2'), /no lock file of this version/],
    ["with a hash that is none", TEXT.replace(hashOf("b"), "b"), /at prompts\.\d+\.hash/],
    ["with a text that was edited", TEXT.replace('"Well."', '"Badly."'), /system work is not what its hash says/],
    ["with a tool that was edited", TEXT.replace(String.raw`\"read\"`, String.raw`\"rm\"`), /tool read is not what/],
    ["with a tool that is no JSON", TEXT.replace('"{",', '"{{",'), /tool read is not what its hash says/],
    ["in conflict", `<<<<<<< HEAD\n${TEXT}=======\n${TEXT}>>>>>>> other\n`, /marks of a merge conflict/],
  ];
  for (const [what, text, wrong] of broken) {
    it(`that is ${what} is refused with a way on`, () => {
      expect(() => readLock(text)).toThrow(expect.objectContaining({ kind: "config_invalid" }) as Error);
      expect(() => readLock(text)).toThrow(wrong);
      expect(() => readLock(text)).toThrow(/belay prompts lock/);
    });
  }

  it("that names a prompt twice is refused", () => {
    const [first] = PROMPTS;
    if (first === undefined) throw new Error("there are prompts");
    expect(() => readLock(lockText([first, first]))).toThrow(/names skill .* twice/);
  });

  it("that is refused repeats nothing of what it says: a link may have led to a secret", () => {
    expect(() => readLock("aws_secret = wJalrXUtnFEMI")).toThrow(/^(?!.*wJalr).*$/s);
  });
});

it("a difference names what changed, what is new and what is gone, in the order of the file", () => {
  const [skill, tool, work, other] = PROMPTS;
  if (skill === undefined || tool === undefined || work === undefined || other === undefined) throw new Error("four");
  const present = [{ ...work, hash: hashOf("Rest.") }, skill, { ...skill, kind: "rule" as const }, other];
  expect(lockDifference(PROMPTS, present)).toMatchObject({
    changed: [{ kind: "system", name: "work", from: work.hash, to: hashOf("Rest.") }],
    added: [{ kind: "rule" }],
    removed: [{ kind: "tool", name: "read" }],
  });
  expect(lockDifference(PROMPTS, PROMPTS)).toEqual({ changed: [], added: [], removed: [] });
});
