/** What an audit of permissions says: one finding is one thing a person can act on, with the exact edit where there is one. */
import { isJsonObject, type Json } from "../../kernel/json.ts";
import type { PermissionRule } from "../../kernel/permissions.ts";

export const FINDING_KINDS = [
  "dangerous",
  "too_broad",
  "unreadable",
  "shadowed",
  "duplicate",
  "never_used",
  "grant_expired",
  "grant_expiring",
  "grown",
  "often_denied",
  "tried_again",
  "always_approved",
  "always_refused",
  "denied_after_injection",
  "changed_while_running",
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** `high`: it opens what nobody meant to open. `medium`: more than is needed, or without its effect. `low`: untidy, or comfort. */
export type Severity = "high" | "medium" | "low";

/** As an operation of JSON Patch (RFC 6902), for the file as it is now. */
export interface Edit {
  /** As people and journals name it. */
  readonly file: string;
  readonly op: "add" | "remove" | "replace";
  /** RFC 6901. */
  readonly pointer: string;
  /** What stands there now; null where nothing does. */
  readonly before: Json;
  /** What is to stand there; null where nothing is. */
  readonly after: Json;
}

export interface Finding {
  readonly kind: FindingKind;
  readonly severity: Severity;
  /** The rule that it is about; null where it is about none, or about a file as a whole. */
  readonly rule: PermissionRule | null;
  readonly file: string | null;
  readonly pointer: string | null;
  /** Sentences. */
  readonly message: string;
  readonly edits: readonly Edit[];
}

/** A rule where it is written. */
export interface LocatedRule extends PermissionRule {
  readonly file: string;
  /** Null where the file says it in other words, as a sandbox's own keys do. */
  readonly pointer: string | null;
  /** Null: it counts. Else a sentence why it does not. */
  readonly without_effect: string | null;
  /** It will count as soon as somebody trusts the directory: it is judged as if it did. */
  readonly pending: boolean;
}

/** Whether it counts, or will. */
export function isMeant({ without_effect, pending }: Pick<LocatedRule, "without_effect" | "pending">): boolean {
  return without_effect === null || pending;
}

/** A settings file that an edit may go to. */
export interface EditableFile {
  readonly file: string;
  /** Null where there is none yet. */
  readonly json: Json;
}

export function removal({ file, pointer, rule }: LocatedRule): readonly Edit[] {
  return pointer === null ? [] : [{ file, op: "remove", pointer, before: rule, after: null }];
}

/** What is missing on the way is made with it. */
export function addition({ file, json }: EditableFile, behavior: PermissionRule["behavior"], rule: string): Edit {
  const add = (pointer: string, after: Json): Edit => ({ file, op: "add", pointer, before: null, after });
  const permissions = member(json, "permissions");
  if (!isJsonObject(json)) return add("", { permissions: { [behavior]: [rule] } });
  if (!isJsonObject(permissions)) return add("/permissions", { [behavior]: [rule] });
  if (!Array.isArray(permissions[behavior])) return add(`/permissions/${behavior}`, [rule]);
  return add(`/permissions/${behavior}/-`, rule);
}

function member(json: Json, name: string): Json {
  return isJsonObject(json) ? (json[name] ?? null) : null;
}

const ORDER: { readonly [S in Severity]: number } = { high: 0, medium: 1, low: 2 };

/** The gravest first, then as the kinds are listed, then by where they are. */
export function sortedFindings(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted(
    (a, b) =>
      ORDER[a.severity] - ORDER[b.severity] ||
      FINDING_KINDS.indexOf(a.kind) - FINDING_KINDS.indexOf(b.kind) ||
      compare(`${a.file} ${a.pointer}`, `${b.file} ${b.pointer}`) ||
      compare(a.message, b.message),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
