/** The configuration that options and settings come to: of a new session, and of one that goes on. */
import type { SessionConfig } from "../kernel/config.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { DEFAULT_LIMITS, type Limits, OUTPUT_TOKENS_DEFAULT } from "../kernel/limits.ts";
import { requireAllowed } from "../model/allowed-models.ts";
import type { ModelChoice } from "../model/provider-table.ts";
import { changedBudget, startBudget } from "./budget-settings.ts";
import type { PermissionSettings } from "./permission-settings.ts";
import { changedPolicy, type Policy } from "./session-policy.ts";
import { changedModels, namedModel, startModels } from "./model-settings.ts";
import type { Settings } from "./resolved-settings.ts";
import { type CommonOptions, type Confinement, MINUTE_MS, type RunOptions } from "./settings.ts";

export interface StartChoice {
  readonly model: ModelChoice;
  readonly confined: Confinement;
  readonly workspace: SessionConfig["workspace"]["mode"];
  readonly policy: Policy;
}

/** @throws HarnessError `usage`, `config_invalid`, `model_not_allowed` */
export function configOf(
  options: RunOptions,
  { model, confined, workspace, policy }: StartChoice,
  settings: Settings,
): Omit<SessionConfig, "versions"> {
  if (options.base !== undefined && workspace !== "clone") {
    throw new HarnessError(
      "usage",
      "--base needs a private clone of a git repository.",
      "Leave --in-place away, or run in a repository.",
    );
  }
  requireAllowed(settings.allowed, model);
  return {
    ...model,
    max_tokens: OUTPUT_TOKENS_DEFAULT,
    thinking_tokens: null,
    models: startModels(options, settings),
    budget: startBudget(options, settings),
    limits: limitsOf(options, DEFAULT_LIMITS),
    // What is around belay decides about the network, and belay cannot know how.
    sandbox: { mode: confined.mode, network: options.allowNetwork === true || confined.mode === "external" },
    workspace: { mode: workspace, base: options.base ?? null },
    approval: confined.approval,
    ...policy,
    setup: options.setup ?? null,
    verify: options.verify ?? null,
  };
}

export interface ChangeChoice {
  readonly settings: Settings;
  readonly permissions: PermissionSettings;
  /** Whether somebody is there to be asked. */
  readonly person: boolean;
}

/** What a resume changes; everything else stays as it was journaled, as far as the machine's settings still allow it. */
export function changeOf(
  options: CommonOptions,
  { settings, permissions, person }: ChangeChoice,
): (config: SessionConfig) => SessionConfig {
  return (config) => {
    const chosen = changedModel(options.model, config, settings);
    requireAllowed(settings.allowed, chosen);
    return {
      ...config,
      ...chosen,
      models: changedModels(options, config.models, settings),
      budget: changedBudget(options, config.budget, settings),
      limits: limitsOf(options, config.limits),
      verify: options.verify ?? config.verify,
      ...changedPolicy(options, config, permissions, person),
    };
  };
}

/** On a resume a name that leads to no provider is one of the session's own. */
function changedModel(
  name: string | undefined,
  config: SessionConfig,
  settings: Settings,
): Pick<SessionConfig, "provider" | "model"> {
  const { provider, model } = config;
  return name === undefined ? { provider, model } : (namedModel(name, settings) ?? { provider, model: name });
}

function limitsOf(options: CommonOptions, present: Limits): Limits {
  return {
    turns: options.maxTurns ?? present.turns,
    active_ms: options.maxMinutes === undefined ? present.active_ms : options.maxMinutes * MINUTE_MS,
    tokens: options.maxTokens ?? present.tokens,
  };
}
