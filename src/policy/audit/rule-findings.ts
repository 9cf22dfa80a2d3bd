/** What is to be said of a rule set as it is written, without looking at what was done with it. */
import type { Grant, PermissionMode } from "../../kernel/permissions.ts";
import { type Danger, dangerOf } from "../rules/dangerous.ts";
import type { PathPlaces } from "../rules/path-pattern.ts";
import { type ParsedRule, parseRule } from "../rules/rule.ts";
import { nearestTool } from "../rules/tools.ts";
import { breadthOf, breadthOfHost } from "./breadth.ts";
import { covers } from "./covers.ts";
import { type Finding, isMeant, type LocatedRule, removal, type Severity } from "./finding.ts";

/** A grant where it is written. */
export interface LocatedGrant {
  readonly grant: Grant;
  readonly file: string;
  readonly pointer: string | null;
  readonly without_effect: string | null;
}

export interface LocatedDomain {
  readonly domain: string;
  readonly file: string;
  readonly pointer: string | null;
  readonly without_effect: string | null;
  readonly pending: boolean;
}

export interface LocatedMode {
  readonly mode: PermissionMode;
  readonly file: string;
  readonly pointer: string;
}

/** A directory beside the workspace that is open to the agent. */
export interface LocatedDirectory {
  readonly directory: string;
  readonly file: string;
  readonly pointer: string | null;
}

/** What all settings files of a place say, and where. */
export interface RuleSet {
  readonly rules: readonly LocatedRule[];
  readonly grants: readonly LocatedGrant[];
  readonly domains: readonly LocatedDomain[];
  readonly modes: readonly LocatedMode[];
  readonly directories: readonly LocatedDirectory[];
}

/** Pairs of rules are compared: more rules than this are only looked at one by one. */
const COMPARED_MAX = 2_000;
/** Milliseconds before its end that a grant is named. */
const EXPIRES_SOON_MS = 14 * 24 * 3_600_000;

/** @param now milliseconds since the epoch */
export function ruleFindings(set: RuleSet, places: PathPlaces, now: number): readonly Finding[] {
  const read = set.rules.map((rule) => ({ rule, reading: parseRule(rule.rule) }));
  const known = read.flatMap(({ rule, reading }) => (reading.ok ? [{ rule, parsed: reading.rule }] : []));
  return [
    ...read.flatMap(({ rule, reading }) => (reading.ok ? [] : [unreadable(rule, reading.problem)])),
    ...known.flatMap(({ rule, parsed }) => broad(rule, parsed)),
    ...(known.length > COMPARED_MAX ? [] : overlapping(known, places)),
    ...set.grants.flatMap((grant) => ofGrant(grant, now)),
    ...set.domains.flatMap(ofDomain),
    ...set.modes.flatMap(ofMode),
    ...set.directories.flatMap((one) => ofDirectory(one, places)),
  ];
}

export function findingOf(
  kind: Finding["kind"],
  severity: Severity,
  rule: LocatedRule,
  message: string,
  edits: Finding["edits"] = removal(rule),
): Finding {
  const { behavior, rule: text, source, file, pointer } = rule;
  return { kind, severity, rule: { behavior, rule: text, source }, file, pointer, message, edits };
}

function unreadable(rule: LocatedRule, problem: string): Finding {
  const [name = ""] = /^[A-Za-z_]\w*/.exec(rule.rule.trim()) ?? [];
  const near = nearestTool(name);
  const meant = near === null || near === name ? null : rule.rule.trim().replace(name, near);
  const sure = meant !== null && parseRule(meant).ok && (rule.behavior !== "allow" || dangerOf(meant) === null);
  const { file, pointer } = rule;
  const edits =
    sure && pointer !== null
      ? [{ file, op: "replace" as const, pointer, before: rule.rule, after: meant }]
      : removal(rule);
  const so = rule.behavior === "allow" ? "It allows nothing." : "It restricts nothing for sure.";
  return findingOf("unreadable", "medium", rule, `${problem} ${so}`, edits);
}

const DANGER: { readonly [K in Danger["kind"]]: readonly [Finding["kind"], Severity] } = {
  any_command: ["dangerous", "high"],
  any_file: ["too_broad", "high"],
  any_host: ["too_broad", "high"],
  any_server: ["too_broad", "high"],
  unsafe_shape: ["dangerous", "medium"],
  deny_only: ["unreadable", "medium"],
  unreadable: ["unreadable", "medium"],
};

function broad(rule: LocatedRule, parsed: ParsedRule): readonly Finding[] {
  if (rule.behavior !== "allow") return [];
  const danger = dangerOf(rule.rule);
  if (danger !== null) {
    const [kind, severity] = DANGER[danger.kind];
    return [
      findingOf(kind, severity, rule, `${danger.reason} belay leaves the rule out; what else reads the file may not.`),
    ];
  }
  const breadth = breadthOf(parsed);
  return breadth === null ? [] : [findingOf("too_broad", breadth.severity, rule, breadth.reason)];
}

interface Known {
  readonly rule: LocatedRule;
  readonly parsed: ParsedRule;
}

