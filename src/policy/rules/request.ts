/** What rules are asked about. */
import type { JsonObject } from "../../kernel/json.ts";
import type { PermissionMode, PermissionRule } from "../../kernel/permissions.ts";

export interface RuleRequest {
  /** As Claude Code names it (`Bash`, `Read`, `Write`, `Edit`, `Grep`, `Glob`, `WebFetch`, `mcp__server__tool`) or as belay does (`bash`). */
  readonly tool: string;
  readonly input: JsonObject;
}

export interface RuleContext {
  readonly rules: readonly PermissionRule[];
  readonly mode: PermissionMode;
  /** Where commands run and relative paths start, absolute: the workspace's root as paths of rules mean it. */
  readonly cwd: string;
  /** The user's home, absolute: `~` in rules and commands. */
  readonly home: string;
}
