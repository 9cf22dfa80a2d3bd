/**
 * The configuration of a sub-agent, from its parent's. Pure. Whatever binds the parent binds it: it is never looser.
 *
 * C1: no tool, permission mode, sandbox, network or grant that its parent has not.
 * C2: one that changes nothing has no tool that could, and what its commands see is read-only.
 * C3: its money is capped by all that caps its parent, in the same scopes of the ledger; turns, tokens and time are shares of what
 *     the parent has left.
 */
import { type Cap, NO_CAP, smallerCap } from "../../kernel/budget.ts";
import type { SessionConfig } from "../../kernel/config.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { handedDown } from "../../kernel/ledger-scopes.ts";
import type { ChosenModel } from "../../kernel/model-policy.ts";
import { nanoDollars } from "../../kernel/money.ts";
import type { PermissionMode } from "../../kernel/permissions.ts";
import type { SessionState, ToolEffect } from "../../kernel/state.ts";
import { totalTokens } from "../../kernel/usage.ts";
import type { AgentDefinition } from "../../kernel/work-policy.ts";
import { canonicalTool } from "../../policy/rules/tools.ts";

/** What one of them gets of what its parent has left of tokens, turns and time, and of the money of the tree. */
const SHARE = 0.5;

/** The strictest first. */
const STRICTNESS: readonly PermissionMode[] = ["plan", "dontAsk", "default", "acceptEdits", "bypassPermissions"];

export interface ChildRequest {
  readonly parent: SessionState;
  readonly config: SessionConfig;
  readonly definition: AgentDefinition;
  readonly tools: readonly { readonly name: string; readonly effect: ToolEffect }[];
  /** What the caps above leave, in nano-dollars and tokens; null where there is none. */
  readonly left: { readonly cost: number | null; readonly tokens: number | null };
}

/** Whether one of this kind works in files of its own: never below a session that itself may change nothing. */
export function mayWrite(
  { phase }: Pick<SessionState, "phase">,
  config: SessionConfig,
  { read_only, quarantined }: AgentDefinition,
): boolean {
  return !read_only && !quarantined && !isReadOnly(phase, config);
}

function isReadOnly(phase: string | null, config: SessionConfig): boolean {
  const { agents, permission_mode } = config;
  const own = agents.defined.find(({ name }) => name === agents.kind);
  return (
    permission_mode === "plan" || inReadingPhase(phase, config) || own?.read_only === true || own?.quarantined === true
  );
}

function inReadingPhase(phase: string | null, { phases }: SessionConfig): boolean {
  return phases.find(({ name }) => name === phase)?.read_only === true;
}

export function modelOfChild(
  { provider, model, models }: Pick<SessionConfig, "provider" | "model" | "models">,
  { name, model: wanted }: AgentDefinition,
): ChosenModel {
  const slash = wanted.indexOf("/");
  if (slash > 0) return { provider: wanted.slice(0, slash), model: wanted.slice(slash + 1) };
  if (wanted !== "inherit" && wanted !== "") return { provider, model: wanted };
  return (Object.hasOwn(models.sub_agents, name) ? models.sub_agents[name] : undefined) ?? { provider, model };
}

/** What rules look at of a call of `task`: also the model that would be asked, which its kind or the settings say. */
export function withModel(input: JsonObject, config: SessionConfig): JsonObject {
  const definition = config.agents.defined.find(({ name }) => name === input["agent"]);
  if (definition === undefined) return input;
  const { provider, model } = modelOfChild(config, definition);
  return { ...input, model: `${provider}/${model}` };
}

export function childConfig(request: ChildRequest): Omit<SessionConfig, "versions"> {
  const { parent, config, definition } = request;
  const { versions: _versions, ...kept } = config;
  const writes = mayWrite(parent, config, definition);
  const chosen = modelOfChild(config, definition);
  const same = chosen.provider === config.provider && chosen.model === config.model;
  const level = config.agents.level + 1;
  return {
    ...kept,
    ...chosen,
    thinking_tokens: same ? config.thinking_tokens : null,
    context: { ...config.context, window: same ? config.context.window : null },
    // What is chosen for a phase of the parent is none of its own.
    models: { ...config.models, phases: {} },
    budget: { ...config.budget, caps: childCaps(request) },
    limits: childLimits(request),
    workspace: { mode: writes ? "copy" : "in_place", base: null },
    permission_mode: modeOf(request, writes),
    setup: writes ? config.setup : null,
    verify: null,
    phases: [],
    review_every: null,
    allowed_tools: [...toolsOf(request, writes)],
    agents: { ...config.agents, kind: definition.name, level, defined: definedFor(config, definition, writes) },
    memory: { ...config.memory, remember: false, recall: writes ? config.memory.recall : 0 },
  };
}

