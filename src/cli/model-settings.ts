/** Which models a session uses: names and aliases, the command line over the settings, and what the settings allow. */
import { modelOfChild } from "../engine/agents/child-config.ts";
import type { SessionConfig } from "../kernel/config.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import {
  type ChosenModel,
  type ModelPolicy,
  NO_FALLBACK,
  PATIENCE_MS_DEFAULT,
  sameModel,
} from "../kernel/model-policy.ts";
import { forbiddenBy, requireAllowed } from "../model/allowed-models.ts";
import { modelChoice, type ModelChoice } from "../model/provider-table.ts";
import type { MoneyOptions } from "./money-options.ts";
import type { Settings } from "./resolved-settings.ts";

/** An alias, `provider/model`, or a name that means its provider. Null where it is none of them. */
export function namedModel(name: string, { aliases }: Pick<Settings, "aliases">): ModelChoice | null {
  const said = name.trim();
  return modelChoice((Object.hasOwn(aliases, said) ? aliases[said] : undefined) ?? said);
}

/** As the settings say. @throws HarnessError `config_invalid`: a name that leads to no provider */
export function configuredModels(settings: Settings): ModelPolicy {
  const { fallback = [], fallback_on, patience = PATIENCE_MS_DEFAULT, phases, skills, sub_agents } = settings.model;
  return {
    fallback: fallback.map((name) => requireModel(name, settings)),
    fallback_on: fallback_on ?? NO_FALLBACK.fallback_on,
    patience_ms: patience,
    phases: modelsByName(phases, settings),
    skills: modelsByName(skills, settings),
    sub_agents: modelsByName(sub_agents, settings),
  };
}

/** Of a new session. @throws HarnessError `config_invalid`, `model_not_allowed` */
export function startModels(options: MoneyOptions, settings: Settings): ModelPolicy {
  const policy = configuredModels(settings);
  for (const group of [policy.phases, policy.skills, policy.sub_agents])
    for (const model of Object.values(group)) requireAllowed(settings.allowed, model);
  return changedModels(options, policy, settings);
}

/**
 * Of a session that goes on. The model of a phase, a skill or a sub-agent that is not allowed any more is left out: its place is
 * taken by the session's own.
 * @throws as above
 */
export function changedModels(options: MoneyOptions, present: ModelPolicy, settings: Settings): ModelPolicy {
  const fallback = options.fallback?.map((name) => requireModel(name, settings)) ?? present.fallback;
  for (const model of fallback) requireAllowed(settings.allowed, model);
  return {
    fallback,
    fallback_on: [...(options.fallbackOn ?? present.fallback_on)],
    patience_ms: options.patience ?? present.patience_ms,
    phases: onlyAllowed(present.phases, settings),
    skills: onlyAllowed(present.skills, settings),
    sub_agents: onlyAllowed(present.sub_agents, settings),
  };
}

/** All models that a session may come to, each once; its own first. */
export function modelsOf(
  config: Pick<SessionConfig, "provider" | "model" | "models"> & Partial<Pick<SessionConfig, "agents">>,
): readonly ChosenModel[] {
  const { provider, model, models } = config;
  const { fallback, phases, skills, sub_agents } = models;
  const all = [
    { provider, model },
    ...fallback,
    ...[phases, skills, sub_agents].flatMap((group) => Object.values(group)),
    ...(config.agents?.defined ?? []).map((kind) => modelOfChild(config, kind)),
  ];
  return all.filter((one, i) => all.findIndex((other) => sameModel(one, other)) === i);
}

function requireModel(name: string, settings: Settings): ModelChoice {
  const choice = namedModel(name, settings);
  if (choice !== null) return choice;
  throw new HarnessError(
    "config_invalid",
    `The fallback "${name}" is neither provider/model nor an alias of the settings.`,
    "`belay models` lists the providers and the aliases.",
  );
}

function modelsByName(names: Readonly<Record<string, string>> = {}, settings: Settings): ModelPolicy["phases"] {
  return Object.fromEntries(Object.entries(names).map(([name, model]) => [name, requireModel(model, settings)]));
}

function onlyAllowed(models: ModelPolicy["phases"], { allowed }: Settings): ModelPolicy["phases"] {
  return Object.fromEntries(Object.entries(models).filter(([, model]) => forbiddenBy(allowed, model) === null));
}
