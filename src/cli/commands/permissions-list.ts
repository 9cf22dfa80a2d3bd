/** `belay permissions list`: every rule of this place, where it is written, and whether it counts. Reads files; judges nothing. */
import type { PermissionRule } from "../../kernel/permissions.ts";
import type { LocatedRule } from "../../policy/audit/finding.ts";
import { type Danger, dangerOf } from "../../policy/rules/dangerous.ts";
import type { Face } from "../face.ts";
import { grantText } from "../found-settings.ts";
import { type Inventory, permissionInventory } from "../permission-inventory.ts";
import { formatDate } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";
import { tableLines } from "../view/table.ts";

export interface ListOptions {
  readonly json?: true;
}

/** Nobody looks at a table that is wider; programs take --json. */
const COLUMNS_WITHOUT_TERMINAL = 10_000;
const COLUMNS_MIN = 60;
const BEHAVIORS = ["deny", "ask", "allow"] as const satisfies readonly PermissionRule["behavior"][];

interface ListedRule extends LocatedRule {
  readonly danger: Danger | null;
  readonly counts: boolean;
}

export async function list({ json }: ListOptions, face: Face): Promise<number> {
  const inventory = await permissionInventory(face);
  const rules = BEHAVIORS.flatMap((behavior) => inventory.rules.filter((rule) => rule.behavior === behavior)).map(
    listed,
  );
  if (json === true) face.out.json(JSON.stringify(listJson(inventory, rules)));
  else for (const line of listLines(inventory, rules, face)) face.out.line(line);
  return 0;
}

function listed(rule: LocatedRule): ListedRule {
  const danger = rule.behavior === "allow" ? dangerOf(rule.rule) : null;
  const without_effect = rule.without_effect ?? (danger === null ? null : `It is left out. ${danger.reason}`);
  return { ...rule, without_effect, danger, counts: without_effect === null };
}

function listJson({ project, settings, grants, domains }: Inventory, rules: readonly ListedRule[]): unknown {
  const { mode, bypass_disabled, managed_only, limits, additional_directories, allow_read, notes, files, trust } =
    settings;
  return {
    directory: project,
    mode: mode ?? "default",
    bypass_disabled,
    managed_only,
    rules: rules.map(({ behavior, rule, source, file, pointer, counts, without_effect, danger }) => ({
      ...{ behavior, rule, source, file, pointer, counts, why: without_effect, danger },
    })),
    grants: grants.map(({ grant, file, pointer, without_effect }) => ({
      ...{ ...grant, file, pointer, counts: without_effect === null, why: without_effect },
    })),
    domains: domains.map(({ domain, file, pointer, without_effect }) => ({
      ...{ domain, file, pointer, counts: without_effect === null, why: without_effect },
    })),
    limits,
    additional_directories,
    readable_secrets: allow_read,
    public: settings.public,
    files: files.map(({ path, origin, tracked, ignored, counts }) => ({
      path,
      source: origin,
      tracked,
      ignored,
      counts,
    })),
    trust: { trusted_at: trust.at, pending: trust.pending.length, declined: trust.declined },
    notes,
  };
}

function listLines(
  { settings, grants, domains }: Inventory,
  rules: readonly ListedRule[],
  { out }: Face,
): readonly string[] {
  const columns = out.isTerminal ? Math.max(out.columns(), COLUMNS_MIN) : COLUMNS_WITHOUT_TERMINAL;
  const { mode, limits, additional_directories, allow_read, bypass_disabled, managed_only } = settings;
  const ruleRows = rules.map(({ behavior, rule, source, file, without_effect }) =>
    [behavior, rule, source, file, without_effect ?? "counts"].map(safeLine),
  );
  const grantRows = grants.map(({ grant, file, without_effect }) =>
    [grantText({ ...grant, expires_at: null }), untilText(grant.expires_at), file, without_effect ?? "counts"].map(
      safeLine,
    ),
  );
  const domainRows = domains.map(({ domain, file, without_effect }) =>
    [domain, file, without_effect ?? "counts"].map(safeLine),
  );
  const limitTexts = Object.entries(limits).map(([name, value]) => `${name} ${String(value)}`);
  return [
    `mode: ${mode ?? "default"}${bypass_disabled === null ? "" : ` (bypassPermissions is disabled by ${safeLine(bypass_disabled)})`}`,
    ...(managed_only === null ? [] : [`only managed rules count: ${safeLine(managed_only)}`]),
    ...(rules.length === 0
      ? ["no rules"]
      : ["", ...tableLines(["", "RULE", "SOURCE", "FILE", "STANDING"], ruleRows, columns)]),
    ...(grants.length === 0 ? [] : ["", ...tableLines(["GRANT", "UNTIL", "FILE", "STANDING"], grantRows, columns)]),
    ...(domains.length === 0
      ? []
      : ["", ...tableLines(["HOST FOR COMMANDS", "FILE", "STANDING"], domainRows, columns)]),
    ...section("limits", limitTexts),
    ...section("additional directories", additional_directories),
    ...section("readable secrets", allow_read),
    ...section("notes", settings.notes),
  ];
}

function section(name: string, texts: readonly string[]): readonly string[] {
  return texts.length === 0 ? [] : ["", `${name}:`, ...texts.map((text) => `  ${safeLine(text)}`)];
}

function untilText(expires_at: number | null): string {
  return expires_at === null ? "no end" : formatDate(expires_at);
}
