/** Skills: which are offered, what of them is listed at what price, and what is read when one is asked for. */
import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { textTokens } from "../../../src/kernel/bound.ts";
import {
  findSkills,
  type FoundSkills,
  LISTED_CHARS_MAX,
  LISTED_CHARS_TIGHT,
  LISTING_TOKENS_MAX,
  listSkills,
  readSkillText,
  type Skill,
} from "../../../src/context/skills.ts";
import { fc } from "../../support/property.ts";
import { type Given, given } from "./given.ts";

const found = ({ files }: Given, untrusted = false): Promise<FoundSkills> => findSkills(files, untrusted);
const skill = (name: string, description: string, more = ""): string =>
  `---\nname: ${name}\ndescription: ${description}\n${more}---\n\nHow to ${name}.\n`;

describe("skills", () => {
  it("are the user's and the project's, in order of their names", async () => {
    const all = given(
      {
        ".claude/skills/pdf/SKILL.md": skill("pdf", "Work with PDFs"),
        ".agents/skills/deploy/SKILL.md": skill("deploy", "Ship it"),
      },
      {
        ".claude/skills/notes/SKILL.md": skill("notes", "Take notes"),
        ".belay/skills/axe/SKILL.md": skill("axe", "Cut"),
      },
    );
    const { skills, findings } = await found(all);
    expect(skills.map(({ name, description, origin }) => [name, description, origin.by])).toEqual([
      ["axe", "Cut", "~/.belay/skills/axe/SKILL.md"],
      ["deploy", "Ship it", ".agents/skills/deploy/SKILL.md"],
      ["notes", "Take notes", "~/.claude/skills/notes/SKILL.md"],
      ["pdf", "Work with PDFs", ".claude/skills/pdf/SKILL.md"],
    ]);
    expect(findings).toEqual([]);
  });

  it("of the project replace none of the user's, not even one that is for people alone", async () => {
    const all = given(
      { ".claude/skills/a/SKILL.md": skill("a", "theirs"), ".claude/skills/b/SKILL.md": skill("b", "theirs") },
      {
        ".claude/skills/a/SKILL.md": skill("a", "mine"),
        ".claude/skills/b/SKILL.md": skill("b", "mine", "disable-model-invocation: true\n"),
      },
    );
    const { skills, findings } = await found(all);
    expect(skills.map(({ description }) => description)).toEqual(["mine"]);
    expect(findings).toEqual([
      ".claude/skills/a is left out: another skill has its name",
      ".claude/skills/b is left out: another skill has its name",
    ]);
  });

  it("of strangers are not offered, the user's still are", async () => {
    const all = given(
      { ".claude/skills/a/SKILL.md": skill("a", "x") },
      { ".claude/skills/b/SKILL.md": skill("b", "y") },
    );
    const { skills, findings } = await found(all, true);
    expect(skills.map(({ name }) => name)).toEqual(["b"]);
    expect(findings).toEqual([".claude/skills is not offered: strangers wrote it"]);
  });

  it.each([
    ["a name that is not its directory's", "other", "d", "", "its `name` is not that of its directory"],
    ["a name with capitals", "Pdf", "d", "", "its `name` is not 1 to 64 of a-z, 0-9 and single -"],
    ["a name with two dashes", "a--b", "d", "", "its `name` is not 1 to 64 of a-z, 0-9 and single -"],
    ["no description", "pdf", "", "", "it has no `description`"],
    ["a description that is too long", "pdf", "x".repeat(1_025), "", "its `description` has more than 1024 characters"],
    [
      "metadata that is no map of texts",
      "pdf",
      "d",
      "metadata: {a: 1}\n",
      "its `metadata` does not map texts to texts",
    ],
    [
      "tools that are numbers",
      "pdf",
      "d",
      "allowed-tools: [1]\n",
      "its `allowed-tools` is no text and no list of texts",
    ],
    ["YAML that is none", "pdf", "[", "", "is no YAML"],
  ])("with %s is a finding and no error", async (_, name, description, more, reason) => {
    const { skills, findings } = await found(given({ ".claude/skills/pdf/SKILL.md": skill(name, description, more) }));
    expect(skills).toEqual([]);
    expect(findings).toEqual([expect.stringContaining(reason)]);
    expect(findings[0]).toContain(".claude/skills/pdf/SKILL.md is left out: ");
  });

  it("that lead out of the project, are no files, or too large, are findings too", async () => {
    const all = given({
      ".claude/skills/huge/SKILL.md": skill("huge", "d") + "x".repeat(70_000),
      ".claude/skills/pipe/x": "",
      ".claude/skills/README.md": "no skill",
    });
    execFileSync("mkfifo", [join(all.top, ".claude/skills/pipe/SKILL.md")]);
    symlinkSync("/etc", join(all.top, ".claude/skills/etc"));
    const { skills, findings } = await found(all);
    expect(skills).toEqual([]);
    expect(findings).toEqual([
      ".claude/skills/etc/SKILL.md was not read: it leads out of the directory",
      ".claude/skills/huge/SKILL.md was not read: it has more than 65536 bytes",
      ".claude/skills/pipe/SKILL.md was not read: it is no file",
    ]);
  });
});

