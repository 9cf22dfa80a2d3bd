/** `belay permissions diff`: the rule set then and now. */
import type { PermissionRule } from "../../kernel/permissions.ts";
import { isEmpty } from "../../policy/audit/rule-difference.ts";
import { ruleKey } from "../../policy/audit/tally.ts";
import type { Face } from "../face.ts";
import { grantText } from "../found-settings.ts";
import { ruleChanges, type RuleChanges } from "../rule-changes.ts";
import { withStore } from "../session-choice.ts";
import { formatDate } from "../view/format.ts";
import { paintFor } from "../view/paint.ts";
import { safeLine } from "../view/safe-text.ts";

export interface DiffOptions {
  readonly since?: string;
  readonly json?: true;
}

const HASH_CHARS_SHOWN = 12;

export async function diff({ since, json }: DiffOptions, face: Face): Promise<number> {
  const changes = await withStore(face, (store) => ruleChanges(store, face, since));
  if (json === true) face.out.json(JSON.stringify(diffJson(changes)));
  else for (const line of diffLines(changes, face)) face.out.line(line);
  return 0;
}

function diffJson({ then, difference, first_seen, notes }: RuleChanges): unknown {
  const { added, removed, moved, grants, domains, mode } = difference;
  const first = (rule: Pick<PermissionRule, "behavior" | "rule">): unknown => first_seen.get(ruleKey(rule)) ?? null;
  return {
    since: then,
    added: added.map((rule) => ({ ...rule, first_session: first(rule) })),
    removed,
    moved: moved.map((one) => ({ ...one, first_session: first({ behavior: one.to.behavior, rule: one.rule }) })),
    grants,
    domains,
    mode,
    notes,
  };
}

function diffLines(changes: RuleChanges, { out }: Face): readonly string[] {
  const { then, difference, first_seen, notes } = changes;
  const paint = paintFor(out.colors);
  const { added, removed, moved, grants, domains, mode } = difference;
  const plus = (text: string): string => paint.green(`+ ${safeLine(text)}`);
  const minus = (text: string): string => paint.red(`- ${safeLine(text)}`);
  const first = (rule: Pick<PermissionRule, "behavior" | "rule">): string => {
    const seen = first_seen.get(ruleKey(rule));
    return seen === undefined ? "" : `, since session ${seen.session} of ${formatDate(seen.at)}`;
  };
  const changed = moved.map(({ rule, from, to }) => {
    const was = from.behavior === to.behavior ? from.source : `${from.behavior} (${from.source})`;
    const is = from.behavior === to.behavior ? to.source : `${to.behavior} (${to.source})`;
    return paint.yellow(
      `~ ${safeLine(`${to.behavior} ${rule}  ${was} → ${is}${first({ behavior: to.behavior, rule })}`)}`,
    );
  });
  return [
    ...notes.map((note) => `note: ${safeLine(note)}`),
    ...(then === null ? [] : [headOf(then)]),
    ...removed.map((rule) => minus(`${rule.behavior} ${rule.rule}  (${rule.source})`)),
    ...added.map((rule) => plus(`${rule.behavior} ${rule.rule}  (${rule.source}${first(rule)})`)),
    ...changed,
    ...grants.removed.map((grant) => minus(`grant ${grantText(grant)}`)),
    ...grants.added.map((grant) => plus(`grant ${grantText(grant)}`)),
    ...domains.removed.map((domain) => minus(`host for commands ${domain}`)),
    ...domains.added.map((domain) => plus(`host for commands ${domain}`)),
    ...(mode === null ? [] : [paint.yellow(`~ mode ${mode.from ?? "default"} → ${mode.to ?? "default"}`)]),
    ...(then !== null && isEmpty(difference) ? ["Nothing changed."] : []),
  ];
}

function headOf({ session, commit, at }: NonNullable<RuleChanges["then"]>): string {
  const what =
    commit === null
      ? `session ${session ?? ""}`
      : `commit ${commit.slice(0, HASH_CHARS_SHOWN)}, the project's own files`;
  return `since ${formatDate(at)} (${what}):`;
}
