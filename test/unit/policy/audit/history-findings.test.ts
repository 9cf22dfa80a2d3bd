/** Every kind of finding that rests on what was done: one case in which it is said, and one in which it is not. */
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../../src/kernel/json.ts";
import type { LocatedRule } from "../../../../src/policy/audit/finding.ts";
import { historyFindings } from "../../../../src/policy/audit/history-findings.ts";
import type { JudgedCall, RuleChange, SessionRecord } from "../../../../src/policy/audit/record.ts";
import { Tally } from "../../../../src/policy/audit/tally.ts";

const PLACES = { cwd: "/w/p", home: "/home/u" };

function call(facts: Partial<JudgedCall> & { readonly command?: string } = {}): JudgedCall {
  const { command = "npm test", ...rest } = facts;
  return {
    ...{
      tool: "Bash",
      input: { command },
      end: "stopped",
      rule: null,
      parts: [],
      mode: "default",
      sink: false,
      after_injection: false,
    },
    ...rest,
  };
}

const times = (count: number, one: JudgedCall): readonly JudgedCall[] => Array.from({ length: count }, () => one);

function rule(text: string, facts: Partial<LocatedRule> = {}): LocatedRule {
  const [behavior = "", ...words] = text.split(" ");
  return {
    behavior: behavior as LocatedRule["behavior"], // the tests below write one of the three
    ...{
      rule: words.join(" "),
      source: "project",
      file: "f",
      pointer: "/permissions/allow/0",
      without_effect: null,
      pending: false,
    },
    ...facts,
  };
}

interface Given {
  /** Of each session. */
  readonly calls?: readonly (readonly JudgedCall[])[];
  readonly rules?: readonly LocatedRule[];
  readonly changes?: readonly RuleChange[];
  readonly elsewhere?: readonly (readonly JudgedCall[])[];
}

/** `low always_approved + allow Bash(npm test)`. */
async function said({ calls = [], rules = [], changes = [], elsewhere }: Given): Promise<readonly string[]> {
  const records = (lists: readonly (readonly JudgedCall[])[], name: string): readonly SessionRecord[] =>
    lists.map((list, i) => ({
      session: `${name}${i}`,
      here: name === "here",
      calls: list,
      changes: i === 0 ? changes : [],
      rules,
    }));
  const [here, everywhere] = [new Tally(), elsewhere === undefined ? null : new Tally()];
  for (const record of records(changes.length > 0 && calls.length === 0 ? [[]] : calls, "here")) {
    here.add(record);
    everywhere?.add(record);
  }
  for (const record of records(elsewhere ?? [], "there")) everywhere?.add(record);
  const file = (name: string): { readonly file: string; readonly json: JsonObject } => ({
    file: name,
    json: { permissions: { allow: [], deny: [] } },
  });
  const context = { rules, places: PLACES, own: file("own"), shared: file("shared") };
  const findings = await historyFindings(here.result(), everywhere?.result() ?? null, context);
  return findings.map(({ kind, severity, edits }) =>
    [
      severity,
      kind,
      ...edits.map(({ op, pointer, before, after }) =>
        op === "remove" ? `- ${String(before)}` : `+ ${pointer} ${String(after)}`,
      ),
    ].join(" "),
  );
}

const sessions = (count: number, calls: readonly JudgedCall[]): readonly (readonly JudgedCall[])[] =>
  Array.from({ length: count }, () => calls);
const ALLOWED = call({ command: "ls", end: "allowed" });
const NPM_TEST = { behavior: "allow", rule: "Bash(npm test)", source: "project" } as const;

describe("never used", () => {
  const unused = { rules: [rule("allow Bash(npm test)")], calls: sessions(5, times(10, ALLOWED)) };
  it("is said of an allow rule that enough sessions had and no call needed", async () => {
    expect(await said(unused)).toEqual(["low never_used - Bash(npm test)"]);
  });

  it("is not said of few sessions or few calls, of rules that restrict, or of what does not count", async () => {
    expect(await said({ ...unused, calls: sessions(4, times(20, ALLOWED)) })).toEqual([]);
    expect(await said({ ...unused, calls: sessions(5, times(9, ALLOWED)) })).toEqual([]);
    expect(await said({ ...unused, rules: [rule("deny Bash(npm test)")] })).toEqual([]);
    expect(
      await said({ ...unused, rules: [rule("allow Bash(npm test)", { without_effect: "It waits.", pending: true })] }),
    ).toEqual([]);
  });

  it("is not said where it decided a call, or a part of one", async () => {
    const whole = call({ end: "allowed", rule: NPM_TEST });
    const part = call({
      command: "ls && npm test",
      end: "allowed",
      parts: [{ text: "npm test", allowed: true, rule: "Bash(npm test)" }],
    });
    expect(await said({ ...unused, calls: [...unused.calls, [whole]] })).toEqual([]);
    expect(await said({ ...unused, calls: [...unused.calls, [part]] })).toEqual([]);
  });

  it("is said of a rule for all projects only where all were looked at", async () => {
    const own = { ...unused, rules: [rule("allow Bash(npm test)", { source: "user" })] };
    expect(await said(own)).toEqual([]);
    expect(await said({ ...own, elsewhere: [] })).toEqual(["low never_used - Bash(npm test)"]);
    expect(await said({ ...own, elsewhere: [[call({ end: "allowed", rule: NPM_TEST })]] })).toEqual([]);
  });
});

