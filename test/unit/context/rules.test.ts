/** Rules: which count from the start, which wait for a file, and what is done with those that are damaged or made to do harm. */
import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FRONT_MATTER_BYTES_MAX, readFrontMatter } from "../../../src/context/front-matter.ts";
import {
  findRules,
  type FoundRules,
  RULE_BYTES_MAX,
  RULE_FILES_MAX,
  rulePart,
  rulesDue,
  touchedPath,
} from "../../../src/context/rules.ts";
import { HarnessError } from "../../../src/kernel/harness-error.ts";
import { type Given, given } from "./given.ts";

const found = ({ files }: Given, untrusted = false): Promise<FoundRules> => findRules(files, untrusted);
const rule = (front: string, text = "Do so."): string => `---\n${front}\n---\n\n${text}\n`;

describe("rules", () => {
  it("are the user's, then the project's, from directories of directories too", async () => {
    const all = given(
      { ".claude/rules/b.md": "B", ".claude/rules/a/x.md": "AX", ".claude/rules/notes.txt": "no" },
      { ".claude/rules/me.md": "ME" },
    );
    const { rules, findings } = await found(all);
    expect(rules.map(({ name, text, paths }) => [name, text, paths])).toEqual([
      ["~/.claude/rules/me.md", "ME", null],
      [".claude/rules/a/x.md", "AX", null],
      [".claude/rules/b.md", "B", null],
    ]);
    expect(findings).toEqual([]);
  });

  it("with `paths` are due when a file that they are about is touched, and once", async () => {
    const all = given({
      ".claude/rules/api.md": rule('paths: ["src/api/**/*.ts"]'),
      ".claude/rules/docs.md": rule("paths: docs/**, README.{md,txt}", "Short."),
      ".claude/rules/all.md": "Always.",
    });
    const { rules } = await found(all);
    const due = (touched: readonly string[], loaded: readonly string[] = []): readonly string[] =>
      rulesDue(rules, touched, new Set(loaded)).map(({ name }) => name);
    expect(due(["src/api/v1/users.ts"])).toEqual([".claude/rules/api.md"]);
    expect(due(["README.txt", "src/api/a.ts"])).toEqual([".claude/rules/api.md", ".claude/rules/docs.md"]);
    expect(due(["src/api/a.ts"], [".claude/rules/api.md"])).toEqual([]);
    expect(due(["src/web/a.ts", "doc"])).toEqual([]);
  });

  it("stand between marks that their text cannot close; those of strangers between none of ours", async () => {
    const all = given({ ".claude/rules/a.md": "x\n</rule>\n< / RULE> <external-1>" });
    const [mine] = (await found(all)).rules;
    expect(mine && rulePart(mine)).toEqual({
      type: "text",
      text: '<rule path=".claude/rules/a.md">\nx\n&lt;/rule>\n&lt; / RULE> &lt;external-1>\n</rule>',
      origin: { from: "workspace", by: ".claude/rules/a.md" },
    });
    const [theirs] = (await found(all, true)).rules;
    expect(theirs && rulePart(theirs)).toMatchObject({
      text: "x\n</rule>\n< / RULE> <external-1>",
      origin: { untrusted: true },
    });
  });

  it("that cannot be read are left out and said; the others count", async () => {
    const all = given({
      ".claude/rules/alias.md": rule("paths: **/*.ts"),
      ".claude/rules/open.md": "---\npaths: [a]\n",
      ".claude/rules/number.md": rule("paths: 7"),
      ".claude/rules/wide.md": rule(`paths: "${"{a,b}".repeat(20)}"`),
      ".claude/rules/list.md": rule("- a\n- b"),
      ".claude/rules/empty.md": rule("paths: a", " "),
      ".claude/rules/good.md": "Good.",
    });
    execFileSync("mkfifo", [join(all.top, ".claude/rules/pipe.md")]);
    symlinkSync("/etc/hostname", join(all.top, ".claude/rules/link.md"));
    symlinkSync("/etc", join(all.top, ".claude/rules/etc"));
    const { rules, findings } = await found(all);
    expect(rules.map(({ name }) => name)).toEqual([".claude/rules/good.md"]);
    expect(findings).toEqual([
      ".claude/rules/etc was not read: it leads out of the directory",
      expect.stringContaining("alias.md has an alias: quote what begins with * or &"),
      ".claude/rules/link.md was not read: it leads out of the directory",
      expect.stringContaining("list.md is no list of names and values"),
      expect.stringContaining("In .claude/rules/number.md `paths` is no list of at most 32 globs"),
      expect.stringContaining("open.md does not end with a line of --- within 8192 bytes"),
      expect.stringContaining("In .claude/rules/wide.md the glob {a,b}{a,b}"),
    ]);
  });

  it("in directories that lead in a circle are read once", async () => {
    const all = given({ ".claude/rules/a/x.md": "X" });
    symlinkSync("..", join(all.top, ".claude/rules/a/loop"));
    expect((await found(all)).rules.map(({ text }) => text)).toEqual(["X"]);
  });

  it("are bounded in number and in size", async () => {
    const many = Array.from({ length: RULE_FILES_MAX + 3 }, (_, i) => [
      `.claude/rules/r${String(i).padStart(3, "0")}.md`,
      `${String(i)} ${"x".repeat(RULE_BYTES_MAX)}`,
    ]);
    const { rules, findings } = await found(given(Object.fromEntries(many) as Record<string, string>)); // pairs
    expect(rules).toHaveLength(RULE_FILES_MAX);
    expect(rules.every(({ text }) => text.length <= RULE_BYTES_MAX)).toBe(true);
    expect(findings[0]).toBe(".claude/rules has more than 100 files: the others are left out");
  });
});

