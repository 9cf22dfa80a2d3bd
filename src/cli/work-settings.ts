/** What options and settings come to for how a session works: of a new one, and of one that goes on. */
import { type AgentDefinition, DEFAULT_WORK, type WorkPolicy } from "../kernel/work-policy.ts";
import { phasesNamed } from "./phases.ts";
import type { Settings } from "./resolved-settings.ts";
import type { WorkOptions } from "./work-options.ts";
import type { PhaseDefinition } from "./work-sections.ts";

/** What a task file says beside the options. */
export interface SaidWork extends WorkOptions {
  /** Of a task file: names, or phases of its own. */
  readonly phaseList?: readonly (string | PhaseDefinition)[];
  readonly allowedTools?: readonly string[];
}

export interface WorkSurroundings {
  /** Kinds of sub-agents that files define. */
  readonly agents?: readonly AgentDefinition[];
}

/** Of a new session. @throws HarnessError `usage` */
export function startWork(options: SaidWork, { work }: Settings, around: WorkSurroundings = {}): WorkPolicy {
  const { context, agents, memory, phases, review_every } = work;
  const { agents: defined = [] } = around;
  const present: WorkPolicy = {
    ...DEFAULT_WORK,
    // Members that were not said have no key: the settings were JSON.
    context: { ...DEFAULT_WORK.context, ...(context as Partial<WorkPolicy["context"]>) },
    phases: phases === null || isSaid(options) ? [] : phasesNamed(phases, phases),
    review_every,
    agents: { ...DEFAULT_WORK.agents, ...(agents as Partial<WorkPolicy["agents"]>), defined: [...defined] },
    memory: { ...DEFAULT_WORK.memory, ...(memory as Partial<WorkPolicy["memory"]>) },
  };
  return changedWork(options, present, { work });
}

function isSaid({ phases, phaseList }: SaidWork): boolean {
  return phases !== undefined || phaseList !== undefined;
}

/** Of a session that goes on: what is not said stays as it was. @throws HarnessError `usage` */
export function changedWork(options: SaidWork, present: WorkPolicy, { work }: Pick<Settings, "work">): WorkPolicy {
  const { phases, phaseList = phases, reviewEvery, contextWindow, compactEvery, summary, agents, maxAgents } = options;
  const { allowedTools, memory } = options;
  return {
    context: {
      ...present.context,
      window: contextWindow ?? present.context.window,
      compact_every: compactEvery === undefined ? present.context.compact_every : compactEvery,
      // The option can only take it away: it is true where nothing was said.
      summary: present.context.summary && summary !== false,
    },
    phases: phaseList === undefined ? present.phases : phasesNamed(phaseList, work.phases),
    review_every: reviewEvery === undefined ? present.review_every : reviewEvery,
    allowed_tools: allowedTools === undefined ? present.allowed_tools : [...allowedTools],
    agents: { ...present.agents, width: agents ?? present.agents.width, total: maxAgents ?? present.agents.total },
    memory: memory === false ? { ...present.memory, recall: 0, remember: false } : present.memory,
  };
}
