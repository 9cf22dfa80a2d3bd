/** One part of a call with what decided it, and how parts become one verdict. */
import type { PermissionRule } from "../../kernel/permissions.ts";
import type { Decision, PartVerdict, RuleVerdict } from "../verdict.ts";

export interface JudgedPart {
  readonly text: string;
  readonly decision: Decision;
  readonly by: RuleVerdict["by"];
  readonly rule: PermissionRule | null;
  readonly reason: string;
}

const STRENGTH: { readonly [D in Decision]: number } = { allow: 0, ask: 1, deny: 2 };
/** Which of equal decisions is named: a rule says more than the want of one. */
const WEIGHT: { readonly [B in RuleVerdict["by"]]: number } = { rule: 4, mode: 3, unread: 2, none: 1, built_in: 0 };

/** Deny beats ask beats allow. */
export function joinedVerdict(parts: readonly JudgedPart[]): RuleVerdict {
  const [first, ...rest] = parts;
  if (first === undefined)
    return { decision: "allow", rule: null, by: "built_in", reason: "It does nothing.", parts: [] };
  const strongest = rest.reduce((a, b) => (isStronger(b, a) ? b : a), first);
  const { decision, rule, by, reason } = strongest;
  return { decision, rule, by, reason, parts: parts.map(shown) };
}

function isStronger(a: JudgedPart, b: JudgedPart): boolean {
  const difference = STRENGTH[a.decision] - STRENGTH[b.decision];
  return difference > 0 || (difference === 0 && WEIGHT[a.by] > WEIGHT[b.by]);
}

function shown({ text, decision, rule, reason }: JudgedPart): PartVerdict {
  return { text, decision, rule: rule?.rule ?? null, reason };
}

export function denied(text: string, rule: PermissionRule): JudgedPart {
  return { text, decision: "deny", by: "rule", rule, reason: `The rule \`${rule.rule}\` forbids it.` };
}

export function askedBy(text: string, rule: PermissionRule): JudgedPart {
  return { text, decision: "ask", by: "rule", rule, reason: `The rule \`${rule.rule}\` wants to be asked.` };
}

export function allowedBy(text: string, rule: PermissionRule): JudgedPart {
  return { text, decision: "allow", by: "rule", rule, reason: `The rule \`${rule.rule}\` allows it.` };
}

export function builtIn(text: string, reason: string): JudgedPart {
  return { text, decision: "allow", by: "built_in", rule: null, reason };
}

export function asked(text: string, reason: string): JudgedPart {
  return { text, decision: "ask", by: "none", rule: null, reason };
}
