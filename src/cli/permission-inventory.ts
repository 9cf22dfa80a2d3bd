/**
 * All that the settings files of a place say about permissions, with where each stands in its file and whether it counts. What
 * is wrong with it is not said here.
 */
import { homedir } from "node:os";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { readFileBelow, readPlainFile } from "../extension/plain-file.ts";
import { keyOf } from "../extension/trust.ts";
import type { Json } from "../kernel/json.ts";
import type { PermissionRule, RuleSource } from "../kernel/permissions.ts";
import { systemClock } from "../host/system-clock.ts";
import type { EditableFile, LocatedRule } from "../policy/audit/finding.ts";
import type { LocatedDomain, LocatedGrant, RuleSet } from "../policy/audit/rule-findings.ts";
import { findRepository } from "../workspace/prepare/source.ts";
import type { Face } from "./face.ts";
import { type FoundSettings, grantText } from "./found-settings.ts";
import { createGitFacts } from "./git-facts.ts";
import type { PermissionSettings } from "./permission-settings.ts";
import { permissionsOf } from "./project-trust.ts";
import { isOfNoTool, ruleTrouble } from "./rule-check.ts";
import { FILE_BYTES_MAX } from "./settings-file.ts";
import { readFoundSettings } from "./settings-places.ts";

export interface Inventory extends RuleSet {
  /** The top of the repository, or the directory: absolute, without links. */
  readonly project: string;
  readonly settings: PermissionSettings;
  /** Where rules that allow are suggested to be written, and where rules that deny are. */
  readonly own: EditableFile;
  readonly shared: EditableFile;
  readonly places: { readonly cwd: string; readonly home: string };
}

const WAITS = "It waits for trust: `belay trust`.";
const OWN = "$BELAY_HOME/settings.json";
/** The first of them that is there. */
const SHARED = [".belay/settings.json", ".claude/settings.json"] as const;

/** @throws HarnessError `config_invalid` */
export async function permissionInventory({ environment, cwd }: Face): Promise<Inventory> {
  const { home, userHome, all } = environment;
  const repository = findRepository(cwd);
  const project = repository?.top ?? realpathSync(cwd);
  const git = repository === null ? null : createGitFacts(repository, all["PATH"]);
  const settings = await permissionsOf({ environment }, { cwd });
  const found = await readFoundSettings({ home, userHome, project, git }, null);
  const texts = new Map(found.map(({ file }) => [file.path, jsonOf(file, { home, userHome, project })]));
  const editable = (file: string): EditableFile => ({ file, json: texts.get(file) ?? null });
  return {
    project,
    settings,
    rules: [
      ...found.flatMap((one) => rulesOf(one, texts.get(one.file.path) ?? null, settings)),
      ...keptRules(settings),
    ],
    grants: found.flatMap((one) => grantsOf(one, texts.get(one.file.path) ?? null, settings)),
    domains: found.flatMap((one) => domainsOf(one, texts.get(one.file.path) ?? null, settings)),
    directories: found.flatMap((one) => directoriesOf(one, texts.get(one.file.path) ?? null)),
    modes: found.flatMap(({ mode, file }) =>
      mode === null ? [] : [{ mode, file: file.path, pointer: "/permissions/defaultMode" }],
    ),
    own: editable(OWN),
    shared: editable(SHARED.find((file) => texts.has(file)) ?? SHARED[0]),
    places: { cwd: project, home: userHome === "" ? homedir() : userHome },
  };
}

/** Null where the file changed meanwhile: then nothing is said of where things stand in it. */
function jsonOf(
  { path, origin, hash }: FoundSettings["file"],
  { home, userHome, project }: { readonly home: string; readonly userHome: string; readonly project: string },
): Json {
  const place = path.startsWith("$BELAY_HOME/")
    ? join(home, path.slice("$BELAY_HOME/".length))
    : path.replace(/^~(?=\/)/, () => userHome);
  const own = origin === "project" || origin === "local";
  const read = own ? readFileBelow(project, path, FILE_BYTES_MAX) : readPlainFile(place, FILE_BYTES_MAX);
  if (read.found !== "text" || read.hash !== hash) return null;
  try {
    return JSON.parse(read.text) as Json; // what JSON.parse makes is JSON
  } catch (error) {
    if (error instanceof SyntaxError) return null; // an empty file, which says nothing
    throw error;
  }
}

