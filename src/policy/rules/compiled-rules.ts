/** Rules as they are asked: parsed once, told apart by what they say, without the allow rules that allow too much. */
import type { PermissionRule } from "../../kernel/permissions.ts";
import { type Danger, dangerOfParsed, type StrippedRule } from "./dangerous.ts";
import { type ParsedRule, parseRule, type RuleReading } from "./rule.ts";

export interface CompiledRule {
  readonly rule: PermissionRule;
  readonly parsed: ParsedRule;
}

export interface UnreadableRule {
  readonly rule: PermissionRule;
  readonly problem: string;
  /** The tool that it is probably about; null for any. */
  readonly about: string | null;
}

export interface CompiledRules {
  readonly deny: readonly CompiledRule[];
  readonly ask: readonly CompiledRule[];
  readonly allow: readonly CompiledRule[];
  readonly stripped: readonly StrippedRule[];
  /** Rules that forbid or ask and cannot be read: what they may be about is asked about. */
  readonly unreadable: readonly UnreadableRule[];
}

interface Reading {
  readonly reading: RuleReading;
  /** Were it to allow. */
  readonly danger: Danger | null;
}

/** Texts whose parse is remembered. */
const REMEMBERED_MAX = 5_000;
const remembered = new Map<string, Reading>();
const compiled = new WeakMap<readonly PermissionRule[], CompiledRules>();

export function compileRules(rules: readonly PermissionRule[]): CompiledRules {
  const known = compiled.get(rules);
  if (known !== undefined) return known;
  const by: { readonly [B in PermissionRule["behavior"]]: CompiledRule[] } = { deny: [], ask: [], allow: [] };
  const stripped: StrippedRule[] = [];
  const unreadable: UnreadableRule[] = [];
  for (const rule of rules) {
    const { reading, danger: if_allowed } = readingOf(rule.rule);
    if (!reading.ok) {
      if (rule.behavior === "allow") stripped.push({ rule, danger: { kind: "unreadable", reason: reading.problem } });
      else unreadable.push({ rule, problem: reading.problem, about: reading.about });
      continue;
    }
    const danger = rule.behavior === "allow" ? if_allowed : null;
    if (danger === null) by[rule.behavior].push({ rule, parsed: reading.rule });
    else stripped.push({ rule, danger });
  }
  const result = { ...by, stripped, unreadable };
  compiled.set(rules, result);
  return result;
}

function readingOf(text: string): Reading {
  const before = remembered.get(text);
  if (before !== undefined) return before;
  const reading = parseRule(text);
  const result = { reading, danger: reading.ok ? dangerOfParsed(reading.rule) : null };
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  remembered.set(text, result);
  return result;
}
