/** What rules and mode say of a call. */
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../../src/kernel/json.ts";
import type { PermissionMode, PermissionRule } from "../../../../src/kernel/permissions.ts";
import { decideByRules } from "../../../../src/policy/rules/decide-by-rules.ts";
import type { RuleVerdict } from "../../../../src/policy/verdict.ts";

const CWD = "/home/dev/project";

/** `+rule` allows, `?rule` asks, `-rule` denies. */
function rulesOf(written: readonly string[]): readonly PermissionRule[] {
  const behaviors = { "+": "allow", "?": "ask", "-": "deny" } as const;
  return written.map((text) => ({
    behavior: behaviors[text.startsWith("+") ? "+" : text.startsWith("?") ? "?" : "-"],
    rule: text.slice(1),
    source: "user",
  }));
}

async function judged(
  tool: string,
  input: JsonObject,
  rules: readonly string[] = [],
  mode: PermissionMode = "default",
): Promise<RuleVerdict> {
  return decideByRules({ tool, input }, { rules: rulesOf(rules), mode, cwd: CWD, home: "/home/dev" });
}

async function of(
  tool: string,
  input: JsonObject,
  rules: readonly string[] = [],
  mode: PermissionMode = "default",
): Promise<string> {
  const { decision, by } = await judged(tool, input, rules, mode);
  return `${decision} by ${by}`;
}

async function bash(command: string, rules: readonly string[] = [], mode: PermissionMode = "default"): Promise<string> {
  return of("bash", { command }, rules, mode);
}

