/**
 * Settings as Claude Code writes them. What belay does not know there is not its business; but a list of deny rules that cannot
 * be read is not an empty one.
 *
 * C1: what restricts (deny, ask, a sandbox's denyRead) is understood or refused; what loosens is understood or left out and named.
 */
import { PERMISSION_MODES, type PermissionMode } from "../kernel/permissions.ts";
import type { ItemKind } from "../extension/trust.ts";
import { checkedRules, type FoundSaid, jsonText, NOTHING_SAID, rulesIn } from "./found-settings.ts";
import { readDomain } from "./permission-sections.ts";
import { invalidSettings, parsedJson } from "./settings-file.ts";

/** Items of one file beside its rules. */
const OTHERS_MAX = 1_000;

type Block = Readonly<Record<string, unknown>>;

/** What a reader of one file carries along. */
interface Reading {
  /** For messages. */
  readonly path: string;
  readonly notes: string[];
}

/** @param path for messages @throws HarnessError `config_invalid` C1 */
export function saidInClaudes(text: string, path: string): FoundSaid {
  // Claude Code reads an empty file as one that says nothing.
  const whole = text.trim() === "" ? {} : parsedJson(path, text);
  if (!isBlock(whole)) throw invalidSettings(path, ["it is no JSON object, so its deny rules are not known"]);
  const reading: Reading = { path, notes: [] };
  const permissions = restricting(reading, whole, "permissions", {});
  const sandbox = restricting(reading, whole, "sandbox", {});
  const network = restricting(reading, sandbox, "sandbox.network", {});
  const filesystem = restricting(reading, sandbox, "sandbox.filesystem", {});
  nameIgnored(reading, { sandbox, network, filesystem });
  const denied_domains = strictList(reading, network, "sandbox.network.deniedDomains").map((said) =>
    said.toLowerCase(),
  );
  const denied = [
    ...strictList(reading, filesystem, "sandbox.filesystem.denyRead").flatMap((said) => pathRules("Read", said)),
    ...deniedCredentials(reading, sandbox).flatMap((said) => pathRules("Read", said)),
    ...strictList(reading, filesystem, "sandbox.filesystem.denyWrite").flatMap((said) => pathRules("Edit", said)),
    ...denied_domains.map((domain) => `WebFetch(domain:${domain})`),
  ];
  const lists = {
    deny: strictList(reading, permissions, "permissions.deny"),
    ask: strictList(reading, permissions, "permissions.ask"),
    allow: lenientList(reading, permissions, "permissions.allow"),
  };
  const of_sandbox = denied.map((rule) => ({ behavior: "deny" as const, rule, of_sandbox: true as const }));
  const rules = checkedRules([...rulesIn(lists), ...of_sandbox], path, true);
  return {
    ...NOTHING_SAID,
    rules: rules.rules,
    mode: modeIn(reading, permissions),
    bypass_disabled: permissions["disableBypassPermissionsMode"] === "disable",
    managed_only: whole["allowManagedPermissionRulesOnly"] === true,
    directories: lenientList(reading, permissions, "permissions.additionalDirectories"),
    domains: domainsIn(reading, network),
    denied_domains,
    allow_read: lenientList(reading, filesystem, "sandbox.filesystem.allowRead"),
    others: othersIn(reading, whole),
    notes: [...rules.notes, ...reading.notes],
  };
}

/** The servers of an `.mcp.json`. It restricts nothing: what cannot be read is only said. */
export function saidInMcp(text: string): FoundSaid {
  try {
    const whole: unknown = JSON.parse(text);
    const servers = isBlock(whole) ? whole["mcpServers"] : undefined;
    if (!isBlock(servers)) return { ...NOTHING_SAID, notes: ["it names no mcpServers"] };
    return {
      ...NOTHING_SAID,
      others: limited(Object.entries(servers).map(([name, server]) => entry("mcp", name, server))),
    };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ...NOTHING_SAID, notes: ["it is no JSON"] };
  }
}

