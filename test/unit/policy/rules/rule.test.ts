/** The grammar of permission rules. */
import { describe, expect, it } from "vitest";
import { parseRule } from "../../../../src/policy/rules/rule.ts";

function problemOf(text: string): string | null {
  const reading = parseRule(text);
  return reading.ok ? null : reading.problem;
}

function kindOf(text: string): string {
  const reading = parseRule(text);
  return reading.ok ? reading.rule.kind : "unreadable";
}

describe("a permission rule", () => {
  it.each([
    ["Bash", "tool"],
    ["Bash(*)", "tool"],
    ["bash", "tool"],
    ["web_fetch", "tool"],
    ["Bash(npm run *)", "command"],
    ["Bash(ls:*)", "command"],
    ["Read(./.env)", "path"],
    ["Read(//etc/hosts)", "path"],
    ["Edit(src/**)", "path"],
    ["Grep(secrets/**)", "path"],
    ["WebFetch(domain:example.com)", "domain"],
    ["WebFetch(domain:*.example.com)", "domain"],
    ["mcp__github", "mcp"],
    ["mcp__github__*", "mcp"],
    ["mcp__github__create_issue", "mcp"],
    ["Agent(model:opus)", "param"],
    ["Agent(Explore)", "named"],
    ["Task(Explore)", "named"],
  ])("%s is read as %s", (text, kind) => {
    expect(kindOf(text)).toBe(kind);
  });

  it("names the tool that was probably meant", () => {
    expect(problemOf("Bsh(ls)")).toBe("There is no tool `Bsh`. Was `Bash` meant?");
    expect(problemOf("WebFetc(domain:a.b)")).toContain("`WebFetch`");
    expect(problemOf("Frobnicate")).toBe("There is no tool `Frobnicate`.");
  });

  it.each([
    "",
    "Bash()",
    "Bash(ls",
    "Bash ls",
    "Bash(ls\u0000)",
    "Bash(ls\u200b)",
    "Bash(ls\u00a0x)",
    "Bash(echo 'x)",
    "Read(../x)",
    "Read(!x)",
    "WebFetch(example.com)",
    "WebFetch(domain:https://example.com)",
    "WebFetch(domain:exa*mple.com)",
    "WebSearch(x)",
    "mcp__github(x)",
    "x".repeat(2_001),
  ])("%j is refused with a reason", (text) => {
    expect(problemOf(text)).not.toBeNull();
  });

  it("has the same words for `ls:*` and `ls *`", () => {
    expect(parseRule("Bash(ls:*)")).toEqual(parseRule("Bash(ls *)"));
  });
});