function rulesOf(found: FoundSettings, json: Json, settings: PermissionSettings): readonly LocatedRule[] {
  const { file, rules } = found;
  const located: LocatedRule[] = [];
  const taken = new Map<string, number>();
  for (const { behavior, rule, of_sandbox } of rules) {
    const mine = settings.managed_only === null || file.origin === "managed" || of_sandbox === true;
    const pointer = of_sandbox === true ? null : nextPointer(json, { behavior, rule }, taken);
    const pending = mine && behavior === "allow" && isPending(settings, file.path, "allow", rule);
    const not_managed = mine ? null : `Only managed rules count: ${settings.managed_only ?? ""} says so.`;
    const without_effect = pending ? WAITS : not_managed;
    located.push({ behavior, rule, source: sourceOf(file), file: file.path, pointer, without_effect, pending });
  }
  return [...located, ...unreadableRules(found, json)];
}

/** A rule that stands twice has two places. */
function nextPointer(
  json: Json,
  { behavior, rule }: Pick<PermissionRule, "behavior" | "rule">,
  taken: Map<string, number>,
): string | null {
  const key = `${behavior} ${rule}`;
  const list = at(json, "permissions", behavior);
  const index = Array.isArray(list) ? list.indexOf(rule, (taken.get(key) ?? -1) + 1) : -1;
  if (index === -1) return null;
  taken.set(key, index);
  return `/permissions/${behavior}/${index}`;
}

/** What the reader of the file left out. A tool of another program is none of belay's business. */
function unreadableRules({ file }: FoundSettings, json: Json): readonly LocatedRule[] {
  const foreign = file.path.includes("claude");
  return (["deny", "ask", "allow"] as const).flatMap((behavior) => {
    const list = at(json, "permissions", behavior);
    return (Array.isArray(list) ? (list as readonly Json[]) : []).flatMap((rule, i): readonly LocatedRule[] => {
      if (typeof rule !== "string" || ruleTrouble(rule) === null || (foreign && isOfNoTool(rule))) return [];
      const pointer = `/permissions/${behavior}/${i}`;
      return [
        {
          behavior,
          rule,
          source: sourceOf(file),
          file: file.path,
          pointer,
          without_effect: "It cannot be read.",
          pending: false,
        },
      ];
    });
  });
}

/** What restricted when somebody trusted the directory, and is gone from its file. */
function keptRules({ trust, managed_only }: PermissionSettings): readonly LocatedRule[] {
  return (managed_only === null ? trust.removed : []).flatMap(({ kind, text, file }): readonly LocatedRule[] =>
    kind === "deny" || kind === "ask"
      ? [{ behavior: kind, rule: text, source: "project", file, pointer: null, without_effect: null, pending: false }]
      : [],
  );
}

function grantsOf({ file, grants }: FoundSettings, json: Json, settings: PermissionSettings): readonly LocatedGrant[] {
  const listed = Array.isArray(at(json, "grants"));
  const now = systemClock.now();
  return grants.map((grant, i) => {
    const over = grant.expires_at !== null && grant.expires_at <= now;
    const pending = isPending(settings, file.path, "grant", grantText(grant));
    const without_effect = over ? "It is over." : pending ? WAITS : null;
    return { grant, file: file.path, pointer: listed ? `/grants/${i}` : null, without_effect };
  });
}

const DOMAIN_LISTS = [
  ["sandbox", "domains"],
  ["sandbox", "network", "allowedDomains"],
] as const;

function domainsOf(
  { file, domains }: FoundSettings,
  json: Json,
  settings: PermissionSettings,
): readonly LocatedDomain[] {
  return domains.map((domain) => {
    const places = DOMAIN_LISTS.flatMap((path) => {
      const list = at(json, ...path);
      const index = Array.isArray(list) ? list.findIndex((one) => String(one).toLowerCase() === domain) : -1;
      return index === -1 ? [] : [`/${path.join("/")}/${index}`];
    });
    const pending = isPending(settings, file.path, "domain", domain);
    const counts = settings.domains.includes(domain);
    const without_effect = counts ? null : pending ? WAITS : "It is denied.";
    return { domain, file: file.path, pointer: places[0] ?? null, without_effect, pending: !counts && pending };
  });
}

function directoriesOf({ file, directories }: FoundSettings, json: Json): Inventory["directories"] {
  const list = at(json, "permissions", "additionalDirectories");
  return directories.map((directory) => {
    const index = Array.isArray(list) ? list.indexOf(directory) : -1;
    return { directory, file: file.path, pointer: index === -1 ? null : `/permissions/additionalDirectories/${index}` };
  });
}

function isPending(
  { trust }: PermissionSettings,
  file: string,
  kind: "allow" | "grant" | "domain",
  text: string,
): boolean {
  const key = keyOf({ file, kind, text });
  return trust.pending.some((item) => keyOf(item) === key);
}

function sourceOf({ origin }: FoundSettings["file"]): RuleSource {
  return origin;
}

function at(json: Json, ...path: readonly string[]): Json {
  let value = json;
  for (const name of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return null;
    value = (value as { readonly [key: string]: Json })[name] ?? null; // an object that is no list
  }
  return value;
}
