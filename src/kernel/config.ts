/**
 * The whole resolved configuration of a session. It is journaled (`SessionConfigured`, `SettingsChanged`) and nothing
 * else is read while a session runs: a resume restores it or refuses. No absolute path: those belong to a machine and
 * stand in the session's row.
 */
import * as z from "zod";
import { budgetSchema, DEFAULT_BUDGET } from "./budget.ts";
import { lazy } from "./lazy.ts";
import type { JsonObject } from "./json.ts";
import { modelPolicySchema, NO_FALLBACK } from "./model-policy.ts";
import {
  confinementSchema,
  DEFAULT_CONFINEMENT,
  DEFAULT_FLOW,
  flowSchema,
  NO_RULES,
  PERMISSION_MODES,
  permissionsSchema,
} from "./permissions.ts";
import { DEFAULT_WORK, workSchema } from "./work-policy.ts";

export const configSchema = lazy(() =>
  z.object({
    provider: z.string(),
    model: z.string(),
    /** `max_tokens` of a first attempt. */
    max_tokens: z.int().positive(),
    /** Tokens the model may think; null is off. */
    thinking_tokens: z.int().positive().nullable(),
    models: modelPolicySchema(),
    budget: budgetSchema(),
    limits: z.object({ turns: z.int().positive(), active_ms: z.int().positive(), tokens: z.int().positive() }),
    sandbox: z.object({
      /** `external`: a container or machine around belay, declared by the user and probed. */
      mode: z.enum(["bwrap", "external", "none"]),
      /** Commands may use the network. Such a call is unconfined: after a crash it is never re-run. */
      network: z.boolean(),
    }),
    workspace: z.object({
      /** `clone`: a private clone of a git repository. `copy`: a private copy of a directory that is none. `in_place`: the user's own tree. */
      mode: z.enum(["clone", "copy", "in_place"]),
      /** Start from this revision instead of the tree as it stands. */
      base: z.string().nullable(),
    }),
    /** Who decides about commands: `sandbox` allows what is confined, `ask` asks for each, `allow` was said aloud (--no-sandbox). */
    approval: z.enum(["sandbox", "ask", "allow"]),
    permission_mode: z.enum(PERMISSION_MODES),
    permissions: permissionsSchema(),
    flow: flowSchema(),
    /** What holds a sandboxed command, besides the sandbox. */
    confinement: confinementSchema(),
    /** Run once in the new workspace before the agent, with network. */
    setup: z.string().nullable(),
    /** Its exit code decides `verification`. */
    verify: z.string().nullable(),
    ...workSchema().shape,
    /** SHA-256 of what shapes behaviour, so that a change of behaviour can be traced to a change of text. */
    versions: z.object({
      belay: z.string(),
      prompt: z.string(),
      tools: z.string(),
      /** Of the permission rules, the grants and what is built in. */
      rules: z.string(),
      fold: z.int(),
      /** Of the system prompt and the tool schemas together, in bytes: the worst case of a first call counts on them. */
      prompt_bytes: z.int().nonnegative(),
    }),
  }),
);

export type SessionConfig = Readonly<z.infer<ReturnType<typeof configSchema>>>;
export type SandboxMode = SessionConfig["sandbox"]["mode"];
export type WorkspaceMode = SessionConfig["workspace"]["mode"];

/** With what a provider adds (`bound.ts`): the 12,000 tokens that the worst case of every session counted on at that time. */
const PROMPT_BYTES_V1 = 11_000;

/**
 * Version 1 had no caps on money and one model: a session of that time goes on without caps and without a fallback. Version 2
 * had no rules, no labels and no limits of a command, version 3 no compaction, phases, sub-agents or memory: such a session goes on
 * with the defaults.
 */
export function upcastConfig(data: JsonObject, version: number): JsonObject {
  const config = data["config"] as JsonObject; // every version of these events has one
  const upcast = UPCASTS[version - 1] ?? withWork;
  return { ...data, config: upcast(config) };
}

function withMoney(config: JsonObject): JsonObject {
  const versions = { ...(config["versions"] as JsonObject), prompt_bytes: PROMPT_BYTES_V1 };
  return { ...config, versions, models: NO_FALLBACK, budget: { ...DEFAULT_BUDGET, caps: [] } };
}

function withPolicy(config: JsonObject): JsonObject {
  const versions = { ...(config["versions"] as JsonObject), rules: "" };
  const policy = { permissions: NO_RULES, flow: DEFAULT_FLOW, confinement: DEFAULT_CONFINEMENT };
  return { ...config, versions, ...policy };
}

function withWork(config: JsonObject): JsonObject {
  return { ...config, ...(DEFAULT_WORK as unknown as JsonObject) }; // plain data
}

const UPCASTS: readonly ((config: JsonObject) => JsonObject)[] = [withMoney, withPolicy, withWork];
