/** The rules, the mode and the place that `belay permissions` judges with. The one place where they come together. */
import { homedir } from "node:os";
import { resolve } from "node:path";
import { HarnessError } from "../kernel/harness-error.ts";
import { PERMISSION_MODES, type PermissionMode, type PermissionRule } from "../kernel/permissions.ts";
import type { RuleContext } from "../policy/rules/request.ts";

export interface PermissionOptions {
  readonly allow?: readonly string[];
  readonly ask?: readonly string[];
  readonly deny?: readonly string[];
  readonly mode?: string;
  readonly cwd?: string;
}

/** Names that other tools' settings have for a mode. */
const SYNONYMS: ReadonlyMap<string, PermissionMode> = new Map([
  ["manual", "default"],
  ["auto", "default"],
]);

export interface PermissionContext extends RuleContext {
  /** What is not as it was asked for: sentences. */
  readonly notes: readonly string[];
}

/** @param cwd absolute. @throws HarnessError `usage` */
export function permissionContext(options: PermissionOptions, cwd: string): PermissionContext {
  const said = options.mode ?? "default";
  const mode = modeOf(said);
  if (mode === null)
    throw new HarnessError(
      "usage",
      `There is no permission mode ${said}.`,
      `Name one of ${PERMISSION_MODES.join(", ")}.`,
    );
  return {
    rules: cliRules(options),
    mode,
    cwd: resolve(cwd, options.cwd ?? "."),
    home: homedir(),
    notes: said === "auto" ? ["The mode `auto` is judged as `default`: no model decides here."] : [],
  };
}

export function modeOf(said: string): PermissionMode | null {
  return SYNONYMS.get(said) ?? PERMISSION_MODES.find((mode) => mode === said) ?? null;
}

export function cliRules({ allow = [], ask = [], deny = [] }: PermissionOptions): readonly PermissionRule[] {
  const of = (behavior: PermissionRule["behavior"], rules: readonly string[]): readonly PermissionRule[] =>
    rules.map((rule) => ({ behavior, rule, source: "cli" }));
  return [...of("deny", deny), ...of("ask", ask), ...of("allow", allow)];
}
