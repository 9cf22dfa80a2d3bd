/**
 * What one session's journal says about permissions: a projection over the few kinds of events that tell. Nothing is folded, and
 * of the other events not even the text is read.
 *
 * Q1: what a fork or an import took over was judged elsewhere, and is counted there.
 * Q2: a call that was refused because it made no sense (no such tool, input that does not fit) was not judged by permissions.
 */
import type { Event, EventKind, EventOf, UnknownEvent } from "../../kernel/events/index.ts";
import { isUnknown } from "../../kernel/fold.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { PermissionMode, PermissionRule } from "../../kernel/permissions.ts";
import type { JudgedCall, RuleChange, SessionRecord } from "../../policy/audit/record.ts";
import { differenceOf, loosened, type Standing } from "../../policy/audit/rule-difference.ts";
import { ruleKey } from "../../policy/audit/tally.ts";
import { canonicalTool } from "../../policy/rules/tools.ts";

export const NEEDED_KINDS: ReadonlySet<string> = new Set<EventKind>([
  "SessionConfigured",
  "SettingsChanged",
  "PermissionRuleAdded",
  "SessionForked",
  "SessionImported",
  "InjectionSuspected",
  "ModelCallFinished",
  "ToolJudged",
  "ApprovalGiven",
  "ToolFinished",
]);

/** Calls of one session that are kept. */
const CALLS_MAX = 20_000;

type Configured = EventOf<"SessionConfigured">["data"]["config"];

export function standingOf({ permissions, flow, permission_mode, confinement }: Configured): Standing {
  const { rules } = permissions;
  return { rules, grants: flow.grants, mode: permission_mode, domains: confinement.domains };
}

interface OpenCall extends Omit<JudgedCall, "end"> {
  readonly at: number;
  readonly decision: "allow" | "ask" | "deny";
  end: JudgedCall["end"] | "senseless";
}

/** Takes the events of one session in order. */
export class SessionProjection {
  readonly #since: number;
  readonly #asked = new Map<string, { readonly name: string; readonly input: JsonObject }>();
  readonly #open = new Map<string, OpenCall>();
  #calls: OpenCall[] = [];
  #changes: RuleChange[] = [];
  readonly #rules = new Map<string, PermissionRule>();
  #standing: Standing | null = null;
  #suspected = false;

  /** @param since only what was judged from then on, in milliseconds since the epoch */
  constructor(since: number) {
    this.#since = since;
  }

  /** Whether the text of this event matters; that of a result only where a call was not allowed by itself. */
  needs(kind: string): boolean {
    return kind === "ToolFinished" ? this.#open.size > 0 : NEEDED_KINDS.has(kind);
  }

  add(event: Event | UnknownEvent): void {
    if (isUnknown(event)) return;
    switch (event.kind) {
      case "SessionConfigured":
        this.#configured(event.at, standingOf(event.data.config), false);
        break;
      case "SettingsChanged":
        this.#configured(event.at, standingOf(event.data.config), true);
        break;
      case "PermissionRuleAdded":
        this.#added(event.at, event.data.rule);
        break;
      case "SessionForked":
      case "SessionImported":
        this.#begunAnew();
        break;
      case "InjectionSuspected":
        this.#suspected = true;
        break;
      case "ModelCallFinished":
        for (const part of event.data.parts)
          if (part.type === "tool_use") this.#asked.set(part.call, { name: part.name, input: part.input });
        break;
      case "ToolJudged":
        this.#judged(event);
        break;
      case "ApprovalGiven":
        this.#settle(event.data.call, event.data.approved ? "approved" : "refused");
        break;
      case "ToolFinished":
        this.#finished(event);
        break;
      default:
    }
  }

  result(session: string, here: boolean): SessionRecord {
    const judged = this.#calls.filter(({ at }) => at >= this.#since);
    const calls = judged.flatMap(({ end, tool, input, rule, parts, mode, sink, after_injection }) =>
      end === "senseless" ? [] : [{ tool, input, end, rule, parts, mode, sink, after_injection }],
    );
    const changes = this.#changes.filter(({ at }) => at >= this.#since);
    return { session, here, calls, changes, rules: [...this.#rules.values()] };
  }

  #configured(at: number, standing: Standing, later: boolean): void {
    if (later && this.#standing !== null) {
      const change = loosened(differenceOf(withoutOwn(this.#standing), withoutOwn(standing)));
      if (change.length > 0) this.#changed(at, change, false);
    }
    this.#standing = standing;
    for (const rule of standing.rules) this.#rules.set(ruleKey(rule), rule);
  }

  #added(at: number, rule: PermissionRule): void {
    this.#rules.set(ruleKey(rule), rule);
    if (rule.behavior === "allow") this.#changed(at, [{ rule, what: `\`${rule.rule}\` is allowed since then.` }], true);
  }

  #changed(at: number, change: RuleChange["loosened"], by_person: boolean): void {
    this.#changes.push({ at, loosened: change, by_person, after_injection: this.#suspected });
  }

  /** Q1. */
  #begunAnew(): void {
    this.#calls = [];
    this.#changes = [];
    this.#open.clear();
    this.#asked.clear();
    this.#rules.clear();
    for (const rule of this.#standing?.rules ?? []) this.#rules.set(ruleKey(rule), rule);
  }

  #judged({ at, data: { call, decision, rule, parts, sink } }: EventOf<"ToolJudged">): void {
    const asked = this.#asked.get(call);
    this.#asked.delete(call);
    if (asked === undefined || this.#calls.length >= CALLS_MAX) return;
    const mode: PermissionMode = this.#standing?.mode ?? "default";
    const judged: OpenCall = {
      at,
      tool: canonicalTool(asked.name),
      input: asked.input,
      decision,
      end: decision === "allow" ? "allowed" : decision === "deny" ? "stopped" : "waiting",
      rule,
      parts: parts.map(({ text, decision: of, rule: by }) => ({ text, allowed: of === "allow", rule: by })),
      mode,
      sink: sink !== null,
      after_injection: this.#suspected,
    };
    this.#calls.push(judged);
    if (decision !== "allow") this.#open.set(call, judged);
  }

  #finished({ data: { call, status } }: EventOf<"ToolFinished">): void {
    const judged = this.#open.get(call);
    if (judged === undefined) return;
    // Q2. A call that was denied has a result that says so.
    if (judged.decision === "deny" && status === "error") judged.end = "senseless";
    // Nobody was there to be asked.
    else if (judged.end === "waiting" && status === "denied") judged.end = "stopped";
    this.#open.delete(call);
  }

  #settle(call: string, end: "approved" | "refused"): void {
    const judged = this.#open.get(call);
    if (judged !== undefined) judged.end = end;
  }
}

/** What was said for the session itself is no change of the settings. */
function withoutOwn(standing: Standing): Standing {
  return { ...standing, rules: standing.rules.filter(({ source }) => source !== "cli" && source !== "session") };
}
