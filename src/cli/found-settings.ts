/**
 * One settings file, read: what it says about permissions, whoever wrote it and in whichever of the two dialects. Nothing is
 * decided here about what of it counts.
 */
import { canonicalJson } from "../kernel/json.ts";
import type { Grant, PermissionMode, PermissionRule } from "../kernel/permissions.ts";
import type { LoadedFile } from "../extension/load.ts";
import type { ItemKind, TrustItem } from "../extension/trust.ts";
import { invalidSettings } from "./settings-file.ts";
import type { PermissionSections } from "./permission-sections.ts";
import { isOfNoTool, ruleTrouble } from "./rule-check.ts";

/** Characters of a rule that a message repeats. */
const RULE_CHARS_SHOWN = 200;

type Behavior = PermissionRule["behavior"];

interface FoundRule {
  readonly behavior: Behavior;
  readonly rule: string;
  /** What a sandbox's own keys come to; no rule of permissions as the file means it. */
  readonly of_sandbox?: true;
}

/** Only what was said. */
export interface FoundLimits {
  readonly processes?: number;
  readonly memory_bytes?: number;
  readonly disk_bytes?: number;
}

export interface FoundSaid {
  readonly rules: readonly FoundRule[];
  readonly mode: PermissionMode | null;
  readonly bypass_disabled: boolean;
  readonly managed_only: boolean;
  readonly directories: readonly string[];
  readonly domains: readonly string[];
  /** Taken out of everybody's domains. */
  readonly denied_domains: readonly string[];
  readonly allow_read: readonly string[];
  readonly limits: FoundLimits;
  readonly grants: readonly Grant[];
  readonly public: boolean | null;
  /** What would start something or change the surroundings: counts, once belay uses it, only after trust. */
  readonly others: readonly { readonly kind: ItemKind; readonly text: string }[];
  /** What was there and is not understood or not used, for a person. */
  readonly notes: readonly string[];
}

export interface FoundSettings extends FoundSaid {
  readonly file: Omit<LoadedFile, "text">;
}

export const NOTHING_SAID: FoundSaid = {
  rules: [],
  mode: null,
  bypass_disabled: false,
  managed_only: false,
  directories: [],
  domains: [],
  denied_domains: [],
  allow_read: [],
  limits: {},
  grants: [],
  public: null,
  others: [],
  notes: [],
};

/** @param path for messages @throws HarnessError `config_invalid` for a rule that restricts and cannot be read */
export function saidInBelays(
  { permissions = {}, sandbox = {}, grants = [], flow = {} }: PermissionSections,
  path: string,
): FoundSaid {
  const { defaultMode: mode = null, additionalDirectories: directories = [] } = permissions;
  const { processes, memory: memory_bytes, disk: disk_bytes } = sandbox;
  return {
    ...NOTHING_SAID,
    ...checkedRules(rulesIn(permissions), path, false),
    mode,
    bypass_disabled: permissions.disableBypassPermissionsMode === "disable",
    directories,
    domains: sandbox.domains ?? [],
    allow_read: sandbox.allow_read ?? [],
    limits: {
      ...(processes === undefined ? {} : { processes }),
      ...(memory_bytes === undefined ? {} : { memory_bytes }),
      ...(disk_bytes === undefined ? {} : { disk_bytes }),
    },
    grants,
    public: flow.public ?? null,
  };
}

export function rulesIn(lists: { readonly [B in Behavior]?: readonly string[] | undefined }): readonly FoundRule[] {
  return (["deny", "ask", "allow"] as const).flatMap((behavior) =>
    (lists[behavior] ?? []).map((rule) => ({ behavior, rule })),
  );
}

/**
 * An allow rule that cannot be read allows nothing; one that restricts would be missed.
 * @param foreign the file of another program, which may have tools that belay has not
 * @throws HarnessError `config_invalid`
 */
export function checkedRules(
  rules: readonly FoundRule[],
  path: string,
  foreign: boolean,
): Pick<FoundSaid, "rules" | "notes"> {
  const kept: FoundRule[] = [];
  const notes: string[] = [];
  const fatal: string[] = [];
  for (const found of rules) {
    const trouble = ruleTrouble(found.rule);
    const named = `permissions.${found.behavior} has ${JSON.stringify(found.rule.slice(0, RULE_CHARS_SHOWN))}`;
    if (trouble === null) kept.push(found);
    else if (found.behavior === "allow") notes.push(`${named}: ${trouble}; it allows nothing`);
    else if (foreign && isOfNoTool(found.rule)) notes.push(`${named}: belay has no such tool`);
    else fatal.push(`${named}: ${trouble}`);
  }
  if (fatal.length > 0) throw invalidSettings(path, fatal);
  return { rules: kept, notes };
}

/** What of a project's file a person is shown, and trusts or not. */
export function itemsOf(found: FoundSettings): readonly TrustItem[] {
  const item = (kind: ItemKind, text: string): TrustItem => ({ file: found.file.path, kind, text });
  return [
    ...found.rules.map(({ behavior, rule }) => item(behavior, rule)),
    ...(found.mode === null ? [] : [item("mode", found.mode)]),
    ...found.directories.map((directory) => item("directory", directory)),
    ...found.domains.map((domain) => item("domain", domain)),
    ...found.allow_read.map((path) => item("read", path)),
    ...Object.entries(found.limits).map(([name, value]) => item("limit", `${name} ${String(value)}`)),
    ...found.grants.map((grant) => item("grant", grantText(grant))),
    ...(found.public === null ? [] : [item("flow", `public ${String(found.public)}`)]),
    ...found.others.map(({ kind, text }) => item(kind, text)),
  ];
}

export function grantText({ sink, destination, label, expires_at }: Grant): string {
  const until = expires_at === null ? "" : ` until ${new Date(expires_at).toISOString()}`;
  return `${sink} ${destination} ${label}${until}`;
}

/** One line of JSON, for what has no words of its own. */
export function jsonText(value: unknown): string {
  return canonicalJson(value);
}