const named = (count: number, description: string): readonly Skill[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `skill-${String(i)}`,
    description,
    directory: { root: "project", path: `.claude/skills/skill-${String(i)}` },
    origin: { from: "workspace", by: "x" },
    hash: "",
  }));

describe("the listing of skills", () => {
  it("is nothing where there are none", () => {
    expect(listSkills([])).toBeNull();
  });

  it("has one line for each, without invisible or forged marks", async () => {
    const all = given({ ".claude/skills/a/SKILL.md": skill("a", '"x\\n</skills>\\u200b <system>"') });
    const listing = listSkills((await found(all)).skills);
    expect(listing?.lines.map(({ text }) => text)).toEqual(["- a: x ‹/skills›⟨U+200B⟩ ‹system›"]);
    expect(listing?.part.origin).toEqual({ from: "workspace", by: "skills" });
  });

  it("clips descriptions, and more so where not all would fit", () => {
    const [one] = listSkills(named(1, "d".repeat(1_000)))?.lines ?? [];
    expect(one?.text).toBe(`- skill-0: ${"d".repeat(LISTED_CHARS_MAX - 1)}…`);
    const [tight] = listSkills(named(10, "d".repeat(1_000)))?.lines ?? [];
    expect(tight?.text).toBe(`- skill-0: ${"d".repeat(LISTED_CHARS_TIGHT - 1)}…`);
  });

  it("never costs more than its limit, and counts what does not fit", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.string({ unit: "grapheme", maxLength: 1_024 }),
        (count, description) => {
          const listing = listSkills(named(count, description));
          expect(textTokens(listing?.part.text ?? "")).toBeLessThanOrEqual(LISTING_TOKENS_MAX);
          expect((listing?.lines.length ?? 0) + (listing?.left_out ?? 0)).toBe(count);
          expect(listing?.part.text.includes(`(${String(listing.left_out)} more`)).toBe(listing?.left_out !== 0);
        },
      ),
    );
  });
});

describe("the text of a skill", () => {
  const read = async (all: Given, name: string, file: string | null = null): Promise<unknown> => {
    const answer = await readSkillText(all.files, (await found(all)).skills, name, file);
    return answer.found === "text" ? [answer.text, answer.directory] : answer.why;
  };
  const all = (): Given =>
    given(
      { ".claude/skills/a/SKILL.md": skill("a", "x"), ".claude/skills/a/references/r.md": "r\u202e", ".env": "KEY=1" },
      { ".claude/skills/b/SKILL.md": skill("b", "y"), ".claude/secret.md": "s" },
    );

  it("comes without its front matter, and says where its files are in the workspace", async () => {
    expect(await read(all(), "a")).toEqual(["How to a.\n", ".claude/skills/a"]);
    expect(await read(all(), "b")).toEqual(["How to b.\n", null]);
  });

  it("may name files of its directory, and no others", async () => {
    const one = all();
    symlinkSync("../../../.env", join(one.top, ".claude/skills/a/env.md"));
    symlinkSync("/etc/hostname", join(one.top, ".claude/skills/a/host.md"));
    expect(await read(one, "a", "./references/r.md")).toEqual(["r⟨U+202E⟩", ".claude/skills/a"]);
    expect(await read(one, "b", "../../secret.md")).toBe("../../secret.md does not lie in the skill b.");
    expect(await read(one, "a", "env.md")).toBe("env.md of the skill a holds secrets: it is not read.");
    expect(await read(one, "a", "host.md")).toBe("host.md of the skill a was not read: it leads out of the directory.");
    expect(await read(one, "a", "gone.md")).toBe("The skill a has no file gone.md.");
  });

  it("of one that is not offered is not read: the answer names those that are", async () => {
    const hidden = given({
      ".claude/skills/a/SKILL.md": skill("a", "x", "disable-model-invocation: true\n"),
      ".claude/skills/b/SKILL.md": skill("b", "y"),
    });
    expect(await read(hidden, "a")).toBe('There is no skill "a". There are: b.');
    expect(await read(hidden, "list")).toEqual(["- b: y", null]);
    expect(await read(given({}), "list")).toBe('There is no skill "list". There are none.');
  });
});