/** On a resume: what binds the parent by now. What a person allowed the sub-agent itself is asked anew. */
export function changedByParent(parent: SessionState): (config: SessionConfig) => SessionConfig {
  const above = handedDown(parent);
  return (config) => {
    const own = config.budget.caps.filter(({ scope }) => scope === "session");
    const capped = { ...config, budget: { ...config.budget, caps: [...above, ...own] } };
    return parent.config === null ? capped : boundBy(parent.config, capped);
  };
}

/** C1. */
function boundBy(parent: SessionConfig, config: SessionConfig): SessionConfig {
  const { depth, width, total } = parent.agents;
  const { allowed_tools } = parent;
  const own = config.allowed_tools ?? [];
  return {
    ...config,
    permissions: parent.permissions,
    permission_mode: strictest([parent.permission_mode, config.permission_mode]),
    approval: parent.approval,
    sandbox: parent.sandbox,
    confinement: parent.confinement,
    flow: parent.flow,
    allowed_tools: allowed_tools === null ? own : own.filter((name) => isAmong(name, allowed_tools)),
    agents: { ...config.agents, depth, width, total },
  };
}

/** Those that it may start itself: it must be able to, and below one that changes nothing nobody changes anything. */
function definedFor(
  { agents }: SessionConfig,
  { name, quarantined }: AgentDefinition,
  writes: boolean,
): SessionConfig["agents"]["defined"] {
  const own = agents.defined.filter((one) => one.name === name);
  if (quarantined || agents.level + 1 >= agents.depth) return own;
  return writes
    ? agents.defined
    : agents.defined.filter((one) => one.name === name || one.read_only || one.quarantined);
}

/** C1. A mode that asks nobody is stricter than one that asks. */
function modeOf({ parent, config, definition }: ChildRequest, writes: boolean): PermissionMode {
  // A reader has no tool that changes anything, and the mode `plan` would keep it from what its parent may fetch.
  const plan = definition.quarantined ? inReadingPhase(parent.phase, config) : !writes;
  const said = STRICTNESS.filter((mode) => mode === definition.permission_mode);
  return strictest([config.permission_mode, ...said, ...(plan ? (["plan"] as const) : [])]);
}

function strictest(modes: readonly PermissionMode[]): PermissionMode {
  return STRICTNESS[Math.min(...modes.map((mode) => STRICTNESS.indexOf(mode)))] ?? "plan";
}

/** C1, C2. */
function toolsOf({ parent, config, definition, tools }: ChildRequest, writes: boolean): readonly string[] {
  const phase = config.phases.find(({ name }) => name === parent.phase)?.tools ?? null;
  const lists = [config.allowed_tools, phase, definition.tools];
  const held = config.sandbox.mode === "bwrap";
  return tools
    .filter(({ name }) => lists.every((allowed) => allowed === null || isAmong(name, allowed)))
    .filter(({ name }) => !isAmong(name, definition.disallowed_tools))
    .filter(({ name, effect }) => writes || effect === "read" || name === "web_fetch" || (effect === "execute" && held))
    .filter(({ name }) => !definition.quarantined || name === "read" || name === "web_fetch")
    .map(({ name }) => name);
}

/** Files of agents name tools as Claude Code does: `Bash`, `WebFetch`, `Agent`. */
function isAmong(name: string, names: readonly string[]): boolean {
  const plain = (text: string): string => canonicalTool(text).replaceAll("_", "").toLowerCase();
  return names.some((one) => plain(one) === plain(name));
}

/** C3. */
function childCaps({ parent, definition, left }: ChildRequest): Cap[] {
  const above = handedDown(parent);
  const share = left.cost === null ? null : Math.max(0, Math.floor(left.cost * SHARE));
  const cost = smallerCap(definition.max_cost, share);
  const tokens = left.tokens === null ? null : Math.max(1, Math.floor(left.tokens * SHARE));
  const strict = above.some((cap) => cap.strict && cap.cost !== null);
  const own = { ...NO_CAP, scope: "session", cost: cost === null ? null : nanoDollars(cost), tokens, strict };
  return [...above, ...(cost === null && tokens === null ? [] : [own])];
}

function childLimits({ parent, config, definition }: ChildRequest): SessionConfig["limits"] {
  const { turns, active_ms, tokens } = config.limits;
  const spent = totalTokens(parent.usage) + parent.unknown_tokens;
  const active = parent.active_ms + parent.at - (parent.run?.started_at ?? parent.at);
  const share = (of: number): number => Math.max(1, Math.floor(of * SHARE));
  const ownTurns = share(turns - parent.turn);
  return {
    turns: definition.max_turns === null ? ownTurns : Math.min(definition.max_turns, ownTurns),
    active_ms: share(active_ms - active),
    tokens: share(tokens - spent),
  };
}
