/** Q1, Q2: what a journal says about permissions. */
import { describe, expect, it } from "vitest";
import type { SessionConfig } from "../../../../src/kernel/config.ts";
import type { Draft, EventData } from "../../../../src/kernel/events/index.ts";
import type { JsonObject } from "../../../../src/kernel/json.ts";
import type { PermissionRule } from "../../../../src/kernel/permissions.ts";
import { SessionProjection } from "../../../../src/observe/permissions/session-record.ts";
import type { SessionRecord } from "../../../../src/policy/audit/record.ts";
import { testConfig } from "../../../support/config.ts";
import { answered, ids, sealed, toolFinished, toolUse } from "../../cli/sealed-events.ts";

const RULE: PermissionRule = { behavior: "allow", rule: "Bash(npm test)", source: "project" };

function configured(rules: readonly PermissionRule[], facts: Partial<SessionConfig> = {}): SessionConfig {
  return testConfig({ permissions: { rules: [...rules], on_ask: "prompt" }, ...facts });
}

function begun(rules: readonly PermissionRule[] = []): Draft {
  return { kind: "SessionConfigured", data: { config: configured(rules) } };
}

interface Judged {
  readonly decision: "allow" | "ask" | "deny";
  readonly facts?: Partial<EventData<"ToolJudged">>;
  readonly status?: "ok" | "error" | "denied";
  readonly approved?: boolean;
}

/** One call of the model's: judged, answered where somebody was asked, and ended. */
function call(name: string, input: JsonObject, { decision, facts = {}, status, approved }: Judged): readonly Draft[] {
  const part = toolUse(name, input);
  const judged: EventData<"ToolJudged"> = {
    ...{
      call: part.call,
      decision,
      reason: "",
      effect: "execute",
      rule: null,
      parts: [],
      sink: null,
      network_withheld: false,
    },
    brings_in: { untrusted: null, secret: null },
    ...facts,
  };
  const given = { call: part.call, by: "user", hash: "", expiry: 1, reason: null, remember: "once" } as const;
  return [
    ...answered("", [part]),
    { kind: "ToolJudged", data: judged },
    ...(approved === undefined ? [] : [{ kind: "ApprovalGiven", data: { ...given, approved } } as const]),
    ...(status === undefined ? [] : [toolFinished(part, { status })]),
  ];
}

function projected(drafts: readonly Draft[], since = 0): SessionRecord {
  const projection = new SessionProjection(since);
  for (const event of sealed(...drafts)) if (projection.needs(event.kind)) projection.add(event);
  return projection.result("s", true);
}

const ends = (...drafts: readonly Draft[]): readonly string[] =>
  projected([begun(), ...drafts]).calls.map(({ end }) => end);
const suspected: Draft = { kind: "InjectionSuspected", data: { call: ids.toolCall(), findings: [] } };

describe("what became of a call", () => {
  it("is allowed, approved, refused, stopped, or waits", () => {
    const bash = (judged: Judged): readonly Draft[] => call("bash", { command: "x" }, judged);
    expect(
      ends(
        ...bash({ decision: "allow", status: "error" }),
        ...bash({ decision: "ask", approved: true, status: "ok" }),
        ...bash({ decision: "ask", approved: false, status: "denied" }),
        ...bash({ decision: "ask", status: "denied" }),
        ...bash({ decision: "deny", status: "denied" }),
        ...bash({ decision: "ask" }),
      ),
    ).toEqual(["allowed", "approved", "refused", "stopped", "stopped", "waiting"]);
  });

  it("is none of permissions' where the call made no sense (Q2)", () => {
    expect(ends(...call("nothing", {}, { decision: "deny", status: "error" }))).toEqual([]);
  });

  it("is told with the tool as rules name it, its input, the rule, and the parts", () => {
    const parts = [{ text: "x", decision: "allow" as const, rule: "Bash(x *)", reason: "" }];
    const facts = { rule: RULE, parts, sink: { sink: "network", destination: "a" } } as const;
    expect(projected([begun(), ...call("bash", { command: "x" }, { decision: "allow", facts })]).calls).toEqual([
      {
        ...{
          tool: "Bash",
          input: { command: "x" },
          end: "allowed",
          rule: RULE,
          mode: "default",
          sink: true,
          after_injection: false,
        },
        parts: [{ text: "x", allowed: true, rule: "Bash(x *)" }],
      },
    ]);
  });
});

describe("what counts of a session", () => {
  const allowed = call("bash", { command: "x" }, { decision: "allow" });

  it("nothing that a fork took over (Q1)", () => {
    const fork: Draft = { kind: "SessionForked", data: { from: ids.session(), seq: 3, hash: "", workspace: null } };
    const { calls, rules } = projected([begun([RULE]), ...allowed, fork, ...allowed, ...allowed]);
    expect([calls.length, rules]).toEqual([2, [RULE]]);
  });

  it("only what was judged since then", () => {
    const drafts = [begun(), ...allowed, ...allowed];
    const at = sealed(...drafts).at(-1)?.at ?? 0;
    expect([projected(drafts, at).calls.length, projected(drafts, at + 1).calls.length]).toEqual([1, 0]);
  });

  it("that text which reads like instructions had come in before", () => {
    const { calls } = projected([begun(), ...allowed, suspected, ...allowed]);
    expect(calls.map(({ after_injection }) => after_injection)).toEqual([false, true]);
  });
});

describe("rules that changed while it went on", () => {
  const changed = (rules: readonly PermissionRule[], facts: Partial<SessionConfig> = {}): Draft => ({
    kind: "SettingsChanged",
    data: { config: configured(rules, facts), changed: ["permissions"] },
  });

  it("are told where they let more through, with every rule that was in force at some time", () => {
    const more: PermissionRule = { behavior: "allow", rule: "Bash(make)", source: "project" };
    const { changes, rules } = projected([begun([RULE]), suspected, changed([more])]);
    expect(changes).toMatchObject([{ loosened: [{ rule: more }], by_person: false, after_injection: true }]);
    expect(rules).toEqual([RULE, more]);
  });

  it("are not where they let less through, or were said for the session itself", () => {
    const own: PermissionRule = { ...RULE, rule: "Bash(make)", source: "cli" };
    expect(projected([begun([RULE]), changed([])]).changes).toEqual([]);
    expect(projected([begun([]), changed([own])]).changes).toEqual([]);
  });

  it("are a person's where a person added one", () => {
    const added: Draft = { kind: "PermissionRuleAdded", data: { rule: { ...RULE, source: "session" }, by: "user" } };
    expect(projected([begun(), added]).changes).toMatchObject([{ by_person: true, after_injection: false }]);
  });
});
