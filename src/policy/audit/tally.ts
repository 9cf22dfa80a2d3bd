/** Sums over the records of sessions: by tool, by rule, by family of calls. Bounded, however many sessions there are. */
import type { JsonObject } from "../../kernel/json.ts";
import type { PermissionRule } from "../../kernel/permissions.ts";
import { callFamily, commandFamily, type Family } from "./family.ts";
import type { JudgedCall, RuleChange, SessionRecord } from "./record.ts";

/** Families that are told apart; what comes after is in no family. */
const FAMILIES_MAX = 5_000;
/** Different requests of one family that are kept. */
const REQUESTS_MAX = 10;
/** Characters of a request that is kept. */
const REQUEST_CHARS_MAX = 2_000;
/** Sessions that are remembered by name for one family. */
const SESSIONS_NAMED_MAX = 100;
const CHANGES_MAX = 1_000;

export interface Counts {
  readonly judged: number;
  readonly allowed: number;
  readonly approved: number;
  readonly refused: number;
  readonly stopped: number;
  readonly waiting: number;
}

export interface RuleCounts extends Counts {
  readonly rule: Pick<PermissionRule, "behavior" | "rule">;
  /** Sessions in which it was in force, and the calls that were judged in them. */
  readonly sessions: number;
  readonly opportunities: number;
  /** Parts of calls that it decided without deciding the call. */
  readonly parts: number;
}

export interface FamilyCounts {
  readonly family: Family;
  readonly allowed: number;
  readonly approved: number;
  readonly refused: number;
  /** By a rule that denies. */
  readonly denied: number;
  /** Because nobody was there to be asked, or by a mode that asks nobody. */
  readonly unanswered: number;
  /** Of what was refused, denied or unanswered: after text that reads like instructions had come in. */
  readonly after_injection: number;
  /** A rule or a label asked: no other rule would change that. */
  readonly bound: number;
  readonly sink: boolean;
  readonly sessions: readonly string[];
  readonly suspected_sessions: readonly string[];
  /** Some of what was not allowed by itself. */
  readonly requests: readonly { readonly tool: string; readonly input: JsonObject }[];
  /** Rules that denied. */
  readonly rules: readonly string[];
}

export interface SessionChange extends RuleChange {
  readonly session: string;
}

export interface Tallied {
  readonly sessions: number;
  readonly judged: number;
  readonly tools: ReadonlyMap<string, Counts>;
  readonly rules: ReadonlyMap<string, RuleCounts>;
  readonly families: readonly FamilyCounts[];
  readonly changes: readonly SessionChange[];
}

