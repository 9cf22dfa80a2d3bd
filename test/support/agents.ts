/** Sessions with sub-agents: the built-in kinds, a parent that hands tasks on, and what became of them. */
import { BUILT_IN_AGENTS } from "../../src/engine/agents/built-in.ts";
import type { Host } from "../../src/engine/host.ts";
import type { SessionConfig } from "../../src/kernel/config.ts";
import { LOCAL_TENANT, type SessionId } from "../../src/kernel/ids.ts";
import type { SessionState } from "../../src/kernel/state.ts";
import { DEFAULT_WORK, type WorkPolicy } from "../../src/kernel/work-policy.ts";
import { loadSession } from "../../src/store/journal.ts";
import type { JsonObject } from "../../src/kernel/json.ts";
import type { ScriptedCall } from "../../src/testing/scripted-model.ts";

export function agentsPolicy(changes: Partial<WorkPolicy["agents"]> = {}): WorkPolicy["agents"] {
  return { ...DEFAULT_WORK.agents, defined: [...BUILT_IN_AGENTS], ...changes };
}

export function withAgents(changes: Partial<WorkPolicy["agents"]> = {}): Partial<SessionConfig> {
  return { agents: agentsPolicy(changes) };
}

/** A call of `task` whose sub-agent follows the script of this mark. */
export function handOn(mark: string, agent = "general", schema?: JsonObject): ScriptedCall {
  const input = { agent, description: `the ${mark}`, prompt: `Do the part [[${mark}]].` };
  return { name: "task", input: schema === undefined ? input : { ...input, schema } };
}

/** The sub-agents of a session as its journal has them, with their own states. */
export async function childrenOf(host: Host, session: SessionId): Promise<readonly SessionState[]> {
  const { state } = await loadSession(host.store, LOCAL_TENANT, session);
  return Promise.all(
    state.agents.map(async (agent) => (await loadSession(host.store, LOCAL_TENANT, agent.session)).state),
  );
}
