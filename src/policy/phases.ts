/**
 * What a phase of the session, or the session's own list, leaves of its tools. The list that the model sees stays as it is: what
 * is left out is denied when it is called.
 */
import type { Phase } from "../kernel/work-policy.ts";
import { canonicalTool } from "./rules/tools.ts";
import type { JudgeRequest, JudgeStanding } from "./standing.ts";
import type { RuleVerdict } from "./verdict.ts";

/** Tools that a reason names. */
const NAMED_MAX = 20;

/** How a call is judged in its phase: a phase that changes nothing is as the mode `plan`. */
export function inPhase({ effect }: JudgeRequest, standing: JudgeStanding): JudgeStanding {
  const { config } = standing;
  if (effect === "read" || phaseOf(standing)?.read_only !== true) return standing;
  return { ...standing, config: { ...config, permission_mode: "plan" } };
}

/** Null where nothing stands against the call. @param ruled of the call as `inPhase` has it judged */
export function phaseView(
  request: JudgeRequest,
  standing: JudgeStanding,
  ruled: RuleVerdict | null,
): { readonly decision: "deny"; readonly reason: string } | null {
  const { tool } = request;
  const { allowed_tools } = standing.config;
  if (allowed_tools !== null && !isAmong(tool, allowed_tools))
    return denied(`the session may use ${named(allowed_tools)}`);
  const phase = phaseOf(standing);
  if (phase === null) return null;
  if (phase.tools !== null && !isAmong(tool, phase.tools))
    return denied(`the phase \`${phase.name}\` may use ${named(phase.tools)}`);
  if (phase.read_only && mayChange(request, ruled))
    return denied(`the phase \`${phase.name}\` changes nothing, and this may`);
  return null;
}

function phaseOf({ config, phase }: JudgeStanding): Phase | null {
  return config.phases.find(({ name }) => name === phase) ?? null;
}

/** A command that was read and only reads changes nothing; neither does what a rule lets out to the web. */
function mayChange({ effect }: JudgeRequest, ruled: RuleVerdict | null): boolean {
  if (effect === "read") return false;
  if (effect === "write" || ruled?.decision !== "allow") return true;
  return effect === "execute" && ruled.by !== "built_in";
}

function denied(reason: string): { readonly decision: "deny"; readonly reason: string } {
  return { decision: "deny", reason };
}

/** Also by the names that Claude Code has for them. */
function isAmong(tool: string, tools: readonly string[]): boolean {
  const wanted = canonicalTool(tool);
  return tools.some((one) => canonicalTool(one) === wanted);
}

function named(tools: readonly string[]): string {
  if (tools.length === 0) return "no tool";
  const more = tools.length - NAMED_MAX;
  return `only ${tools.slice(0, NAMED_MAX).join(", ")}${more > 0 ? ` and ${String(more)} more` : ""}`;
}