describe("rules and mode", () => {
  it("let deny beat ask, and ask beat allow, wherever they stand", async () => {
    expect(await bash("npm test", ["+Bash(npm:*)", "?Bash(npm test)", "-Bash(npm test:*)"])).toBe("deny by rule");
    expect(await bash("npm test", ["+Bash(npm test)", "?Bash(npm:*)"])).toBe("ask by rule");
    expect(await bash("npm test", ["+Bash(npm test)"])).toBe("allow by rule");
    expect(await bash("npm test")).toBe("ask by none");
  });

  it("judge every part, and name the strongest", async () => {
    const { decision, parts, rule } = await judged("Bash", { command: "npm test | tee out.txt; ls" }, [
      "+Bash(npm test)",
      "-Bash(tee:*)",
    ]);
    expect(decision).toBe("deny");
    expect(rule?.rule).toBe("Bash(tee:*)");
    expect(parts.map((part) => [part.text, part.decision, part.rule])).toEqual([
      ["npm test", "allow", "Bash(npm test)"],
      ["tee out.txt", "deny", "Bash(tee:*)"],
      ["ls", "allow", null],
    ]);
  });

  it("never allow what could not be read, and still deny what was found in it", async () => {
    expect(await bash("ls ((", ["+Bash(ls:*)"])).toBe("ask by unread");
    expect(await bash("ls (( ; curl x", ["-Bash(curl:*)"])).toBe("deny by rule");
    expect(await bash(`ls ${"x".repeat(20_000)}`, ["+Bash(ls:*)"])).toBe("ask by unread");
    expect(await bash(`ls ${"x".repeat(20_000)}; curl x`, ["-Bash(curl:*)"])).toBe("deny by rule");
  });

  it("ask about what a rule may mean that cannot be read", async () => {
    expect(await bash("ls", ["-Bsh(curl:*)"])).toBe("ask by rule");
    expect(await of("Read", { file_path: "a" }, ["-Bash(x"])).toBe("allow by built_in");
  });

  it.each([
    [{ path: "src/a.ts" }, [], "allow by built_in"],
    [{ path: "/etc/passwd" }, [], "ask by none"],
    [{ path: "../x" }, [], "ask by none"],
    [{ path: ".env" }, [], "ask by none"],
    [{ path: ".env" }, ["+Read"], "ask by none"],
    [{ path: ".env" }, ["+Read(.env)"], "allow by rule"],
    [{ path: ".env.example" }, [], "allow by built_in"],
    [{ path: "/etc/hosts" }, ["+Read(//etc/**)"], "allow by rule"],
    [{ path: "~/notes/a.md" }, ["+Read(~/notes/**)"], "allow by rule"],
    [{ path: "x/../.env" }, ["-Read(./.env)"], "deny by rule"],
    [{ path: ".ENV" }, ["-Read(./.env)"], "deny by rule"],
    [{ path: `${CWD}/.env` }, ["-Read(/.env)"], "deny by rule"],
    [{ path: "sub/.env" }, ["-Read(.env)"], "deny by rule"],
    [{ path: "secrets/deep/x" }, ["-Read(./secrets/**)"], "deny by rule"],
    [{ path: "secrets/deep/x" }, ["-Read(secrets/)"], "deny by rule"],
    [{ path: "src/secrets.ts" }, ["-Read(./secrets/**)"], "allow by built_in"],
  ] as const)("reading %j under %j: %s", async (input, rules, expected) => {
    expect(await of("read", input, rules)).toBe(expected);
  });

  it.each([
    ["Write", "src/a.ts", [], "ask by none"],
    ["Write", "src/a.ts", ["+Edit(src/**)"], "allow by rule"],
    ["edit", "src/a.ts", ["+Edit(src/**)"], "allow by rule"],
    ["Edit", "src/../x.ts", ["+Edit(src/**)"], "ask by none"],
    ["Edit", "src/.git/hooks/x", ["+Edit(src/**)"], "ask by none"],
    ["Edit", ".git/hooks/x", ["+Edit(.git/hooks/**)"], "allow by rule"],
    ["MultiEdit", "a.lock", ["-Edit(*.lock)"], "deny by rule"],
    ["Write", "deep/a.lock", ["-Edit(*.lock)"], "deny by rule"],
    ["Edit", "keys/a", ["+Edit(keys/**)", "-Read(keys/**)"], "deny by rule"],
    ["Write", "a.ts", ["-Edit"], "deny by rule"],
    ["Write", "a.ts", ["+Write"], "ask by none"],
  ] as const)("%s of %s under %j: %s", async (tool, path, rules, expected) => {
    expect(await of(tool, { file_path: path }, rules)).toBe(expected);
  });

  it("hold for searches as far as their path tells", async () => {
    const rules = ["-Read(./secrets/**)", "-Read(.env)"];
    expect(await of("Grep", { pattern: "x", path: "secrets/a" }, rules)).toBe("deny by rule");
    expect(await of("Grep", { pattern: "x", glob: ".env" }, rules)).toBe("deny by rule");
    expect(await of("Glob", { pattern: "secrets/*.txt" }, rules)).toBe("deny by rule");
    expect(await of("Grep", { pattern: "x", path: "src" }, rules)).toBe("allow by built_in");
  });

  it.each([
    ["https://example.com/x", "+WebFetch(domain:example.com)", "allow by rule"],
    ["https://EXAMPLE.com/x", "+WebFetch(domain:example.com)", "allow by rule"],
    ["https://a.example.com", "+WebFetch(domain:example.com)", "ask by none"],
    ["https://a.b.example.com", "+WebFetch(domain:*.example.com)", "allow by rule"],
    ["https://example.com", "+WebFetch(domain:*.example.com)", "ask by none"],
    ["https://notexample.com", "+WebFetch(domain:*.example.com)", "ask by none"],
    ["https://example.com.evil.org", "+WebFetch(domain:example.com)", "ask by none"],
    ["https://example.com@evil.org", "+WebFetch(domain:example.com)", "ask by none"],
    ["https://evil.org/?example.com", "+WebFetch(domain:example.com)", "ask by none"],
    ["https://evil.org#example.com", "+WebFetch(domain:example.com)", "ask by none"],
    ["https://evil.org", "+WebFetch", "ask by none"],
    ["https://evil.org", "-WebFetch(domain:evil.org)", "deny by rule"],
    ["https://evil.org", "-WebFetch", "deny by rule"],
  ])("fetching %s under %s: %s", async (url, rule, expected) => {
    expect(await of("web_fetch", { url }, [rule])).toBe(expected);
  });

  it.each([
    ["mcp__git__log", "+mcp__git__log", "allow by rule"],
    ["mcp__git__log", "+mcp__git__*", "allow by rule"],
    ["mcp__git__log", "+mcp__git", "allow by rule"],
    ["mcp__git__push", "+mcp__git__log", "ask by none"],
    ["mcp__github__log", "+mcp__git", "ask by none"],
    ["mcp__git__push", "+mcp__*", "ask by none"],
    ["mcp__git__push", "-mcp__*", "deny by rule"],
    ["mcp__git__push", "-mcp__git__p*", "deny by rule"],
  ])("%s under %s: %s", async (tool, rule, expected) => {
    expect(await of(tool, {}, [rule])).toBe(expected);
  });

  it("deny and ask by a member of the input, and never allow by it", async () => {
    expect(await of("Agent", { model: "opus" }, ["-Agent(model:opus)"])).toBe("deny by rule");
    expect(await of("Agent", { model: "haiku" }, ["-Agent(model:opus)", "+Agent"])).toBe("allow by rule");
    expect(await of("Agent", { model: "opus" }, ["+Agent(model:opus)"])).toBe("allow by built_in");
    expect(await of("WebSearch", { query: "a" }, ["+WebSearch(query:a)"])).toBe("ask by none");
    expect(await of("Bash", { command: "ls", run_in_background: true }, ["?Bash(run_in_background:true)"])).toBe(
      "ask by rule",
    );
  });

  it.each([
    ["task", { agent: "explore" }, "-Agent(explore)", "deny by rule"],
    ["task", { agent: "explore" }, "-Agent(Explore)", "deny by rule"],
    ["task", { agent: "explore" }, "?Task", "ask by rule"],
    ["task", { agent: "review" }, "-Agent(explore)", "allow by built_in"],
    ["task", { agent: "general" }, "-Task(general-purpose)", "deny by rule"],
    ["task", { agent: "plan", model: "anthropic/claude-opus-4-1" }, "-Agent(model:opus)", "deny by rule"],
    ["task", { agent: "plan", model: "anthropic/claude-opus-4-1" }, "-Agent(model:claude-opus-4-1)", "deny by rule"],
    ["task", { agent: "plan", model: "anthropic/claude-opus-4-1" }, "-Agent(model:anthropic/*)", "deny by rule"],
    ["task", { agent: "plan", model: "anthropic/claude-haiku-4-5" }, "-Agent(model:opus)", "allow by built_in"],
    ["skill", { name: "deploy" }, "-Skill(deploy)", "deny by rule"],
    ["skill", { name: "deploy" }, "-Skill(test)", "allow by built_in"],
    ["todo", { items: [] }, "-TodoWrite", "deny by rule"],
    ["call_tool", { name: "list" }, "-ToolSearch", "deny by rule"],
  ] satisfies [string, JsonObject, string, string][])(
    "bind belay's own %s %o: %s",
    async (tool, input, rule, expected) => {
      expect(await of(tool, input, [rule])).toBe(expected);
    },
  );

  it.each(["plan", "dontAsk"] as const)(
    "that are about something else leave what acts on nothing alone in the mode %s",
    async (mode) => {
      for (const tool of ["task", "skill", "todo", "call_tool"])
        expect([tool, await of(tool, {}, ["-Bash(rm *)"], mode)]).toEqual([tool, "allow by built_in"]);
    },
  );

  it("hold a redirect against the rules for files", async () => {
    expect(await bash("npm test > out.txt", ["+Bash(npm test)"])).toBe("ask by none");
    expect(await bash("npm test > out.txt", ["+Bash(npm test)", "+Edit(out.txt)"])).toBe("allow by rule");
    expect(await bash("npm test > out.txt", ["+Bash(npm test)", "-Edit(out.txt)"])).toBe("deny by rule");
    expect(await bash("npm test > /dev/null 2>&1", ["+Bash(npm test)"])).toBe("allow by rule");
    expect(await bash("wc -l < .env", ["+Bash(wc:*)", "-Read(./.env)"])).toBe("deny by rule");
  });

  it("cover a program by its path only where the rule has that path", async () => {
    expect(await bash("./build.sh x", ["+Bash(build.sh:*)"])).toBe("ask by none");
    expect(await bash("./build.sh x", ["+Bash(./build.sh:*)"])).toBe("allow by rule");
    expect(await bash("cd sub && ./build.sh x", ["+Bash(./build.sh:*)", "+Bash(cd:*)"])).toBe("ask by none");
  });

  it("mean another thing after a `cd`, but where a rule allows that", async () => {
    expect(await bash("cd sub && npm test", ["+Bash(npm test)"])).toBe("ask by none");
    expect(await bash("cd sub && npm test", ["+Bash(npm test)", "+Bash(cd:*)"])).toBe("allow by rule");
    expect(await bash("cd /tmp && npm test", ["+Bash(npm test)", "+Bash(cd:*)"])).toBe("ask by none");
    expect(await bash(`cd ${CWD} && npm test`, ["+Bash(npm test)"])).toBe("allow by rule");
    expect(await bash("cd sub && cat ../.env", ["-Read(./.env)"])).toBe("deny by rule");
  });

  it("look through what only passes a command on", async () => {
    expect(await bash("timeout 60 npm test", ["+Bash(npm test)"])).toBe("allow by rule");
    expect(await bash("sudo npm test", ["+Bash(npm test)"])).toBe("ask by none");
    expect(await bash("sudo npm test", ["+Bash(sudo npm test)"])).toBe("allow by rule");
  });

  it("ask about what reads a directory in which a rule restricts something", async () => {
    expect(await bash("grep -rn x .", ["-Read(./.env)"])).toBe("ask by rule");
    expect(await bash("grep -rn x src", ["-Read(./.env)"])).toBe("allow by built_in");
  });

  it("let the mode `acceptEdits` change files of the workspace, and nothing that is protected", async () => {
    const mode = "acceptEdits";
    expect(await of("Edit", { file_path: "src/a.ts" }, [], mode)).toBe("allow by mode");
    expect(await of("Write", { file_path: "/etc/x" }, [], mode)).toBe("ask by none");
    expect(await of("Write", { file_path: ".Claude/settings.json" }, [], mode)).toBe("ask by none");
    expect(await bash("mkdir -p src/x && touch src/x/a && mv src/x/a b && cp b c && rm -rf src/x", [], mode)).toBe(
      "allow by mode",
    );
    expect(await bash("echo x > src/a.txt", [], mode)).toBe("allow by mode");
    expect(await bash("rm -rf .", [], mode)).toBe("ask by none");
    expect(await bash("rm -rf ../x", [], mode)).toBe("ask by none");
    expect(await bash("cp a .git/hooks/pre-commit", [], mode)).toBe("ask by none");
    expect(await bash("npm test", [], mode)).toBe("ask by none");
    expect(await bash("rm a", ["-Edit(a)"], mode)).toBe("deny by rule");
  });

  it("let the mode `plan` change nothing, whatever is allowed", async () => {
    expect(await bash("ls && git status", [], "plan")).toBe("allow by built_in");
    expect(await bash("npm test", ["+Bash(npm test)"], "plan")).toBe("deny by mode");
    expect(await of("Edit", { file_path: "a" }, ["+Edit(a)"], "plan")).toBe("deny by mode");
    expect(await of("Read", { file_path: "a" }, [], "plan")).toBe("allow by built_in");
  });

  it("let the mode `dontAsk` ask nobody", async () => {
    expect(await bash("npm test", [], "dontAsk")).toBe("deny by mode");
    expect(await bash("npm test", ["+Bash(npm test)"], "dontAsk")).toBe("allow by rule");
    expect(await bash("ls", [], "dontAsk")).toBe("allow by built_in");
  });

  it("let the mode `bypassPermissions` pass all but what a rule denies or asks about", async () => {
    const mode = "bypassPermissions";
    expect(await bash("curl x | sh", [], mode)).toBe("allow by mode");
    expect(await bash("curl x", ["-Bash(curl:*)"], mode)).toBe("deny by rule");
    expect(await bash("curl x", ["?Bash(curl:*)"], mode)).toBe("ask by rule");
    expect(await bash("cat .env", ["-Read(./.env)"], mode)).toBe("deny by rule");
  });

  it("ask about input for a command that runs already", async () => {
    expect(await of("bash", { process: "p1", input: "rm -rf ~" })).toBe("ask by none");
    expect(await of("bash", { process: "p1" })).toBe("allow by built_in");
  });
});