export function ruleKey({ behavior, rule }: Pick<PermissionRule, "behavior" | "rule">): string {
  return `${behavior} ${rule}`;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Tally {
  #sessions = 0;
  #judged = 0;
  readonly #tools = new Map<string, Mutable<Counts>>();
  readonly #rules = new Map<string, Mutable<RuleCounts>>();
  readonly #families = new Map<string, FamilyTally>();
  readonly #changes: SessionChange[] = [];

  add({ session, calls, rules, changes }: SessionRecord): void {
    this.#sessions++;
    this.#judged += calls.length;
    for (const rule of new Map(rules.map((one) => [ruleKey(one), one])).values()) {
      const of = this.#ofRule(rule);
      of.sessions++;
      of.opportunities += calls.length;
    }
    for (const call of calls) this.#call(session, call);
    for (const change of changes) if (this.#changes.length < CHANGES_MAX) this.#changes.push({ ...change, session });
  }

  result(): Tallied {
    return {
      sessions: this.#sessions,
      judged: this.#judged,
      tools: this.#tools,
      rules: this.#rules,
      families: [...this.#families.values()].map((one) => one.result()),
      changes: this.#changes,
    };
  }

  #call(session: string, call: JudgedCall): void {
    const of = this.#tools.get(call.tool) ?? { ...NONE };
    this.#tools.set(call.tool, of);
    count(of, call);
    if (call.rule !== null) count(this.#ofRule(call.rule), call);
    const named = new Set(
      call.parts.map(({ rule }) => rule).filter((rule) => rule !== null && rule !== call.rule?.rule),
    );
    // A part's rule is journaled by its text alone: it was used, whatever list it stands in.
    for (const rule of named)
      for (const behavior of ["allow", "ask", "deny"] as const) {
        const known = this.#rules.get(ruleKey({ behavior, rule: rule ?? "" }));
        if (known !== undefined) known.parts++;
      }
    for (const { family, request, allowed } of familiesOf(call)) {
      const key = `${family.tool} ${family.name}`;
      if (!this.#families.has(key) && this.#families.size >= FAMILIES_MAX) continue;
      const tally = this.#families.get(key) ?? new FamilyTally(family);
      this.#families.set(key, tally);
      tally.add(session, call, request, allowed);
    }
  }

  #ofRule({ behavior, rule }: Pick<PermissionRule, "behavior" | "rule">): Mutable<RuleCounts> {
    const key = ruleKey({ behavior, rule });
    const of = this.#rules.get(key) ?? { ...NONE, rule: { behavior, rule }, sessions: 0, opportunities: 0, parts: 0 };
    this.#rules.set(key, of);
    return of;
  }
}

const NONE: Counts = { judged: 0, allowed: 0, approved: 0, refused: 0, stopped: 0, waiting: 0 };

function count(counts: Mutable<Counts>, { end }: JudgedCall): void {
  counts.judged++;
  counts[end]++;
}

interface OfFamily {
  readonly family: Family;
  readonly request: { readonly tool: string; readonly input: JsonObject };
  readonly allowed: boolean;
}

function familiesOf({ tool, input, parts, end }: JudgedCall): readonly OfFamily[] {
  const allowed = end === "allowed";
  if (tool !== "Bash") return [{ family: callFamily(tool, input), request: { tool, input }, allowed }];
  const command = typeof input["command"] === "string" ? input["command"] : "";
  const texts = parts.length === 0 ? [{ text: command, allowed }] : parts;
  const one = texts.length === 1;
  return texts.flatMap((part) => {
    const text = one ? command : part.text;
    const family = commandFamily(text);
    // What is allowed by itself in a call that is not is neither: the other part stood against it.
    if (family === null || (part.allowed && !allowed)) return [];
    return [{ family, request: { tool, input: { command: text } }, allowed }];
  });
}

function reasonOf({ end, rule }: JudgedCall): "approved" | "refused" | "denied" | "unanswered" {
  if (end === "approved" || end === "refused") return end;
  return rule?.behavior === "deny" ? "denied" : "unanswered";
}

class FamilyTally {
  readonly #family: Family;
  readonly #counts = { allowed: 0, approved: 0, refused: 0, denied: 0, unanswered: 0, after_injection: 0, bound: 0 };
  readonly #sessions = new Set<string>();
  readonly #suspected = new Set<string>();
  readonly #requests = new Map<string, OfFamily["request"]>();
  readonly #rules = new Set<string>();
  #sink = false;

  constructor(family: Family) {
    this.#family = family;
  }

  add(session: string, call: JudgedCall, request: OfFamily["request"], allowed: boolean): void {
    const counts = this.#counts;
    if (allowed || call.end === "allowed") {
      counts.allowed++;
      return;
    }
    // The mode `plan` stops everything: that says nothing of the call.
    if (call.end === "waiting" || (call.end === "stopped" && call.mode === "plan" && call.rule === null)) return;
    counts[reasonOf(call)]++;
    if (call.end !== "approved" && call.after_injection) {
      counts.after_injection++;
      if (this.#suspected.size < SESSIONS_NAMED_MAX) this.#suspected.add(session);
    }
    if (call.rule !== null || call.sink) counts.bound++;
    this.#sink ||= call.sink;
    if (call.rule?.behavior === "deny") this.#rules.add(call.rule.rule);
    if (this.#sessions.size < SESSIONS_NAMED_MAX) this.#sessions.add(session);
    const key = JSON.stringify(request);
    if (this.#requests.size < REQUESTS_MAX && key.length <= REQUEST_CHARS_MAX) this.#requests.set(key, request);
  }

  result(): FamilyCounts {
    return {
      family: this.#family,
      ...this.#counts,
      sink: this.#sink,
      sessions: [...this.#sessions],
      suspected_sessions: [...this.#suspected],
      requests: [...this.#requests.values()],
      rules: [...this.#rules],
    };
  }
}