function isBlock(value: unknown): value is Block {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(block: Block, place: string): unknown {
  const key = place.slice(place.lastIndexOf(".") + 1);
  return Object.hasOwn(block, key) ? block[key] : undefined;
}

/** A block that can hold what restricts. C1. */
function restricting({ path }: Reading, block: Block, place: string, otherwise: Block): Block {
  const found = own(block, place);
  if (found === undefined || found === null) return otherwise;
  if (isBlock(found)) return found;
  throw invalidSettings(path, [`${place} is no object, so what it denies is not known`]);
}

function strictList({ path }: Reading, block: Block, place: string): readonly string[] {
  const found = own(block, place) ?? [];
  if (Array.isArray(found) && found.every((one) => typeof one === "string")) return found;
  throw invalidSettings(path, [`${place} is no list of texts, so what it denies is not known`]);
}

function lenientList({ notes }: Reading, block: Block, place: string): readonly string[] {
  const found = own(block, place) ?? [];
  if (!Array.isArray(found)) {
    notes.push(`${place} is no list; it counts for nothing`);
    return [];
  }
  const texts = found.filter((one) => typeof one === "string");
  if (texts.length < found.length) notes.push(`${place} holds what is no text; that counts for nothing`);
  return texts;
}

function modeIn({ notes }: Reading, permissions: Block): PermissionMode | null {
  const said = own(permissions, "permissions.defaultMode");
  if (said === undefined || said === null) return null;
  if (said === "manual") return "default";
  const known = PERMISSION_MODES.find((mode) => mode === said);
  if (known === undefined)
    notes.push(`permissions.defaultMode ${jsonText(said).slice(0, 100)} is no mode that belay has`);
  return known ?? null;
}

function domainsIn(reading: Reading, network: Block): readonly string[] {
  return lenientList(reading, network, "sandbox.network.allowedDomains").flatMap((said) => {
    const found = readDomain(said);
    if ("value" in found) return [found.value];
    reading.notes.push(`sandbox.network.allowedDomains has ${JSON.stringify(said.slice(0, 200))}: ${found.wrong}`);
    return [];
  });
}

/** Both of its modes hide the file. */
function deniedCredentials(reading: Reading, sandbox: Block): readonly string[] {
  const credentials = restricting(reading, sandbox, "sandbox.credentials", {});
  if (own(credentials, "envVars") !== undefined) reading.notes.push(ignored("sandbox.credentials.envVars"));
  const files = own(credentials, "files") ?? [];
  const found = Array.isArray(files)
    ? files.map((file: unknown) => (isBlock(file) ? file["path"] : undefined))
    : [null];
  if (found.every((one) => typeof one === "string")) return found;
  throw invalidSettings(reading.path, [
    "sandbox.credentials.files is no list of paths, so what it denies is not known",
  ]);
}

/** The path of a sandbox as the rules of a file mean it: `/a` there is absolute, which is `//a` in a rule. */
function pathRules(tool: "Read" | "Edit", said: string): readonly string[] {
  const plain = said.replace(/(?<=.)\/+$/, "");
  const path = plain.startsWith("/") && !plain.startsWith("//") ? `/${plain}` : plain;
  const anchored = /^(?:\/|~|\.\.?(?:\/|$))/.test(path) ? path : `./${path}`;
  return [anchored, `${anchored}/**`].map((one) => `${tool}(${one})`);
}

const USED = {
  sandbox: ["network", "filesystem", "credentials"],
  network: ["allowedDomains", "deniedDomains"],
  filesystem: ["denyRead", "denyWrite", "allowRead"],
} as const;

/** Keys of a sandbox that belay has no counterpart for: somebody may rely on them. */
function nameIgnored({ notes }: Reading, blocks: { readonly [Name in keyof typeof USED]: Block }): void {
  for (const name of ["sandbox", "network", "filesystem"] as const) {
    const used: readonly string[] = USED[name];
    const prefix = name === "sandbox" ? "sandbox" : `sandbox.${name}`;
    for (const key of Object.keys(blocks[name]))
      if (!used.includes(key)) notes.push(ignored(`${prefix}.${key.slice(0, 100)}`));
  }
}

function ignored(place: string): string {
  return `${place} has no counterpart in belay and is ignored`;
}

/** What would start a program, or change what programs see. */
function othersIn({ notes }: Reading, whole: Block): FoundSaid["others"] {
  const hooks = own(whole, "hooks");
  const env = own(whole, "env");
  const others = [
    ...(isBlock(hooks) ? Object.entries(hooks).flatMap(([event, groups]) => hooksOf(event, groups)) : []),
    ...(isBlock(env) ? Object.entries(env).map(([name, value]) => entry("environment", name, value)) : []),
    ...SERVER_KEYS.flatMap((key) => (Object.hasOwn(whole, key) ? [entry("mcp", key, whole[key])] : [])),
  ];
  const programs = PROGRAM_KEYS.filter((key) => Object.hasOwn(whole, key));
  if (programs.length > 0) notes.push(`${programs.join(", ")}: belay never runs that`);
  return limited(others);
}

const SERVER_KEYS = ["enableAllProjectMcpServers", "enabledMcpjsonServers"] as const;
const PROGRAM_KEYS = [
  "apiKeyHelper",
  "awsAuthRefresh",
  "awsCredentialExport",
  "gcpAuthRefresh",
  "otelHeadersHelper",
  "statusLine",
  "fileSuggestion",
] as const;

function hooksOf(event: string, groups: unknown): FoundSaid["others"] {
  return (Array.isArray(groups) ? (groups as readonly unknown[]) : [groups]).map((group) =>
    entry("hook", event, group),
  );
}

function entry(kind: ItemKind, name: string, value: unknown): FoundSaid["others"][number] {
  return { kind, text: `${name} ${jsonText(value)}` };
}

/** What is beyond is left out: it is never shown, so never trusted. */
function limited(others: FoundSaid["others"]): FoundSaid["others"] {
  return others.slice(0, OTHERS_MAX);
}
