/**
 * What is to be said of a rule set by what was done with it.
 *
 * H1: a rule is suggested only where it would change something, and never one that `dangerOf` takes out.
 * H2: an allow rule is suggested only for what people said yes to every time, or for what only reads.
 * H3: of few cases nothing is said.
 */
import type { PermissionRule } from "../../kernel/permissions.ts";
import { decideByRules } from "../rules/decide-by-rules.ts";
import { dangerOf } from "../rules/dangerous.ts";
import type { PathPlaces } from "../rules/path-pattern.ts";
import { parseRule } from "../rules/rule.ts";
import { suggestRule } from "../rules/suggest.ts";
import { actsOutside } from "./breadth.ts";
import { covers, type ReadRule } from "./covers.ts";
import { denyRuleFor, familyText } from "./family.ts";
import { addition, type EditableFile, type Finding, isMeant, type LocatedRule, removal } from "./finding.ts";
import { findingOf } from "./rule-findings.ts";
import type { Loosening } from "./rule-difference.ts";
import { type FamilyCounts, ruleKey, type SessionChange, type Tallied } from "./tally.ts";

/** What "never used" rests on at least: sessions with the rule in force, and calls judged in them. */
export const UNUSED_SESSIONS_MIN = 5;
export const UNUSED_JUDGED_MIN = 50;
/** Answers, all of them the same, after which a rule is worth more than the next question. */
const ANSWERS_MIN = 3;
/** Calls of one family that were stopped. */
const STOPPED_MIN = 5;
/** Rules that one family is suggested: more are no comfort. */
const SUGGESTED_MAX = 3;
/** Sessions that a message names. */
const NAMED_MAX = 3;

export interface HistoryContext {
  readonly rules: readonly LocatedRule[];
  readonly places: PathPlaces;
  /** Where rules that allow are suggested to be written: the user's own file. */
  readonly own: EditableFile;
  /** Where rules that deny are: for everybody who works here. */
  readonly shared: EditableFile;
}

/** @param everywhere of all projects, for the rules that hold in all; null where only this one was looked at */
export async function historyFindings(
  here: Tallied,
  everywhere: Tallied | null,
  context: HistoryContext,
): Promise<readonly Finding[]> {
  const families = await Promise.all((everywhere ?? here).families.map((one) => ofFamily(one, context)));
  return [
    ...context.rules.flatMap((rule) => unused(rule, here, everywhere)),
    ...families.flat(),
    ...changed((everywhere ?? here).changes, context),
  ];
}

/** What restricts is there for the day that it is needed: only rules that allow are named. */
function unused(rule: LocatedRule, here: Tallied, everywhere: Tallied | null): readonly Finding[] {
  if (rule.behavior !== "allow" || rule.without_effect !== null || dangerOf(rule.rule) !== null) return [];
  const own = rule.source === "project" || rule.source === "local";
  // A rule for all projects is not unused because one of them has no use for it.
  const tallied = own ? here : everywhere;
  const counts = tallied?.rules.get(ruleKey(rule));
  if (counts === undefined || counts.judged + counts.parts > 0) return [];
  if (counts.sessions < UNUSED_SESSIONS_MIN || counts.opportunities < UNUSED_JUDGED_MIN) return [];
  const rests = `${counts.sessions} sessions with it and the ${counts.opportunities} calls that were judged in them`;
  return [findingOf("never_used", "low", rule, `No call needed it, in ${rests}${own ? "" : ", over all projects"}.`)];
}

async function ofFamily(counts: FamilyCounts, context: HistoryContext): Promise<readonly Finding[]> {
  const { approved, refused, denied, unanswered, after_injection } = counts;
  const stopped = refused + denied + unanswered;
  if (approved < ANSWERS_MIN && refused < ANSWERS_MIN && stopped < STOPPED_MIN && after_injection === 0) return [];
  const harmless = await onlyReads(counts, context.places);
  const dangerous = !harmless && isDangerous(counts);
  return [
    ...afterInjection(counts, harmless, context),
    ...alwaysApproved(counts, context),
    ...alwaysRefused(counts, context),
    ...oftenDenied(counts, { harmless, dangerous }, context),
  ];
}