describe("the file that a call touches", () => {
  it.each([
    [{ path: "./src/../a.ts" }, "a.ts"],
    [{ path: "/w/src/a.ts" }, "src/a.ts"],
    [{ file_path: "b.ts" }, "b.ts"],
    [{ path: "/etc/passwd" }, null],
    [{ path: "../a" }, null],
    [{ pattern: "x" }, null],
  ])("%j is %s", (input, path) => {
    expect(touchedPath(input as { path: string }, "/w")).toBe(path); // or without one
  });
});

describe("front matter", () => {
  const refused = async (text: string): Promise<string> => {
    const error: unknown = await readFrontMatter(text, "f.md").then(
      () => null,
      (reason: unknown) => reason,
    );
    return error instanceof HarnessError ? error.happened : String(error);
  };

  it("is what stands between two lines of dashes at the beginning", async () => {
    expect(await readFrontMatter("---\r\na: 1\r\n---\r\n\r\nbody\n---\n", "f.md")).toEqual({
      fields: { a: 1 },
      body: "body\n---\n",
    });
    expect(await readFrontMatter("---\n---\nbody", "f.md")).toEqual({ fields: {}, body: "body" });
    expect(await readFrontMatter("body\n---\na: 1\n---\n", "f.md")).toEqual({
      fields: {},
      body: "body\n---\na: 1\n---\n",
    });
  });

  it.each([
    ["aliases that multiply", "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]", "has an alias"],
    ["lists in lists without end", `a: ${"[".repeat(4_000)}`, "is no YAML"],
    ["lists in lists that end", `a: ${"[".repeat(3_900)}${"]".repeat(3_900)}`, "is no YAML"],
    ["more bytes than it may have", `a: ${"x".repeat(FRONT_MATTER_BYTES_MAX)}`, "does not end"],
    ["one name twice", "a: 1\na: 2", "is no YAML"],
    ["several documents", "a: 1\n...\nb: 2", "is no YAML"],
  ])("with %s is refused", async (_, yaml, reason) => {
    expect(await refused(rule(yaml))).toContain(reason);
  });

  it("makes no types of its own and changes no object", async () => {
    const { fields } = await readFrontMatter(
      rule("a: !!js/function 'x'\n__proto__: {polluted: 1}\nd: 2026-01-01"),
      "f.md",
    );
    expect(fields["a"]).toBe("x");
    expect(fields["d"]).toBe("2026-01-01");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
  });
});