describe("answers that were always the same", () => {
  const yes = call({ end: "approved" });
  const no = call({ command: "git push origin main", end: "refused" });

  it("yes: the rule is suggested", async () => {
    expect(await said({ calls: [times(3, yes)] })).toEqual([
      "low always_approved + /permissions/allow/- Bash(npm test)",
    ]);
  });

  it("yes: not where it is said already, was refused once, is asked for another reason, or has no harmless rule", async () => {
    expect(await said({ calls: [times(2, yes)] })).toEqual([]);
    expect(await said({ calls: [times(3, yes)], rules: [rule("allow Bash(npm *)")] })).toEqual([]);
    expect(await said({ calls: [[...times(3, yes), call({ end: "refused" })]] })).toEqual([]);
    expect(await said({ calls: [times(3, { ...yes, sink: true })] })).toEqual([]);
    expect(
      await said({ calls: [times(3, { ...yes, rule: { behavior: "ask", rule: "Bash(npm *)", source: "user" } })] }),
    ).toEqual([]);
    expect(await said({ calls: [times(3, call({ command: "rm -rf dist", end: "approved" }))] })).toEqual([]);
  });

  it("no: a rule that denies is suggested", async () => {
    expect(await said({ calls: [times(3, no)] })).toEqual([
      "medium always_refused + /permissions/deny/- Bash(git push *)",
    ]);
  });

  it("no: not where it is said already, or was allowed once", async () => {
    expect(await said({ calls: [times(3, no)], rules: [rule("deny Bash(git push:*)")] })).toEqual([]);
    expect(await said({ calls: [[...times(3, no), call({ command: "git push", end: "allowed" })]] })).toEqual([]);
  });
});

describe("what is denied again and again", () => {
  it("and only reads: a rule that allows it is suggested", async () => {
    const log = call({ command: "git log --oneline" });
    expect(await said({ calls: [times(5, log)] })).toEqual(["low often_denied + /permissions/allow/- Bash(git log *)"]);
    expect(await said({ calls: [times(4, log)] })).toEqual([]);
    expect(await said({ calls: [times(5, { ...log, mode: "plan" })] })).toEqual([]);
  });

  it("and is dangerous: a rule that denies it is", async () => {
    const push = call({ command: "git push --force" });
    expect(await said({ calls: sessions(5, [push]) })).toEqual([
      "medium tried_again + /permissions/deny/- Bash(git push *)",
    ]);
    expect(await said({ calls: sessions(5, [push]), rules: [rule("deny Bash(git push *)")] })).toEqual([]);
    expect(await said({ calls: [...sessions(5, [push]), [call({ command: "git push", end: "approved" })]] })).toEqual(
      [],
    );
  });

  it("and is a secret: a rule for that file", async () => {
    const env = call({ tool: "Read", input: { path: "config/.env" } });
    expect(await said({ calls: [times(5, env)] })).toEqual([
      "medium tried_again + /permissions/deny/- Read(config/.env)",
    ]);
  });

  it("and is neither: it is left to a person", async () => {
    expect(await said({ calls: [times(5, call())] })).toEqual(["low often_denied"]);
  });

  it("by a rule: only where it denies what merely reads", async () => {
    const by = (command: string, text: string): JudgedCall =>
      call({ command, rule: { behavior: "deny", rule: text, source: "user" } });
    expect(await said({ calls: [times(5, by("git log", "Bash(git *)"))] })).toEqual(["low often_denied"]);
    expect(await said({ calls: [times(9, by("git push", "Bash(git push *)"))] })).toEqual([]);
  });

  it("is told apart by the part of the command that stood against it", async () => {
    const parts = [
      { text: "ls", allowed: true, rule: null },
      { text: "curl http://x", allowed: false, rule: null },
    ];
    expect(await said({ calls: [times(5, call({ command: "ls; curl http://x", parts }))] })).toEqual([
      "medium tried_again + /permissions/deny/- Bash(curl *)",
    ]);
  });
});

describe("after text that reads like instructions", () => {
  it("one stopped call is enough, unless it only reads", async () => {
    const curl = call({ command: "curl http://x", after_injection: true });
    expect(await said({ calls: [[curl]] })).toEqual(["high denied_after_injection + /permissions/deny/- Bash(curl *)"]);
    expect(await said({ calls: [[call({ command: "ls", after_injection: true })]] })).toEqual([]);
    expect(await said({ calls: [[{ ...curl, after_injection: false }]] })).toEqual([]);
    expect(await said({ calls: [[{ ...curl, end: "approved" }]] })).toEqual([]);
  });
});

describe("rules that changed while a session went on", () => {
  const loosened = [
    {
      rule: { behavior: "allow", rule: "Bash(npm test)", source: "project" },
      what: "`Bash(npm test)` is allowed since then.",
    },
  ] as const;
  const change = { at: 1, loosened, by_person: false, after_injection: false };

  it("are named, gravely where such text had come in before", async () => {
    expect(await said({ changes: [change] })).toEqual(["low changed_while_running"]);
    expect(await said({ changes: [{ ...change, after_injection: true }] })).toEqual(["high changed_while_running"]);
    expect(
      await said({ changes: [{ ...change, after_injection: true }], rules: [rule("allow Bash(npm test)")] }),
    ).toEqual(["high changed_while_running - Bash(npm test)"]);
  });

  it("are not where a person answered a question so, but after such text", async () => {
    expect(await said({ changes: [{ ...change, by_person: true }] })).toEqual([]);
    expect(await said({ changes: [{ ...change, by_person: true, after_injection: true }] })).toEqual([
      "high changed_while_running",
    ]);
  });
});
