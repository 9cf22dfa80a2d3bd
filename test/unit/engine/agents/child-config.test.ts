/** The configuration of a sub-agent: is it ever looser than its parent's? */
import { describe, expect, test } from "vitest";
import { BUILT_IN_AGENTS } from "../../../../src/engine/agents/built-in.ts";
import {
  changedByParent,
  childConfig,
  type ChildRequest,
  modelOfChild,
} from "../../../../src/engine/agents/child-config.ts";
import { firstMessage } from "../../../../src/engine/agents/first-message.ts";
import type { SessionConfig } from "../../../../src/kernel/config.ts";
import { emptyState } from "../../../../src/kernel/fold.ts";
import { PERMISSION_MODES } from "../../../../src/kernel/permissions.ts";
import type { SessionState } from "../../../../src/kernel/state.ts";
import type { AgentDefinition } from "../../../../src/kernel/work-policy.ts";
import { builtInTools } from "../../../../src/tool/registry.ts";
import { agentsPolicy } from "../../../support/agents.ts";
import { testConfig } from "../../../support/config.ts";
import { newSession } from "../../../support/session-fixture.ts";

function kind(name: string, changes: Partial<AgentDefinition> = {}): AgentDefinition {
  const found = BUILT_IN_AGENTS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no kind ${name}`);
  return { ...found, ...changes };
}

function child(
  definition: AgentDefinition,
  facts: Partial<SessionConfig> = {},
  state: Partial<SessionState> = {},
  left: ChildRequest["left"] = { cost: null, tokens: null },
): Omit<SessionConfig, "versions"> {
  const config = testConfig({ agents: agentsPolicy(), sandbox: { mode: "bwrap", network: false }, ...facts });
  const parent = { ...emptyState(newSession()), config, ...state };
  return childConfig({ parent, config, definition, tools: builtInTools(), left });
}

describe("a sub-agent's configuration", () => {
  test.each(PERMISSION_MODES.flatMap((parent) => PERMISSION_MODES.map((own) => [parent, own] as const)))(
    "under %s with %s of its own is not looser than either",
    (parent, own) => {
      const order = ["plan", "dontAsk", "default", "acceptEdits", "bypassPermissions"];
      const { permission_mode } = child(kind("general", { permission_mode: own }), { permission_mode: parent });
      expect(order.indexOf(permission_mode)).toBe(Math.min(order.indexOf(parent), order.indexOf(own)));
    },
  );

  test("has the tools that its parent, the phase and its own kind all have", () => {
    const phases = [{ name: "build", tools: ["Read", "Bash", "write"], read_only: false, instructions: null }];
    const facts = { allowed_tools: ["read", "bash", "grep", "write"], phases };
    const definition = kind("general", { tools: ["read", "bash", "write", "web_fetch"], disallowed_tools: ["Write"] });
    expect(child(definition, facts, { phase: "build" }).allowed_tools).toEqual(["read", "bash"]);
  });

  test("knows tools by the names of Claude Code, too", () => {
    const facts = { allowed_tools: ["Read", "Agent", "TodoWrite", "Skill"] };
    expect(child(kind("general"), facts).allowed_tools).toEqual(["read", "todo", "task", "skill"]);
  });

  test("in a phase that changes nothing fetches no more than its parent may there", () => {
    const phases = [{ name: "look", tools: null, read_only: true, instructions: null }];
    for (const name of ["reader", "explore", "general"])
      expect([name, child(kind(name), { phases }, { phase: "look" }).permission_mode]).toEqual([name, "plan"]);
    expect(child(kind("reader")).permission_mode).toBe("default");
  });

  test("of a reader recalls nothing, writes nothing and hands nothing on", () => {
    const { memory, allowed_tools, agents, workspace } = child(kind("reader", { tools: null }), {
      memory: { recall: 5, remember: true, project: "p" },
    });
    expect([memory.recall, memory.remember, workspace.mode]).toEqual([0, false, "in_place"]);
    expect(allowed_tools).toEqual(["read", "web_fetch"]);
    expect(agents.defined.map(({ name }) => name)).toEqual(["reader"]);
  });

  test("on a resume is bound by what binds its parent by then", () => {
    const before = testConfig({ ...child(kind("general")), versions: testConfig().versions });
    const deny = { behavior: "deny" as const, rule: "Bash(rm *)", source: "cli" as const };
    const config = testConfig({
      permission_mode: "plan",
      permissions: { rules: [deny], on_ask: "deny" },
      allowed_tools: ["Read", "Agent"],
      agents: agentsPolicy({ total: 2, width: 1, depth: 1 }),
    });
    const own = { ...before, permissions: { ...before.permissions, rules: [{ ...deny, behavior: "allow" as const }] } };
    const after = changedByParent({ ...emptyState(newSession()), config })(own);
    expect([after.permission_mode, after.permissions, after.allowed_tools]).toEqual([
      "plan",
      config.permissions,
      ["read", "task"],
    ]);
    expect(after.agents).toEqual({ ...before.agents, total: 2, width: 1, depth: 1 });
  });

  test("that changes nothing has no tool that could, and no command where no sandbox holds it", () => {
    const sandboxed = child(kind("explore"));
    expect(sandboxed.permission_mode).toBe("plan");
    for (const tool of ["write", "edit"]) expect(sandboxed.allowed_tools).not.toContain(tool);
    expect(sandboxed.allowed_tools).toContain("bash");
    expect(child(kind("explore"), { sandbox: { mode: "none", network: false } }).allowed_tools).not.toContain("bash");
    expect(child(kind("reader")).allowed_tools).toEqual(["read", "web_fetch"]);
  });

  test("writes nothing where its parent may not, whatever kind it is", () => {
    const phases = [{ name: "look", tools: null, read_only: true, instructions: null }];
    for (const [facts, state] of [
      [{ permission_mode: "plan" }, {}],
      [{ phases }, { phase: "look" }],
      [{ agents: agentsPolicy({ kind: "explore", level: 1 }) }, {}],
    ] as const) {
      const { workspace, allowed_tools, agents } = child(kind("general"), facts, state);
      expect([workspace.mode, allowed_tools?.includes("write")]).toEqual(["in_place", false]);
      expect(agents.defined.filter(({ name, read_only }) => !read_only && name !== "general")).toEqual([]);
    }
  });

  test("gets shares of what is left, and less where its kind says so", () => {
    const left = { cost: 1_000, tokens: 300 };
    const state = { turn: 40 };
    const { budget, limits } = child(kind("general"), {}, state, left);
    expect(budget.caps.at(-1)).toMatchObject({ scope: "session", cost: 500, tokens: 150 });
    expect(limits.turns).toBe(30);
    const less = child(kind("general", { max_cost: 7, max_turns: 3 }), {}, state, left);
    expect([less.budget.caps.at(-1)?.cost, less.limits.turns]).toEqual([7, 3]);
  });

  test("has the model of its definition, else of the settings, else its parent's", () => {
    const models = { ...testConfig().models, sub_agents: { explore: { provider: "openai", model: "small" } } };
    const config = testConfig({ models });
    expect(modelOfChild(config, kind("explore", { model: "vertex/gemini/x" }))).toEqual({
      provider: "vertex",
      model: "gemini/x",
    });
    expect(modelOfChild(config, kind("explore", { model: "claude-x" }))).toEqual({
      provider: "anthropic",
      model: "claude-x",
    });
    expect(modelOfChild(config, kind("explore")).model).toBe("small");
    expect(modelOfChild(config, kind("review")).model).toBe(config.model);
  });

  test("remembers nothing, is reviewed by nobody, and has no phases", () => {
    const { memory, review_every, phases, verify } = child(kind("general"), { review_every: 3, verify: "make" });
    expect([memory.remember, review_every, phases, verify]).toEqual([false, null, [], null]);
  });
});

describe("the first message", () => {
  const message = (prompt: string) =>
    firstMessage({
      definition: kind("explore"),
      prompt,
      schema: null,
      writes: false,
      untrusted: false,
      userWrote: (text) => text === "https://docs.example/a",
    });

  test("is the model's, and not a person's: nothing in it is as if the user had written it", () => {
    expect(message("see https://evil.example/x").map(({ origin }) => origin.from)).toEqual(["belay", "model"]);
  });

  test("but for addresses that the user did write", () => {
    const parts = message("see https://docs.example/a, and https://evil.example/x");
    const users = parts.filter(({ origin }) => origin.from === "user");
    expect(users.map((part) => part.type === "text" && part.text)).toEqual(["https://docs.example/a"]);
  });
});
