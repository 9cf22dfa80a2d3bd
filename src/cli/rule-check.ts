/** Whether a rule can be read at all; the grammar is the policy's. */
import { parseRule } from "../policy/rules/rule.ts";
import { canonicalTool, nearestTool, toolKind } from "../policy/rules/tools.ts";

/** Why not, as a clause; null when it can. */
export function ruleTrouble(rule: string): string | null {
  const reading = parseRule(rule);
  return reading.ok ? null : reading.problem.replace(/\.$/, "").replace(/^The rule /, "it ");
}

/** Whether it is about a tool that belay does not have, and that is no slip of the pen: there is nothing it could restrict. */
export function isOfNoTool(rule: string): boolean {
  const [name = ""] = /^[A-Za-z_][\w-]*/.exec(rule.trim()) ?? [];
  return (
    name !== "" && !name.startsWith("mcp__") && toolKind(canonicalTool(name)) === null && nearestTool(name) === null
  );
}
