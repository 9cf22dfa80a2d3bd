import { describe, expect, it } from "vitest";
import type { PermissionRule } from "../../../../src/kernel/permissions.ts";
import { decideByRules } from "../../../../src/policy/rules/decide-by-rules.ts";
import type { RuleRequest } from "../../../../src/policy/rules/request.ts";
import { suggestRule } from "../../../../src/policy/rules/suggest.ts";
import { fc } from "../../../support/property.ts";

const bash = (command: string): RuleRequest => ({ tool: "bash", input: { command } });
const fetch = (url: string): RuleRequest => ({ tool: "web_fetch", input: { url } });
const edit = (path: string): RuleRequest => ({ tool: "edit", input: { path, old_string: "a", new_string: "b" } });

/** What the rules come to when only this one is there. */
async function under(rule: string, request: RuleRequest): Promise<string> {
  const rules: readonly PermissionRule[] = [{ behavior: "allow", rule, source: "session" }];
  return (await decideByRules(request, { rules, mode: "default", cwd: "/work", home: "/home/user" })).decision;
}

describe("the rule that is offered with a question", () => {
  it.each<[RuleRequest, string]>([
    [bash("npm run build"), "Bash(npm run build)"],
    [bash("npm run test:unit -- --run"), "Bash(npm run test:unit -- --run)"],
    [bash("cargo test --all"), "Bash(cargo test --all)"],
    [{ tool: "Bash", input: { command: "pytest -q tests/unit" } }, "Bash(pytest -q tests/unit)"],
    [bash("git log"), "Bash(git log *)"],
    [bash("git log --oneline -n 5 src/a.ts"), "Bash(git log *)"],
    [bash("git diff HEAD~1"), "Bash(git diff *)"],
    [bash("npm ls"), "Bash(npm ls *)"],
    [bash("git branch feature"), "Bash(git branch feature)"],
    [bash("mkdir -p build"), "Bash(mkdir -p build)"],
    [fetch("https://docs.example.com/a?b=c"), "WebFetch(domain:docs.example.com)"],
    [fetch("https://DOCS.Example.com/"), "WebFetch(domain:docs.example.com)"],
    [edit("src/app/main.ts"), "Edit(src/app/**)"],
    [edit("./src/main.ts"), "Edit(src/**)"],
    [edit("README.md"), "Edit(README.md)"],
    [{ tool: "write", input: { path: "docs/new.md", content: "" } }, "Edit(docs/**)"],
    [{ tool: "mcp__github__list_issues", input: { repo: "a/b" } }, "mcp__github__list_issues"],
  ])("covers %j narrowly: %s", async (request, rule) => {
    expect(suggestRule(request)).toBe(rule);
    expect(await under(rule, request)).toBe("allow");
  });

  it.each([
    "npm run build && npm test",
    "npm run build; rm x",
    "npm run build\nrm x",
    "npm run build > out.txt",
    "echo $(cat x)",
    "echo `cat x`",
    "echo $HOME",
    "echo *.ts",
    "echo {a,b}",
    "echo 'a'",
    'npm run "build"',
    "npm run build &",
    "npm run build # quickly",
    "npm  run build",
    " npm run build",
    "npm run build\t",
    "ls ~",
    "cat ~root/x",
    "tool a=~/x",
    "tool a:~/x",
    "FOO=1 npm test",
    "./gradlew build",
    "/bin/ls",
    "sudo apt-get install x",
    "env npm test",
    "xargs rm",
    "timeout 5 npm test",
    "bash build.sh",
    "python3 build.py",
    "python3.12 -m build",
    "node scripts/build.js",
    "npx vitest",
    "npm exec vitest",
    "yarn dlx x",
    "go run main.go",
    "cargo run",
    "docker run x",
    "kubectl exec pod",
    "git -c core.pager=x log",
    "git --exec-path=x log",
    "git submodule update",
    "git log --output=x",
    "cat .env",
    "cp a .git/hooks/pre-commit",
    "tool --file=.env",
    "ssh host ls",
    "curl https://example.com",
    "find . -delete",
    "sed -i s/a/b/ x",
    "eval ls",
    "source env.sh",
    ". env.sh",
    "export A=b",
    "rm -rf dist",
    "ls \u200b",
    "c\u0430t x",
    "",
    " ",
    `echo ${"x".repeat(200)}`,
  ])("is none for %j", (command) => {
    expect(suggestRule(bash(command))).toBeNull();
  });

  it.each([
    { command: "npm run build", interactive: true },
    { process: "p1", input: "y" },
    { command: "npm run build", process: "p1" },
    {},
  ])("is none for what is no plain command: %j", (input) => {
    expect(suggestRule({ tool: "bash", input })).toBeNull();
  });

  it.each([
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://localhost/",
    "http://2130706433/",
    "https://user:secret@example.com/",
    "https://example.com:8443/",
    "file:///etc/passwd",
    "https://ex\u0430mple.com/",
    "https://example.com./",
    "nothing",
  ])("is none for %s", (url) => {
    const rule = suggestRule(fetch(url));
    if (url.includes("\u0430")) expect(rule).toMatch(/^WebFetch\(domain:xn--/);
    else expect(rule).toBeNull();
  });

  it.each([
    "/etc/hosts",
    "../other/x",
    "src/../../x",
    ".git/hooks/pre-commit",
    ".claude/settings.json",
    "a/.vscode/tasks.json",
    ".env",
    "src/.env.local",
    "~/x",
    "src/*/x",
    "src/[id]/page.tsx",
    "src/a)b/x",
    "",
  ])("is none for a file at %s", (path) => {
    expect(suggestRule(edit(path))).toBeNull();
  });

  it.each(["", "task", "mcp__", "mcp__x__*", "mcp__a b__c"])("is none for a tool named %j", (tool) => {
    expect(suggestRule({ tool, input: {} })).toBeNull();
  });

  it("is none where a rule asks, where not all was read, and where it is forbidden", () => {
    const rule: PermissionRule = { behavior: "ask", rule: "Bash(npm *)", source: "user" };
    expect(suggestRule(bash("npm run build"), { decision: "ask", rule, by: "rule" })).toBeNull();
    expect(suggestRule(bash("npm run build"), { decision: "ask", rule: null, by: "unread" })).toBeNull();
    expect(suggestRule(bash("npm run build"), { decision: "deny", rule: null, by: "mode" })).toBeNull();
    expect(suggestRule(bash("npm run build"), { decision: "ask", rule: null, by: "none" })).toBe("Bash(npm run build)");
  });

  it("allows what was asked about and nothing that has more, less or other words", async () => {
    const word = fc.stringMatching(/^[a-z0-9][a-z0-9./:=-]{0,6}$/);
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 3 }), word, async (words, other) => {
        const asked = bash(["npm", "run", ...words].join(" "));
        const rule = suggestRule(asked);
        fc.pre(rule !== null);
        expect(await under(rule ?? "", asked)).toBe("allow");
        for (const more of [
          `${String(asked.input["command"])} ${other}`,
          `npm run ${other}-other`,
          "npm run",
          `npm ${other}`,
        ])
          if (more !== asked.input["command"]) expect(await under(rule ?? "", bash(more))).not.toBe("allow");
      }),
      { numRuns: 30 },
    );
  });
});