function overlapping(all: readonly Known[], places: PathPlaces): readonly Finding[] {
  // What is left out shadows nothing, and needs no shadow.
  const used = all.filter(({ rule }) => isMeant(rule) && (rule.behavior !== "allow" || dangerOf(rule.rule) === null));
  return used.flatMap((one, i) => {
    const before = used.slice(0, i);
    const same = before.find((other) => isDuplicate(other, one));
    if (same !== undefined) return [duplicate(one.rule, same.rule)];
    const over = used.find((other) => other !== one && shadows(other, one, places));
    return over === undefined ? [] : [shadowed(one.rule, over.rule)];
  });
}

/** What restricts may stand in several files: each holds without the others. */
function isDuplicate(a: Known, b: Known): boolean {
  if (a.rule.behavior !== b.rule.behavior || JSON.stringify(a.parsed) !== JSON.stringify(b.parsed)) return false;
  return a.rule.file === b.rule.file || a.rule.behavior === "allow";
}

function shadows(broader: Known, narrower: Known, places: PathPlaces): boolean {
  const [a, b] = [broader.rule.behavior, narrower.rule.behavior];
  if (b === "deny" || (a === b && b === "ask")) return false;
  // What waits for trust takes nothing away from what counts now.
  if (broader.rule.pending && !narrower.rule.pending) return false;
  if (a === b && JSON.stringify(broader.parsed) === JSON.stringify(narrower.parsed)) return false;
  return covers({ behavior: a, parsed: broader.parsed }, { behavior: b, parsed: narrower.parsed }, places);
}

function duplicate(rule: LocatedRule, first: LocatedRule): Finding {
  const message =
    rule.file === first.file ? "The file says it twice." : `${first.file} says the same.${whose(rule, first)}`;
  return findingOf("duplicate", "low", rule, message, holdsForAll(rule, first) ? removal(rule) : []);
}

function shadowed(rule: LocatedRule, over: LocatedRule): Finding {
  const where = over.file === rule.file ? "" : ` of ${over.file}`;
  if (over.behavior !== rule.behavior) {
    const does = over.behavior === "deny" ? "denies all of it" : "asks about all of it";
    return findingOf(
      "shadowed",
      rule.behavior === "allow" ? "medium" : "low",
      rule,
      `It changes nothing: \`${over.rule}\`${where} ${does}.`,
    );
  }
  const message = `It adds nothing: \`${over.rule}\`${where} allows it already.${whose(rule, over)}`;
  return findingOf("shadowed", "low", rule, message, holdsForAll(rule, over) ? removal(rule) : []);
}

/** A team's rule is not needless because one of them has it too, nor a person's own because one project has it. */
function holdsForAll(rule: LocatedRule, over: LocatedRule): boolean {
  return over.source === rule.source || over.source === "managed" || rule.source === "local" || over.file === rule.file;
}

function whose(rule: LocatedRule, over: LocatedRule): string {
  if (holdsForAll(rule, over)) return "";
  return rule.source === "user" ? " Other projects may need it." : " Others who work here may need it.";
}

function ofGrant({ grant, file, pointer }: LocatedGrant, now: number): readonly Finding[] {
  const { sink, destination, label, expires_at } = grant;
  if (expires_at === null || expires_at - now > EXPIRES_SOON_MS) return [];
  const day = new Date(expires_at).toISOString().slice(0, 10);
  const name = `The grant ${sink} ${destination} ${label}`;
  const about = { rule: null, file, pointer } as const;
  const before = { sink, destination, label, expires: day };
  const edits = pointer === null ? [] : [{ file, op: "remove" as const, pointer, before, after: null }];
  if (expires_at <= now)
    return [
      {
        ...about,
        kind: "grant_expired",
        severity: "low",
        message: `${name} was over on ${day}. It grants nothing.`,
        edits,
      },
    ];
  const message = `${name} is over on ${day}. What needs it then is stopped: write a new end, or let it go.`;
  return [{ ...about, kind: "grant_expiring", severity: "low", message, edits: [] }];
}

function ofDomain(located: LocatedDomain): readonly Finding[] {
  const { domain, file, pointer } = located;
  const breadth = isMeant(located) ? breadthOfHost(domain) : null;
  if (breadth === null) return [];
  const edits = pointer === null ? [] : [{ file, op: "remove" as const, pointer, before: domain, after: null }];
  const message = `Commands may reach \`${domain}\`. ${breadth.reason}`;
  return [{ kind: "too_broad", severity: breadth.severity, rule: null, file, pointer, message, edits }];
}

function ofMode({ mode, file, pointer }: LocatedMode): readonly Finding[] {
  if (mode !== "bypassPermissions") return [];
  const message = "With it nothing is asked about, in any session here. Say it for one run instead: --permission-mode.";
  const edits = [{ file, op: "remove" as const, pointer, before: mode, after: null }];
  return [{ kind: "dangerous", severity: "high", rule: null, file, pointer, message, edits }];
}

function ofDirectory({ directory, file, pointer }: LocatedDirectory, { home }: PathPlaces): readonly Finding[] {
  const absolute = directory.replace(/^~(?=\/|$)/, () => home).replace(/(?<=.)\/+$/, "");
  if (absolute !== "/" && absolute !== home && !home.startsWith(`${absolute}/`)) return [];
  const edits = pointer === null ? [] : [{ file, op: "remove" as const, pointer, before: directory, after: null }];
  const message = `The directory \`${directory}\` is open beside the workspace: ${absolute === "/" ? "the whole disk" : "your whole home"}.`;
  return [{ kind: "too_broad", severity: "high", rule: null, file, pointer, message, edits }];
}
