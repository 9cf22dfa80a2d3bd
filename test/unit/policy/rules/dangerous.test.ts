/** Allow rules that allow more than they seem to. */
import { describe, expect, it } from "vitest";
import { dangerOf, strippedRules } from "../../../../src/policy/rules/dangerous.ts";

describe("a dangerous allow rule", () => {
  it.each([
    ["Bash", "any_command"],
    ["Bash(*)", "any_command"],
    ["Bash(:*)", "any_command"],
    ["Bash(* install)", "any_command"],
    ["Bash(python:*)", "any_command"],
    ["Bash(python3.12 *)", "any_command"],
    ["Bash(python3 -c *)", "any_command"],
    ["Bash(node *)", "any_command"],
    ["Bash(node -e:*)", "any_command"],
    ["Bash(/usr/bin/env *)", "any_command"],
    ["Bash(bash -c:*)", "any_command"],
    ["Bash(eval:*)", "any_command"],
    ["Bash(ssh:*)", "any_command"],
    ["Bash(xargs:*)", "any_command"],
    ["Bash(sudo:*)", "any_command"],
    ["Bash(npx:*)", "any_command"],
    ["Bash(npx *)", "any_command"],
    ["Bash(npm exec:*)", "any_command"],
    ["Bash(uv run *)", "any_command"],
    ["Bash(uv run python *)", "any_command"],
    ["Bash(docker exec app *)", "any_command"],
    ["Bash(git*)", "unsafe_shape"],
    ["Bash(npm test && *)", "unsafe_shape"],
    ["Bash(FOO=1 npm *)", "unsafe_shape"],
    ["*", "unsafe_shape"],
    ["Edit(//**)", "any_file"],
    ["Edit(~/**)", "any_file"],
    ["Write", "any_file"],
    ["Edit", "any_file"],
    ["WebFetch", "any_host"],
    ["WebFetch(domain:*)", "any_host"],
    ["WebFetch(domain:*.com)", "any_host"],
    ["mcp__*", "any_server"],
    ["Agent(model:opus)", "deny_only"],
    ["Bsh(ls)", "unreadable"],
  ])("%s is %s", (rule, kind) => {
    expect(dangerOf(rule)?.kind).toBe(kind);
  });

  it.each([
    "Bash(npm run *)",
    "Bash(git log:*)",
    "Bash(git:*)",
    "Bash(python -m pytest *)",
    "Bash(python scripts/build.py *)",
    "Bash(node scripts/build.js *)",
    "Bash(npx vitest run *)",
    "Bash(uv run pytest *)",
    "Bash(bash scripts/check.sh)",
    "Bash(sudo apt-get update)",
    "Read",
    "Read(//etc/**)",
    "Edit(src/**)",
    "Edit(//srv/app/**)",
    "WebFetch(domain:example.com)",
    "WebFetch(domain:*.example.com)",
    "mcp__github__*",
  ])("%s is none", (rule) => {
    expect(dangerOf(rule)).toBeNull();
  });

  it("is taken out of the allow rules, whoever wrote it, and of no others", () => {
    const rules = [
      { behavior: "allow", rule: "Bash(node:*)", source: "managed" },
      { behavior: "deny", rule: "Bash(node:*)", source: "user" },
      { behavior: "allow", rule: "Bash(ls:*)", source: "project" },
    ] as const;
    const { kept, stripped } = strippedRules(rules);
    expect(kept).toEqual(rules.slice(1));
    expect(stripped.map(({ rule }) => rule)).toEqual(rules.slice(0, 1));
  });
});
