/** Rules of people about sub-agents, and what a phase leaves of one: judged as every other call is. */
import { expect, test } from "vitest";
import { BUILT_IN_AGENTS } from "../../../../src/engine/agents/built-in.ts";
import type { AgentDefinition } from "../../../../src/kernel/work-policy.ts";
import { callTool, callTools } from "../../../../src/testing/index.ts";
import { agentModel } from "../../../support/agent-model.ts";
import { agentsPolicy, childrenOf, handOn } from "../../../support/agents.ts";
import { testHost } from "../../../support/host.ts";
import { eventsOf, resultTexts, start, testPlace } from "../../../support/session.ts";

test("rules name kinds and the models that they would ask; in a phase that changes nothing `general` changes nothing", async () => {
  const place = testPlace();
  const model = agentModel({
    parent: [callTools([handOn("a", "explore"), handOn("b", "costly"), handOn("c", "review"), handOn("d")])],
    d: [
      callTool("write", { path: "d.txt", content: "d" }),
      callTool("bash", { command: "touch d.txt" }),
      callTools([handOn("e")]),
      callTool("edit", { path: "README.md", old_string: "a", new_string: "b" }),
    ],
    e: [callTool("write", { path: "e.txt", content: "e" })],
  });
  const [explore] = BUILT_IN_AGENTS as readonly [AgentDefinition]; // it is not empty
  const costly = { ...explore, name: "costly", model: "anthropic/claude-opus-4-1" };
  const rule = (text: string) => ({ behavior: "deny" as const, rule: text, source: "user" as const });
  const host = await testHost({ home: place.home, model });
  const live = await start(host, place, {
    agents: agentsPolicy({ defined: [...BUILT_IN_AGENTS, costly] }),
    models: {
      ...{ fallback: [], fallback_on: [], patience_ms: 0, phases: {}, skills: {} },
      sub_agents: { review: { provider: "anthropic", model: "claude-opus-4-1" } },
    },
    permissions: { rules: [rule("Agent(Explore)"), rule("Task(model:opus)")], on_ask: "deny" },
    phases: [{ name: "look", tools: ["Task", "Read", "Write", "Edit", "Bash"], read_only: true, instructions: null }],
  });
  expect((await live.done).outcome).toBe("completed");
  const results = resultTexts(await eventsOf(host, live.session));
  expect(results.map((text) => text.split(":")[0])).toEqual(["denied", "denied", "denied", "ok"]);
  const [child, ...others] = await childrenOf(host, live.session);
  expect([child?.config?.agents.kind, child?.config?.workspace.mode, others]).toEqual(["general", "in_place", []]);
  const own = resultTexts(await eventsOf(host, child?.session ?? live.session));
  expect(own.map((text) => text.split(":")[0])).toEqual(["denied", "denied", "ok", "denied"]);
  const [below] = await childrenOf(host, child?.session ?? live.session);
  expect(resultTexts(await eventsOf(host, below?.session ?? live.session))[0]).toMatch(/^denied/);
});
