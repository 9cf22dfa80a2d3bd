/** The kinds of sub-agents of a session: what is built in, and what files of the user and the project define. */
import { join } from "node:path";
import { type AgentFiles, findAgents } from "../context/agent-files.ts";
import { BUILT_IN_AGENTS } from "../engine/agents/built-in.ts";
import { createContextFiles } from "../engine/context-files.ts";
import type { SessionConfig } from "../kernel/config.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { ChosenModel } from "../kernel/model-policy.ts";
import { forbiddenBy } from "../model/allowed-models.ts";
import { builtInTools } from "../tool/registry.ts";
import type { Face } from "./face.ts";
import { namedModel } from "./model-settings.ts";
import { requireProvider } from "./providers.ts";
import type { Settings } from "./resolved-settings.ts";

export interface AgentsAround {
  /** The top of the user's repository, or their directory. */
  readonly source: string;
  /** The project is strangers' text. */
  readonly untrusted: boolean;
}

export async function agentDefinitions(
  face: Face,
  settings: Settings,
  { source, untrusted }: AgentsAround,
): Promise<AgentFiles> {
  const { home, userHome } = face.environment;
  const found = await findAgents({
    files: createContextFiles({ project: source, claude: join(userHome, ".claude"), belay: home }),
    untrusted,
    builtIn: BUILT_IN_AGENTS,
    tools: builtInTools(),
    modelNamed: (name) => {
      const choice = namedModel(name, settings);
      const usable = choice !== null && forbiddenBy(settings.allowed, choice) === null && canBeAsked(choice, face);
      return usable ? `${choice.provider}/${choice.model}` : null;
    },
  });
  const strange = Object.keys(settings.model.sub_agents ?? {}).filter((kind) => !isAmong(kind, found));
  return { ...found, findings: [...found.findings, ...strange.map(noSuchKind)] };
}

function isAmong(kind: string, { defined }: AgentFiles): boolean {
  return defined.some(({ name }) => name === kind);
}

function noSuchKind(kind: string): string {
  return `model.sub_agents of the settings names ${kind}, and there is no such kind of sub-agent`;
}

/** A file that was written for another account must not keep everything from starting: its kind has its parent's model. */
function canBeAsked({ provider }: ChosenModel, face: Face): boolean {
  try {
    requireProvider(provider, face);
    return true;
  } catch (error) {
    if (error instanceof HarnessError) return false;
    throw error;
  }
}

/**
 * What the settings choose for a kind was chosen for here.
 * @throws HarnessError what `requireProvider` says, with the kind
 */
export function requireAgentProviders({ models, agents }: Pick<SessionConfig, "models" | "agents">, face: Face): void {
  const own = agents.defined.flatMap(({ name, model }) => {
    const slash = model.indexOf("/");
    return slash > 0 ? [[name, model.slice(0, slash)] as const] : [];
  });
  const chosen = Object.entries(models.sub_agents).map(([kind, { provider }]) => [kind, provider] as const);
  for (const [kind, provider] of [...chosen, ...own]) {
    try {
      requireProvider(provider, face);
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      throw new HarnessError(error.kind, `For sub-agents of the kind ${kind}: ${error.happened}`, error.todo, {
        cause: error,
      });
    }
  }
}