/** Without any rule it would be allowed: belay knows that it changes nothing. */
async function onlyReads({ requests }: FamilyCounts, places: PathPlaces): Promise<boolean> {
  if (requests.length === 0) return false;
  for (const request of requests) {
    const { decision, by } = await decideByRules(request, { rules: [], mode: "default", ...places });
    if (decision !== "allow" || by !== "built_in") return false;
  }
  return true;
}

function isDangerous({ requests, sink, family }: FamilyCounts): boolean {
  if (sink || requests.some((request) => suggestRule(request) === null)) return true;
  return family.tool === "Bash" && actsOutside(family.name.split(" "));
}

function afterInjection(counts: FamilyCounts, harmless: boolean, context: HistoryContext): readonly Finding[] {
  const { family, after_injection, suspected_sessions } = counts;
  if (after_injection === 0 || harmless) return [];
  const message =
    `After text that reads like instructions had come in, ${familyText(family)} was tried and stopped ${times(after_injection)} ` +
    `(${named(suspected_sessions)}). \`belay sessions show ID --labels\` says where the text came from.`;
  return [finding("denied_after_injection", "high", message, denyEdits(counts, context))];
}

function alwaysApproved(counts: FamilyCounts, context: HistoryContext): readonly Finding[] {
  const { family, approved, refused, denied, bound, requests } = counts;
  if (approved < ANSWERS_MIN || refused > 0 || denied > 0 || bound > 0) return [];
  const rules = new Set(requests.map((request) => suggestRule(request)).filter((rule) => rule !== null));
  const wanted = [...rules].filter((rule) => !isSaid("allow", rule, context));
  if (wanted.length === 0 || wanted.length > SUGGESTED_MAX) return [];
  const message = `${familyText(family)} was asked about and approved ${times(approved)}, and never refused (${named(counts.sessions)}).`;
  return [finding("always_approved", "low", `${message} ${may(wanted)}`, [...additions(context.own, "allow", wanted)])];
}

function alwaysRefused(counts: FamilyCounts, context: HistoryContext): readonly Finding[] {
  const { family, approved, refused, allowed } = counts;
  if (refused < ANSWERS_MIN || approved > 0 || allowed > 0) return [];
  const edits = denyEdits(counts, context);
  if (edits.length === 0) return [];
  const message = `${familyText(family)} was asked about and refused ${times(refused)}, and never approved (${named(counts.sessions)}).`;
  return [finding("always_refused", "medium", `${message} A rule that denies it spares the question.`, edits)];
}

