/** Twenty sub-agents that write, on one repository: two that are killed, one over its budget, two that want the same lines. */
import { BUILT_IN_AGENTS } from "../../src/engine/agents/built-in.ts";
import type { SessionConfig } from "../../src/kernel/config.ts";
import { nanoFromDollars } from "../../src/kernel/money.ts";
import type { AgentDefinition } from "../../src/kernel/work-policy.ts";
import { callTool, callTools, hang, say } from "../../src/testing/index.ts";
import { agentModel, type AgentModel, type AgentScript } from "./agent-model.ts";
import { agentsPolicy, handOn } from "./agents.ts";
import { testConfig } from "./config.ts";

export const NUMBERS: readonly number[] = Array.from({ length: 20 }, (_, i) => i + 1);
/** Killed in the middle of their second answer. */
export const KILLED: readonly number[] = [3, 4];
/** Both write the same lines. */
export const CONFLICTING: readonly number[] = [7, 8];
export const POOR = 13;
export const CAP = nanoFromDollars(3);

const GENERAL = BUILT_IN_AGENTS.find(({ name }) => name === "general") as AgentDefinition; // one of the built-in kinds

export function twentyConfig(): SessionConfig {
  const poor = { ...GENERAL, name: "poor", max_cost: nanoFromDollars(0.15) };
  return testConfig({
    agents: agentsPolicy({ width: 8, total: 20, defined: [...BUILT_IN_AGENTS, poor] }),
    budget: {
      caps: [{ scope: "session", cost: CAP, strict: false, tokens: null, turns: null, active_ms: null }],
      alert_at: null,
      turn_alert: null,
    },
  });
}

/** @param onHang a sub-agent that is to be killed waits; null: it goes on */
export function twentyModel(onHang: (() => void) | null): AgentModel {
  const scripts: { [mark: string]: AgentScript } = {
    parent: [callTools(NUMBERS.map((n) => handOn(`t${n}`, n === POOR ? "poor" : "general"))), say("all are back")],
  };
  for (const n of NUMBERS) scripts[`t${n}`] = scriptOf(n, onHang);
  return agentModel(scripts);
}

function scriptOf(n: number, onHang: (() => void) | null): AgentScript {
  const own = callTool("write", { path: `part-${n}.txt`, content: `part ${n}\n` });
  if (n === POOR) return NUMBERS.map((i) => callTool("write", { path: "poor.txt", content: `${i}\n` }));
  if (CONFLICTING.includes(n)) return [callTool("write", { path: "shared.txt", content: `by ${n}\n` }), own];
  if (KILLED.includes(n) && onHang !== null) return [own, () => (onHang(), hang())];
  return [own, say(`part ${n} is done`)];
}
