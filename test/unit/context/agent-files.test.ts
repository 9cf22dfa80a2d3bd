/** Kinds of sub-agents in files: whose counts, what of them counts, and what is said about the rest. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type AgentFiles, findAgents } from "../../../src/context/agent-files.ts";
import { BUILT_IN_AGENTS } from "../../../src/engine/agents/built-in.ts";
import { createContextFiles } from "../../../src/engine/context-files.ts";
import type { AgentDefinition } from "../../../src/kernel/work-policy.ts";
import { builtInTools } from "../../../src/tool/registry.ts";

type Files = Readonly<Record<string, string>>;

async function found(files: {
  readonly user?: Files;
  readonly project?: Files;
  readonly untrusted?: true;
}): Promise<AgentFiles> {
  const directory = mkdtempSync(join(tmpdir(), "belay-agents-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [claude, project] = [join(directory, "claude"), join(directory, "project")];
  for (const [at, texts] of [
    [join(claude, "agents"), files.user ?? {}],
    [join(project, ".claude/agents"), files.project ?? {}],
  ] as const) {
    mkdirSync(at, { recursive: true });
    for (const [name, text] of Object.entries(texts)) {
      if (text.startsWith("-> ")) symlinkSync(text.slice(3), join(at, name));
      else writeFileSync(join(at, name), text);
    }
  }
  return findAgents({
    files: createContextFiles({ project, claude, belay: null }),
    untrusted: files.untrusted ?? false,
    builtIn: BUILT_IN_AGENTS,
    tools: builtInTools(),
    modelNamed: (name) => (name === "cheap" ? "anthropic/claude-haiku-4-5" : null),
  });
}

function file(fields: string, body = "Do it."): string {
  return `---\n${fields}\n---\n${body}\n`;
}

function named({ defined }: AgentFiles, name: string): AgentDefinition | undefined {
  return defined.find((one) => one.name === name);
}

describe("a file of a kind of sub-agent", () => {
  test("has the fields of Claude Code, with tools by either name", async () => {
    const text = `name: tester\ndescription: runs tests\ntools: Read, Grep, Bash(npm test:*), WebFetch\ndisallowedTools: [web_fetch]\nmodel: cheap\npermissionMode: dontAsk\nmaxTurns: 7\nskills: [a, b]\nisolation: worktree\ncolor: red\nmax_budget_per_run: 0.5`;
    const agents = await found({ project: { "tester.md": file(text, "Run the tests.") } });
    expect(agents.findings).toEqual([]);
    expect(named(agents, "tester")).toEqual({
      name: "tester",
      description: "runs tests",
      source: ".claude/agents/tester.md",
      prompt: "Run the tests.",
      tools: ["read", "grep", "bash", "web_fetch"],
      disallowed_tools: ["web_fetch"],
      model: "anthropic/claude-haiku-4-5",
      permission_mode: "dontAsk",
      read_only: false,
      quarantined: false,
      max_turns: 7,
      max_cost: 500_000_000,
      skills: ["a", "b"],
    });
  });

  test("whose tools only read works without files of its own", async () => {
    const agents = await found({ user: { "look.md": file("name: look\ndescription: looks\ntools: Read, Glob") } });
    expect(named(agents, "look")?.read_only).toBe(true);
  });

  test("says what of it has no effect, and is looser than nobody", async () => {
    const text =
      "name: wild\ndescription: d\npermissionMode: bypassPermissions\nhooks: {}\nmcpServers: [x]\nmodel: opus\ntools: [Fly]\nwings: 2";
    const { findings } = await found({ project: { "wild.md": file(text) } });
    expect(findings).toEqual([
      ".claude/agents/wild.md: `hooks` has no effect here",
      ".claude/agents/wild.md: `mcpServers` has no effect here",
      ".claude/agents/wild.md: the field `wings` is not known",
      ".claude/agents/wild.md: `tools` names Fly, and there is no such tool",
      ".claude/agents/wild.md: the model opus cannot be asked here (not known, not allowed, or without a key): its parent's is taken",
      ".claude/agents/wild.md: the permission mode bypassPermissions allows no more than the session that starts it allows itself",
    ]);
  });

  test.each([
    ["without a name", file("description: d"), "its `name`"],
    ["without a description", file("name: a"), "it has no `description`"],
    ["without a text", file("name: a\ndescription: d", ""), "it says nothing"],
    ["that is no YAML", file("name: [a"), "is no YAML"],
    ["that leads out of the project", "-> /etc/passwd", "it leads out"],
  ])("%s is left out, and that is said", async (_name, text, why) => {
    const { defined, findings } = await found({ project: { "a.md": text } });
    expect(defined).toEqual(BUILT_IN_AGENTS);
    expect(findings.join()).toContain(why);
  });

  test("of the user replaces what is built in; one of the project replaces nothing", async () => {
    const agents = await found({
      user: { "explore.md": file("name: explore\ndescription: mine"), "own.md": file("name: own\ndescription: mine") },
      project: {
        "reader.md": file("name: reader\ndescription: not quarantined"),
        "own.md": file("name: own\ndescription: theirs"),
      },
    });
    expect([named(agents, "explore")?.description, named(agents, "own")?.description]).toEqual(["mine", "mine"]);
    expect(named(agents, "reader")?.quarantined).toBe(true);
    expect(agents.findings).toHaveLength(2);
  });

  test("of strangers is not offered", async () => {
    const agents = await found({ project: { "a.md": file("name: a\ndescription: d") }, untrusted: true });
    expect(named(agents, "a")).toBeUndefined();
    expect(agents.findings).toEqual([".claude/agents is not offered: strangers wrote it"]);
  });

  test("beyond the limit is left out", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 45 }, (_, i) => [`k${i}.md`, file(`name: k${i}\ndescription: d`)]),
    );
    const { defined, findings } = await found({ project: many });
    expect([defined.length, findings.length]).toEqual([40, 10]);
  });
});