function oftenDenied(
  counts: FamilyCounts,
  { harmless, dangerous }: { readonly harmless: boolean; readonly dangerous: boolean },
  context: HistoryContext,
): readonly Finding[] {
  const { family, denied, unanswered, refused, approved, allowed } = counts;
  const what = familyText(family);
  if (harmless && denied >= STOPPED_MIN) {
    const message = `${what} only reads, and was denied ${times(denied)} by ${counts.rules.map((rule) => `\`${rule}\``).join(", ")} (${named(counts.sessions)}).`;
    return [finding("often_denied", "low", `${message} Is that meant?`, [])];
  }
  if (unanswered < STOPPED_MIN) return [];
  const said = `${what} was stopped ${times(unanswered)} because nobody was there to be asked (${named(counts.sessions)}).`;
  if (dangerous) {
    if (allowed > 0 || approved > 0) return [];
    const edits = denyEdits(counts, context);
    if (edits.length === 0 || refused >= ANSWERS_MIN) return [];
    return [
      finding("tried_again", "medium", `${said} A rule that denies it says no at once, and to everybody.`, edits),
    ];
  }
  const rules = [...new Set(counts.requests.map((request) => suggestRule(request)).filter((rule) => rule !== null))];
  const wanted = rules.filter((rule) => !isSaid("allow", rule, context));
  if (wanted.length === 0 || counts.bound > 0) return [];
  const few = wanted.slice(0, SUGGESTED_MAX);
  if (harmless)
    return [
      finding("often_denied", "low", `${said} It only reads. ${may(few)}`, [...additions(context.own, "allow", few)]),
    ];
  return [
    finding(
      "often_denied",
      "low",
      `${said} Decide: ${few.map((rule) => `\`${rule}\``).join(", ")} would allow it.`,
      [],
    ),
  ];
}

function denyEdits({ family }: FamilyCounts, context: HistoryContext): Finding["edits"] {
  const rule = denyRuleFor(family);
  return rule === null || isSaid("deny", rule, context) ? [] : additions(context.shared, "deny", [rule]);
}

/** Each for the file as it is: the lists grow at their ends. */
function additions(
  file: EditableFile,
  behavior: PermissionRule["behavior"],
  rules: readonly string[],
): Finding["edits"] {
  return rules.map((rule) => addition(file, behavior, rule));
}

/** H1. */
function isSaid(behavior: PermissionRule["behavior"], rule: string, { rules, places }: HistoryContext): boolean {
  const wanted = parsedRule({ behavior, rule });
  if (wanted === null) return true;
  return rules.some((one) => {
    if (!isMeant(one)) return false;
    const known = parsedRule(one);
    // What is denied or asked about whatever is allowed is no case for a rule that allows.
    return known !== null && covers(known, wanted, places);
  });
}

function parsedRule({ behavior, rule }: Pick<PermissionRule, "behavior" | "rule">): ReadRule | null {
  const reading = parseRule(rule);
  return reading.ok ? { behavior, parsed: reading.rule } : null;
}

/** Who ran the session may have changed them; so may what ran in it. */
function changed(changes: readonly SessionChange[], { rules }: HistoryContext): readonly Finding[] {
  const seen = new Map<string, { readonly one: Loosening; readonly changes: SessionChange[] }>();
  for (const change of changes) {
    // A yes that a person gave at the question is not news to that person.
    if (change.by_person && !change.after_injection) continue;
    for (const one of change.loosened) {
      const known = seen.get(one.what) ?? { one, changes: [] };
      known.changes.push(change);
      seen.set(one.what, known);
    }
  }
  return [...seen.values()].map(({ one, changes: of }) => {
    const suspected = of.some(({ after_injection }) => after_injection);
    const sessions = [...new Set(of.map(({ session }) => session))];
    const why = suspected ? " Text that reads like instructions had come in before." : "";
    const by_person = of.every((change) => change.by_person) ? ", at a question," : "";
    const message = `While a session went on (${named(sessions)})${by_person} more was let through: ${one.what}${why}`;
    const located = rules.find((rule) => rule.behavior === one.rule?.behavior && rule.rule === one.rule.rule);
    const severity = suspected ? "high" : "low";
    if (located !== undefined) return findingOf("changed_while_running", severity, located, message, removal(located));
    return { ...finding("changed_while_running", severity, message, []), rule: one.rule };
  });
}

function finding(
  kind: Finding["kind"],
  severity: Finding["severity"],
  message: string,
  edits: Finding["edits"],
): Finding {
  return {
    kind,
    severity,
    rule: null,
    file: edits[0]?.file ?? null,
    pointer: edits[0]?.pointer ?? null,
    message,
    edits,
  };
}

function may(rules: readonly string[]): string {
  return `${rules.map((rule) => `\`${rule}\``).join(", ")} would spare the question.`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function named(sessions: readonly string[]): string {
  const rest = sessions.length - NAMED_MAX;
  return `${sessions.slice(0, NAMED_MAX).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
