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
import { changedWork, startWork, type WorkSurroundings } from "./work-settings.ts";
import { type CommonOptions, type Confinement, MINUTE_MS, type RunOptions } from "./settings.ts";

export interface StartChoice {
  readonly model: ModelChoice;
  readonly confined: Confinement;
  readonly workspace: SessionConfig["workspace"]["mode"];
  readonly policy: Policy;
  /** What was found around the session about how it works. Default nothing. */
  readonly around?: WorkSurroundings;
}

/** @throws HarnessError `usage`, `config_invalid`, `model_not_allowed` */
export function configOf(
  options: RunOptions,
  { model, confined, workspace, policy, around = {} }: StartChoice,
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
  const work = startWork(options, settings, around);
  requireRoom(work.context.window, OUTPUT_TOKENS_DEFAULT);
  requireGoneThrough(options, work.phases);
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
    ...work,
  };
}

/** @throws HarnessError `usage`: a cap that would never hold anything */
function requireGoneThrough({ phase = [] }: RunOptions, phases: SessionConfig["phases"]): void {
  const unknown = phase.find(({ name }) => phases.every((one) => one.name !== name));
  if (phases.length === 0 || unknown === undefined) return;
  throw new HarnessError(
    "usage",
    `--phase ${unknown.name} caps a phase that this session does not go through.`,
    `Its phases are ${phases.map(({ name }) => name).join(", ")}.`,
  );
}

/** @throws HarnessError `usage`: the conversation would be over its threshold before it began */
function requireRoom(window: number | null, max_tokens: number): void {
  if (window === null || window > max_tokens) return;
  throw new HarnessError(
    "usage",
    `A window of ${window.toLocaleString("en-US")} tokens has no room beside an answer, which may have ${max_tokens.toLocaleString("en-US")}.`,
    "Give --context-window (or `context.window` in the settings) more: the whole of what the model reads, such as 200k.",
  );
}

/** As a session with these options begins, whatever was said of the task that stood in it before: its criteria are not the next one's. */
export function asBegun(
  options: CommonOptions,
  model: ModelChoice,
  settings: Settings,
): (config: SessionConfig) => SessionConfig {
  const { phases, review_every, allowed_tools } = startWork(options, settings);
  const limits = limitsOf(options, DEFAULT_LIMITS);
  const budget = startBudget(options, settings);
  const verify = options.verify ?? null;
  return (config) => ({ ...config, ...model, budget, limits, verify, phases, review_every, allowed_tools });
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
    if (options.contextWindow !== undefined) requireRoom(options.contextWindow, config.max_tokens);
    return {
      ...config,
      ...chosen,
      models: changedModels(options, config.models, settings),
      budget: changedBudget(options, config.budget, settings),
      limits: limitsOf(options, config.limits),
      verify: options.verify ?? config.verify,
      ...changedPolicy(options, config, permissions, person),
      ...changedWork(options, config, settings),
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
